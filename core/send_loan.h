/* Loans that need no Python; core/send_loan.c. */
#ifndef DORAFLOW_CORE_SEND_LOAN_H
#define DORAFLOW_CORE_SEND_LOAN_H

#include "send_call.h"

/* Lends a slot for a UInt8 array. Takes a reference of its own to the slot. */
PyObject *loan_of_slot(Dispatch *dispatch, PyObject *output, KnownType *known, PyObject *metadata, Slot *slot);

#endif
