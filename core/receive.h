/* The types of the receiving half, as its files see each other. All of it is used with the interpreter's lock and the
 * lock of one node held. */
#ifndef DORAFLOW_CORE_RECEIVE_H
#define DORAFLOW_CORE_RECEIVE_H

#include "common.h"
#include "ledger.h"

#include <time.h>

#define MILLISECOND 1000000
#define SECOND 1000000000

static inline long long monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * SECOND + now.tv_nsec;
}

/* ---- events.c: events made from payloads */

/* What the values of events are: Arrow arrays, or bytes. */
enum form { AS_ARRAY, AS_BYTES };

struct maker {
    enum form form; /* that was asked for last: what is made in advance is made so */
    PyTypeObject *event, *bytes_event, *metadata;
    PyObject *import_array; /* pyarrow.Array._import_from_c */
    PyObject *address; /* of `array`, as a number */
    PyObject *input, *nothing; /* "INPUT" and b"" */
    Py_ssize_t sent_at, encoded_at, parameters_at; /* where the slots of a Metadata lie */
    struct ArrowArray array;
};

int maker_init(struct maker *maker, PyObject *event, PyObject *bytes_event, PyObject *metadata,
               PyObject *import_array);
void maker_clear(struct maker *maker);
int maker_traverse(struct maker *maker, visitproc visit, void *arg);
/* Makes the value of a payload of `size` bytes. Takes the parcel over, also on failure. */
PyObject *maker_value(struct maker *maker, enum form form, PyObject *kind, struct parcel *parcel, int64_t length,
                      uint64_t size);
/* Takes the value over, also on failure; gives NULL if there is none. `encoded` may be NULL for no metadata. */
PyObject *maker_event(struct maker *maker, enum form form, PyObject *id, PyObject *value, int64_t sent_ns,
                      PyObject *encoded);
/* Completes an event that was made before its message came, and that nobody has seen yet. */
int maker_stamp(struct maker *maker, PyObject *event, int64_t sent_ns, PyObject *encoded);

/* ---- payload.c: slots as bytes */

extern PyTypeObject PayloadType;

/* A read-only memoryview of a slot. Takes the parcel over, also on failure. */
PyObject *payload_view(struct parcel *parcel, uint64_t size);
/* The same of memory that `owner` keeps. */
PyObject *payload_view_of(PyObject *owner, const void *start, uint64_t size);
/* Takes the parcel out of a view that `payload_view` has made and nobody has seen. */
struct parcel *payload_reclaim(PyObject *view);

/* ---- deadlines.c: inputs that may not be silent for long */

struct deadline {
    PyObject *input;
    long long timeout_ns, due_ns;
    int is_armed;
};

typedef struct {
    PyObject_HEAD
    Py_ssize_t count;
    struct deadline *all;
} Deadlines;

extern PyTypeObject DeadlinesType;

/* Notes that a message has come. */
void deadline_arm(struct deadline *deadline, long long now);
/* When the first input will have been silent for too long; -1 for never. */
long long deadlines_next(const Deadlines *deadlines);

/* ---- queue*.c: what waits */

typedef struct source Source;
typedef struct queue Queue;

/* A link that ends at this node; see `Inlet` in runtime/node_api/incoming.py. */
struct inlet {
    uint16_t link;
    int is_open, is_held_back, is_bounded;
    uint32_t at_once, owed;
    int place; /* of its credits in the head of the ring; -1 for none */
    uint64_t credited; /* in all, where they stand there */
    Queue *queue; /* owned */
    struct inbound_state *lane; /* owned; NULL for a link within the host */
};

enum content { OBJECT, PARCEL, BYTES, EVENT };

/* Something that waits: an object of Python's, a payload, or an event that was made in advance. */
struct entry {
    enum content content;
    PyObject *object; /* the object, the metadata or NULL, or the event */
    enum form form; /* of the event */
    int is_slot; /* whether the payload lies in one */
    struct parcel *parcel; /* of a payload, unless it is `bytes` or an event has it */
    PyObject *bytes;
    PyObject *kind; /* the payload's Arrow type */
    const void *start; /* of the payload */
    int64_t length, sent_ns;
    uint64_t size; /* of the payload, in bytes */
    Source *source; /* NULL for an object */
    struct inlet *inlet;
};

/* Lets go of what an entry owns. */
void entry_drop(struct entry *entry);
/* The event that was made in advance, in the other form; its values may lie elsewhere then. */
PyObject *maker_recast(struct maker *maker, struct entry *entry);

enum input_state { IS_OPEN, IS_BROKEN, IS_DRAINING, IS_CLOSED };

/* Delays in buckets of equal ratio, as runtime/delays.py counts them. */
#define DELAY_BUCKETS 132

struct queue {
    PyObject_HEAD
    PyObject *id;
    Py_ssize_t size, carried;
    int may_drop, is_timer;
    enum input_state state;
    Py_ssize_t dropped, gone;
    struct deadline *deadline; /* of `Queues.deadlines`; NULL for an input that may be silent */
    uint64_t taken, taken_bytes; /* of what the core itself has handed out */
    uint64_t delays[DELAY_BUCKETS];
    struct entry *entries;
    Py_ssize_t first, count, room;
};

typedef struct {
    PyObject_HEAD
    PyObject *by_name; /* of Queue, in the order of the inputs */
    PyObject *discard, *recovered;
    PyObject *render[2]; /* makes events of objects, for each form */
    Deadlines *deadlines; /* NULL if no input has one */
    Queue *notices; /* not by name; owned */
    Queue **order;
    Py_ssize_t order_first, order_count, order_room;
    Py_ssize_t count;
    int timers_are_clocks;
    struct received last; /* of the event that was taken last */
    struct maker maker;
} Queues;

extern PyTypeObject QueuesType, QueueType;

/* Whether as many entries wait as there are places, beside those of an earlier sender. */
int queue_is_full(const Queue *queue);
/* Takes over what the entry owns, also on failure. */
int queues_put(Queues *queues, Queue *queue, struct entry entry, int flush);
/* Notes that a message has come in: a silent input recovers. -1 with an exception. */
int queues_note_fed(Queues *queues, Queue *queue);
/* When the first input will have been silent for too long; -1 for never. */
long long queues_due(const Queues *queues);
/* NULL without an exception if nothing waits. */
PyObject *queues_take_event(Queues *queues, enum form form);
/* Whether an input may have to be told as closed, or all have. */
int queues_are_ebbing(Queues *queues);

/* ---- source*.c: a producer */

typedef struct gate Gate;
extern PyTypeObject SourceType;

int source_descriptor(Source *source);
/* The descriptor by which the producer wakes this node; -1 without one. */
int source_is_bell(Source *source, int descriptor);
/* Reads what is there: 1 if all went well, 0 if `receive` has something to tell of, -1 with an exception. */
int source_read(Source *source);
/* The same for what lies in the ring alone. */
int source_hear(Source *source);
int source_has_news(Source *source);
/* Asks the producer to wake this node by the connection; whether something came before it could know. */
int source_doze(Source *source);
void source_wake(Source *source);
/* Makes ready where messages will come. */
void source_make_ready(Source *source);
int source_credit(Source *source, struct inlet *inlet);
int source_pay(Source *source);
int source_give_back(Source *source);
/* Makes the event of a message like the last one, as far as that can be done before it is there. */
int source_prepare(Source *source);
Gate *source_gate(Source *source);
/* By how much the clock of the producer's host is ahead of ours, in nanoseconds. */
int64_t source_clock(Source *source);

/* ---- gate*.c: waiting */

extern PyTypeObject GateType, StreamType;

struct bell *gate_bell(Gate *gate);
int gate_add(Gate *gate, Source *source, int descriptor);
void gate_remove(Gate *gate, int descriptor);
/* Wakes the node also when this rings. -1 if that cannot be. */
int gate_add_bell(Gate *gate, Source *source, int bell);
void gate_remove_bell(Gate *gate, int bell);
void gate_note_lagging(Gate *gate);

#endif
