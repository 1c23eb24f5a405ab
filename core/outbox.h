/* What is on its way to a reader on another host and was not handed to the network yet; core/outbox.c. */
#ifndef DORAFLOW_CORE_OUTBOX_H
#define DORAFLOW_CORE_OUTBOX_H

#include "send.h"
#include "zeromq.h"

enum {
    LARGEST_PACKED = 64 * 1024, /* payload bytes that are copied behind others; a larger one travels by itself */
    FULL_PACK = 120 * 1024,     /* bytes from which a pack does not wait for more */
    NUMBER_SIZE = 8,            /* what stands before each frame of a pack */
};

/* How far an edge to another host is; the base of the runtime's Outbound. */
typedef struct {
    PyObject_HEAD
    PyObject *held, *flying;
    uint64_t last, limit, heard;
    Py_ssize_t flying_bytes, packed, packed_bytes;
    char may_drop, is_closing;
} OutboundState;

/* The open pack of a reader on another host; the base of the runtime's FarConsumer. */
typedef struct {
    PyObject_HEAD
    PyObject *lanes, *types;
    PyTypeObject *parcel_type, *pack_type;
    PyObject *wire; /* a ZeroMqSocket on which packs go out; None to leave that to Python */
    PyObject *pack; /* bytes that are being filled; NULL for none */
    Py_ssize_t filled, packed;
    int64_t shipped_ns, heard_ns;
    char is_up, has_left, is_deferred, has_news;
} Outbox;

enum { NOTHING_HEARD = 0, HEARD = 1, LEFT_TO_PYTHON = 2 };

extern PyTypeObject *outbound_type, *outbox_type;

/* Whether one more message may be sent at once on an edge. */
int outbox_has_room(const OutboundState *lane);

/* Puts a message behind those that wait in the pack, and hands the pack on if nothing is to be waited for; `has_news`
 * then says that something came in, of which nobody else may have been told. -1 with an exception. */
int outbox_put(Outbox *outbox, OutboundState *lane, const struct iovec *parts, int count, Py_ssize_t total);

/* Takes in what the reader has said, as far as that needs no Python. -1 with an exception. */
int outbox_hear(Outbox *outbox);

int outbox_exec(PyObject *module);

#endif
