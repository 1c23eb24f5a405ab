/* What sending an array and leaving a loan share; core/send_call.c. */
#ifndef DORAFLOW_CORE_SEND_CALL_H
#define DORAFLOW_CORE_SEND_CALL_H

#include "send.h"

/* One reader of an output. The account and its lane are kept until another account has the reader's name. */
typedef struct {
    PyObject *name, *link;
    uint16_t index;
    Account *account;
    Lane *lane;
} Target;

typedef struct {
    PyObject_HEAD
    Py_ssize_t count;
    Target *targets;
    unsigned long long messages, bytes; /* that were sent without the way for everything */
} Route;

/* What a node sends with; the base of the runtime's Sender. */
typedef struct {
    PyObject_HEAD
    PyObject *core, *lock, *consumers, *routes, *last, *array_class, *uint8, *encode;
    Shelf *pool;
    int64_t heard_ns;
} Dispatch;

/* A message but for its link. `record` and `content` may be parts of one piece of memory. */
typedef struct {
    long type_number;
    unsigned char flags;
    const char *metadata, *record, *content;
    Py_ssize_t metadata_size, record_size, content_size;
} Letter;

enum { NOT_READY, DONE, FAILED = -1 };

extern PyTypeObject *dispatch_type;

Route *route_of(Dispatch *self, PyObject *output);

/* The type that was last sent on an output, borrowed; NULL without an exception if it is not flat. */
KnownType *last_type(Dispatch *self, PyObject *output);

/* Takes the node's lock if it is free, or waits for it; NOT_READY if it is another thread's. */
int try_lock(Dispatch *self);
int lock(Dispatch *self);
int unlock(Dispatch *self);

/* Takes a slot that is at hand, under the lock; NULL without an exception if there is none. `is_fresh` spares the look
 * for slots that have just come back. */
Slot *take_slot(Dispatch *self, Route *route, Py_ssize_t size, int is_fresh);

/* Sends what lies in a slot that was taken, and lets go of it. Gives None. */
PyObject *deliver(Dispatch *self, PyObject *output, KnownType *known, PyObject *metadata, Py_ssize_t length, Slot *slot);

/* Gives metadata as bytes, or NULL with `*encoded` 0 if there is none; FAILED with an exception. */
int encode_metadata(Dispatch *self, PyObject *given, PyObject **encoded);

/* Sends a message that travels in its frame. */
int post_inline(Dispatch *self, Route *route, const Letter *letter);

void write_flat_record(char *record, Py_ssize_t length, Py_ssize_t size);

#endif
