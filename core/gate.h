/* What the files of the gate share: `Gate`, and its way to an event. Used by gate*.c and stream.c alone. */
#ifndef DORAFLOW_CORE_GATE_H
#define DORAFLOW_CORE_GATE_H

#include "desk.h"

#include <sys/epoll.h>

struct gate {
    PyObject_HEAD
    struct bell *bell;
    int epoll;
    long long spin_ns, fresh_ns;
    PyObject *lock, *notify, *handle, *tick, *tend, *sign;
    Queues *queues;
    PyObject *handed, *kept; /* see gate_kept.c; NULL for nothing */
    long long kept_until_ns;
    Source **sources, **by_descriptor, *recent; /* borrowed: each takes itself out */
    Desk *desk; /* borrowed: it takes itself out */
    int desk_descriptor;
    Py_ssize_t source_count, source_room, descriptor_room;
    long long rounds, dispatched_ns, due_ns, sign_due_ns, waiting;
    char is_open, is_running, is_lagging;
    char may_glance; /* whether a message can come while this process looks for it */
    int misses, passes; /* how often looking found nothing of late, and how many waits it is left out for that */
};

/* Why there is no event: an exception, the end of the time, or a case that is not dealt with here. */
enum outcome { FAILED, TIME_IS_OVER, LEFT_TO_PYTHON };

/* ---- gate.c: waiting */

/* Gives the next event, or NULL and why. `deadline` is a time of the monotonic clock. */
PyObject *gate_next_event(Gate *gate, enum form form, int has_timeout, long long deadline, enum outcome *outcome);

/* ---- gate_news.c: what has happened */

/* Deals with news: whether something was heard that no event tells of. -1 with an exception. */
int gate_dispatch(Gate *gate, const struct epoll_event *events, int count);
/* Takes in what lies in the rings of producers: whether something did. -1 with an exception. */
int gate_hear(Gate *gate);
/* Looks for messages for a moment, where that has led to something of late: whether there are any. */
int gate_glance(Gate *gate);
/* Asks the producers to wake this node; whether something came before they could know. */
int gate_doze(Gate *gate);
void gate_wake(Gate *gate);
/* Sends what waits, as `Core._tend`: slots and, in Python, what somebody had no room for. -1 with an exception. */
int gate_tend(Gate *gate);
/* Calls something of Python's that takes nothing. -1 with an exception. */
int gate_call(PyObject *callable);

/* ---- gate_kept.c: events that outlive their use */

/* Takes note of an event that is about to be handed out. */
void gate_keep(Gate *gate, PyObject *event);
/* Lets go of all that the user needs no more, and holds what is in use until the next call. */
void gate_pass_on(Gate *gate);
/* Lets go of everything. */
void gate_let_go(Gate *gate);

/* ---- stream.c: iteration */

PyObject *gate_stream(Gate *gate, PyObject *node);
PyObject *gate_stream_bytes(Gate *gate, PyObject *node);

#endif
