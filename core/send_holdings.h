/* The slots that a consumer holds, within its account; core/send_holdings.c. */
#ifndef DORAFLOW_CORE_SEND_HOLDINGS_H
#define DORAFLOW_CORE_SEND_HOLDINGS_H

#include "send.h"

#define NOT_HELD "a slot given back that was not held"

/* Notes that so many more were read; 0 if that is more than were sent. */
int holdings_see(Account *account, uint64_t count);

/* Takes a slot back once; 0 if the consumer does not hold it. */
int holdings_release(Account *account, SlotKey key);

/* Takes back what was not read; 0 if the consumer has given some of it back unseen. */
int holdings_forget_unread(Account *account);

/* Takes everything back. */
void holdings_drain(Account *account);

void holdings_free(Account *account);

#endif
