/* What the files of the queues share. Used by queue*.c alone. */
#ifndef DORAFLOW_CORE_QUEUES_H
#define DORAFLOW_CORE_QUEUES_H

#include "receive.h"

/* ---- queue.c: one queue */

/* The queue of an input as `InputWiring` describes it; NULL with an exception. */
Queue *queue_new(PyObject *wiring);
struct entry *queue_at(Queue *queue, Py_ssize_t place);
/* Takes over what the entry owns, unless it gives -1 with an exception. */
int queue_append(Queue *queue, struct entry entry);
struct entry queue_pop(Queue *queue);

/* ---- queues.c: all of them */

/* The queue whose entry arrived first, taken out of the order; NULL if nothing waits. */
Queue *queues_next(Queues *queues);
/* Drops the oldest entry of a queue, and counts it. -1 with an exception. */
int queues_drop(Queues *queues, Queue *queue);
/* Lets go of an entry that nobody reads; its sender may send one more. -1 with an exception. */
int queues_discard(Queues *queues, struct entry entry);

/* ---- queues_counts.c: what was counted */

PyObject *queues_waiting(Queues *queues, PyObject *unused);
PyObject *queues_taken(Queues *queues, PyObject *unused);
PyObject *queues_dropped(Queues *queues, PyObject *unused);

#endif
