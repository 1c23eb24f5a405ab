/* Where a node hears senders of other hosts; core/desk.c. */
#ifndef DORAFLOW_CORE_DESK_H
#define DORAFLOW_CORE_DESK_H

#include "receive.h"

typedef struct desk Desk;
extern PyTypeObject DeskType;

/* Takes in all that has come, or a share of it and rings for the rest. -1 with an exception. */
int desk_hear(Desk *desk);
/* Whether a sender has to be told how far this node is; `at_rest` says that the node is about to wait. */
int desk_owes(const Desk *desk, int at_rest);

/* ---- of gate_news.c */

/* Lets the gate hear a desk whenever its descriptor is ready; NULL for none. The desk takes itself out. */
void gate_seat(Gate *gate, Desk *desk, int descriptor);
/* Notes whose messages came last; NULL for nobody any more. */
void gate_note_recent(Gate *gate, Source *source);
void gate_forget_recent(Gate *gate, const Source *source);

/* ---- of inbound.c */

/* Takes in the messages of a pack from a place on, and gives the place where it stopped; -1 with an exception. */
Py_ssize_t source_take_pack(Source *source, const uint8_t *data, Py_ssize_t size, Py_ssize_t at);
/* Whether the producer on another host has to be told how far its edges are. */
int source_owes_stands(const Source *source, int at_rest);

#endif
