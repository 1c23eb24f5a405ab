/* What sending an array and leaving a loan share; core/send_call.c. */
#ifndef DORAFLOW_CORE_SEND_CALL_H
#define DORAFLOW_CORE_SEND_CALL_H

#include "outbox.h"

/* One reader of an output. The account and its lane are kept until another account has the reader's name; a reader on
 * another host has an outbox and the state of an edge instead. */
typedef struct {
    PyObject *name, *link;
    uint16_t index;
    Account *account;
    Lane *lane;
    Outbox *outbox;
    OutboundState *far;
    char is_other; /* a reader of another kind, which only Python knows */
    long announced; /* the number of a type that the account was told of; 0 for none */
} Target;

/* The array that was sent last, if it was sent more than once: its values need not be asked for again. A node that
 * fills the same memory for every message sends no other, and at a slow pace asking is what costs the most. */
typedef struct {
    const void *seen; /* not a reference, but the address of the one before */
    PyObject *array;  /* a weak reference */
    KnownType *known;
    const char *start;
    Py_ssize_t length, size;
} Recent;

typedef struct {
    PyObject_HEAD
    Py_ssize_t count;
    Target *targets;
    Recent recent;
    int is_far; /* whether all readers are on other hosts */
    unsigned long long messages, bytes; /* that were sent without the way for everything */
} Route;

/* What a node sends with; the base of the runtime's Sender. */
typedef struct {
    PyObject_HEAD
    PyObject *core, *gate, *lock, *consumers, *routes, *retired, *last, *array_class, *uint8, *encode;
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

/* The methods `send` and `lend`. */
PyObject *dispatch_send(Dispatch *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names);
PyObject *dispatch_lend(Dispatch *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names);

Route *route_of(Dispatch *self, PyObject *output);

/* The type that was last sent on an output, borrowed; NULL without an exception if it is not flat. */
KnownType *last_type(Dispatch *self, PyObject *output);

/* Takes a slot that is at hand, under the lock; NULL without an exception if there is none. `is_fresh` spares the look
 * for slots that have just come back. */
Slot *take_slot(Dispatch *self, Route *route, Py_ssize_t size, int is_fresh);

/* Sends what lies in a slot that was taken, and lets go of it. Gives None. `is_heard` spares the look for what readers
 * have said, where it came when the slot was taken. */
PyObject *deliver(Dispatch *self, PyObject *output, KnownType *known, PyObject *metadata, Py_ssize_t length, Slot *slot,
                  int is_heard);

/* Gives metadata as bytes, or NULL with `*encoded` 0 if there is none; FAILED with an exception. */
int encode_metadata(Dispatch *self, PyObject *given, PyObject **encoded);

/* Sends a message that travels in its frame. */
int post_inline(Dispatch *self, Route *route, const Letter *letter);

/* Waits for room on the way to a reader on another host that is waited for, where nothing else is in the way: DONE if
 * there may be some now. Without the lock. */
int await_room(Dispatch *self, PyObject *output);

void write_flat_record(char *record, Py_ssize_t length, Py_ssize_t size);

#endif
