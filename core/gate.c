/* Where a node waits: its epoll, who waits on it, and `next` from the wake-up to the event in one call.
 *
 * What `next` does here is what runtime/node_api/node.py and core.py do for a running node whose inputs are open. In
 * any other case, and where another thread waits already, it gives up and lets Python do it.
 */
#define _GNU_SOURCE
#include "receive.h"

#include <errno.h>
#include <poll.h>
#include <structmember.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MOST_READY 64
#define MILLISECOND 1000000
#define SECOND 1000000000

struct gate {
    PyObject_HEAD
    struct bell *bell;
    int epoll;
    long long spin_ns, fresh_ns;
    PyObject *lock, *notify, *handle, *tick, *tend;
    Queues *queues;
    Source **sources, **by_descriptor, *recent; /* borrowed: each takes itself out */
    Py_ssize_t source_count, source_room, descriptor_room;
    long long rounds, dispatched_ns, due_ns, waiting;
    char is_open, is_running, is_lagging;
};

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * SECOND + now.tv_nsec;
}

struct bell *gate_bell(Gate *gate)
{
    return gate->bell;
}

void gate_note_lagging(Gate *gate)
{
    gate->is_lagging = 1;
}

static int grow(Source ***table, Py_ssize_t *room, Py_ssize_t needed)
{
    if (needed <= *room)
        return 0;
    Py_ssize_t larger = 2 * needed;
    Source **made = PyMem_Realloc(*table, (size_t)larger * sizeof *made);
    if (made == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = *room; at < larger; at++)
        made[at] = NULL;
    *table = made;
    *room = larger;
    return 0;
}

int gate_add(Gate *gate, Source *source, int descriptor)
{
    if (grow(&gate->sources, &gate->source_room, gate->source_count + 1) < 0
        || grow(&gate->by_descriptor, &gate->descriptor_room, descriptor + 1) < 0)
        return -1;
    gate->sources[gate->source_count++] = source;
    gate->by_descriptor[descriptor] = source;
    return 0;
}

void gate_remove(Gate *gate, int descriptor)
{
    Source *source = gate->by_descriptor[descriptor];
    gate->by_descriptor[descriptor] = NULL;
    if (gate->recent == source)
        gate->recent = NULL;
    for (Py_ssize_t at = 0; at < gate->source_count; at++) {
        if (gate->sources[at] == source) {
            gate->sources[at] = gate->sources[--gate->source_count];
            return;
        }
    }
}

/* ---- dealing with what has happened */

static int call(PyObject *callable)
{
    PyObject *done = PyObject_CallNoArgs(callable);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

static int handle_in_python(Gate *gate, int descriptor)
{
    PyObject *ready = Py_BuildValue("[i]", descriptor);
    PyObject *done = ready != NULL ? PyObject_CallOneArg(gate->handle, ready) : NULL;
    Py_XDECREF(ready);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

static int handle(Gate *gate, int descriptor)
{
    if (descriptor == gate->bell->descriptor) {
        uint64_t rung;
        ssize_t got = read(descriptor, &rung, sizeof rung);
        (void)got;
        return 0;
    }
    Source *source = descriptor < gate->descriptor_room ? gate->by_descriptor[descriptor] : NULL;
    if (source == NULL)
        return handle_in_python(gate, descriptor);
    Py_INCREF(source);
    int status = source_read(source);
    if (status == 0)
        status = handle_in_python(gate, descriptor);
    else if (status > 0 && source_descriptor(source) >= 0)
        gate->recent = source;
    Py_DECREF(source);
    return status < 0 ? -1 : 0;
}

/* Takes in what lies in the rings of producers: whether something did. */
static int hear(Gate *gate)
{
    int has_news = 0;
    for (Py_ssize_t at = 0; at < gate->source_count; at++) {
        Source *source = gate->sources[at];
        if (!source_has_news(source))
            continue;
        has_news = 1;
        int descriptor = source_descriptor(source);
        Py_INCREF(source);
        int status = source_hear(source);
        if (status == 0)
            status = handle_in_python(gate, descriptor);
        else if (status > 0 && source_descriptor(source) >= 0)
            gate->recent = source;
        Py_DECREF(source);
        if (status < 0)
            return -1;
    }
    return has_news;
}

/* Asks the producers to wake this node; whether something came before they could know. */
static int doze(Gate *gate)
{
    int has_news = 0;
    for (Py_ssize_t at = 0; at < gate->source_count; at++)
        has_news |= source_doze(gate->sources[at]);
    return has_news;
}

static void wake(Gate *gate)
{
    for (Py_ssize_t at = 0; at < gate->source_count; at++)
        source_wake(gate->sources[at]);
}

/* Sends what waits, as `Core._tend`: slots and, in Python, what somebody had no room for. */
static int tend(Gate *gate)
{
    if (gate->is_lagging)
        return call(gate->tend);
    for (Py_ssize_t at = 0; at < gate->source_count; at++)
        if (source_give_back(gate->sources[at]) < 0)
            return -1;
    return 0;
}

/* Deals with news: whether something was heard that no event tells of. */
static int dispatch(Gate *gate, const struct epoll_event *events, int count)
{
    gate->rounds++;
    gate->dispatched_ns = now_ns();
    for (int at = 0; at < count; at++)
        if (handle(gate, events[at].data.fd) < 0)
            return -1;
    int has_heard = hear(gate);
    if (has_heard < 0 || (gate->due_ns >= 0 && gate->dispatched_ns >= gate->due_ns && call(gate->tick) < 0))
        return -1;
    return tend(gate) < 0 ? -1 : has_heard;
}

/* ---- waiting */

/* Waits without the interpreter's lock; may come back up to a millisecond early, as epoll counts in whole ones. */
static int wait_ready(Gate *gate, struct epoll_event *events, long long timeout)
{
    if (gate->spin_ns && timeout) {
        long long now = now_ns(), end = now + (timeout > 0 && timeout < gate->spin_ns ? timeout : gate->spin_ns);
        int count;
        while ((count = epoll_wait(gate->epoll, events, MOST_READY, 0)) == 0 && now < end)
            now = now_ns();
        if (count)
            return count;
        if (timeout > 0)
            timeout = timeout > gate->spin_ns ? timeout - gate->spin_ns : 0;
    }
    if (timeout < 0)
        return epoll_wait(gate->epoll, events, MOST_READY, -1);
    if (timeout > 0 && timeout < MILLISECOND) {
        struct pollfd one = {.fd = gate->epoll, .events = POLLIN};
        struct timespec span = {.tv_nsec = timeout};
        if (ppoll(&one, 1, &span, NULL) < 0)
            return -1;
        timeout = 0;
    }
    long long whole = timeout / MILLISECOND;
    return epoll_wait(gate->epoll, events, MOST_READY, whole < INT32_MAX ? (int)whole : INT32_MAX);
}

/* Gives the node's lock back; an exception that is on its way stays. */
static void release(Gate *gate)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (lock_release(gate->lock) < 0)
        PyErr_WriteUnraisable(gate->lock);
    PyErr_Restore(type, value, trace);
}

static int settle(Gate *gate)
{
    for (Py_ssize_t at = 0; at < gate->source_count; at++)
        if (source_pay(gate->sources[at]) < 0)
            return -1;
    if (tend(gate) < 0)
        return -1;
    return gate->recent != NULL ? source_prepare(gate->recent) : 0;
}

static int look(Gate *gate)
{
    struct epoll_event events[MOST_READY];
    int count = epoll_wait(gate->epoll, events, MOST_READY, 0);
    int has_heard = dispatch(gate, events, count);
    if (has_heard < 0)
        return -1;
    if (count > 0 || has_heard) {
        bell_ring(gate->bell);
        if (gate->waiting)
            return call(gate->notify);
    }
    return 0;
}

/* Waits for news and deals with it. Comes and goes with the node's lock held, also on failure. */
static int wait_for_news(Gate *gate, long long deadline)
{
    struct epoll_event events[MOST_READY];
    if (settle(gate) < 0)
        return -1;
    long long until = deadline;
    if (gate->due_ns >= 0 && (until < 0 || gate->due_ns < until))
        until = gate->due_ns;
    long long timeout = -1;
    if (until >= 0) {
        timeout = until - now_ns();
        timeout = timeout > 0 ? timeout : 0;
    }
    if (doze(gate)) {
        wake(gate);
        return look(gate);
    }
    atomic_store(&gate->bell->is_claimed, 1);
    release(gate);
    int count, error;
    Py_BEGIN_ALLOW_THREADS
    count = wait_ready(gate, events, timeout);
    error = errno;
    Py_END_ALLOW_THREADS
    lock_acquire(gate->lock);
    atomic_store(&gate->bell->is_claimed, 0);
    wake(gate);
    if (gate->waiting && call(gate->notify) < 0)
        return -1;
    if (!gate->is_open)
        return 0;
    if (count < 0 && error == EINTR && PyErr_CheckSignals() < 0)
        return -1;
    return dispatch(gate, events, count) < 0 ? -1 : 0;
}

static int is_fresh(Gate *gate)
{
    return now_ns() - gate->dispatched_ns < gate->fresh_ns;
}

/* With the node's lock held: an event, NULL with an exception, or NULL with the reason in `outcome`. */
enum outcome { FAILED, TIME_IS_OVER, LEFT_TO_PYTHON };

static PyObject *next_locked(Gate *gate, int has_timeout, long long deadline, enum outcome *outcome)
{
    *outcome = FAILED;
    int is_new = 1;
    while (gate->is_open && gate->is_running) {
        if (gate->queues->count) {
            if (is_new && !is_fresh(gate)) {
                is_new = 0;
                if (look(gate) < 0)
                    return NULL;
                continue;
            }
            PyObject *event = queues_take_event(gate->queues);
            if (event != NULL || PyErr_Occurred())
                return event;
        } else if (is_new && has_timeout) {
            is_new = 0;
            if (look(gate) < 0)
                return NULL;
            continue;
        }
        is_new = 0;
        if (queues_are_ebbing(gate->queues) || atomic_load(&gate->bell->is_claimed))
            break;
        int has_heard = is_fresh(gate) ? hear(gate) : 0;
        if (has_heard < 0)
            return NULL;
        if (has_heard) {
            gate->rounds++;
            continue;
        }
        if (has_timeout && now_ns() >= deadline) {
            *outcome = TIME_IS_OVER;
            return NULL;
        }
        if (wait_for_news(gate, has_timeout ? deadline : -1) < 0)
            return NULL;
    }
    *outcome = LEFT_TO_PYTHON;
    return NULL;
}

static PyObject *next_event(Gate *gate, int has_timeout, long long deadline, enum outcome *outcome)
{
    *outcome = LEFT_TO_PYTHON;
    if (gate->queues == NULL || gate->lock == NULL)
        return NULL;
    lock_acquire(gate->lock);
    PyObject *event = next_locked(gate, has_timeout, deadline, outcome);
    release(gate);
    return event;
}

/* ---- the type */

static PyObject *gate_stream(Gate *gate, PyObject *node);

static PyObject *gate_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"epoll", "spin_ns", NULL};
    int epoll;
    long long spin_ns;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iL", names, &epoll, &spin_ns))
        return NULL;
    Gate *gate = (Gate *)type->tp_alloc(type, 0);
    if (gate == NULL)
        return NULL;
    gate->bell = bell_new();
    if (gate->bell == NULL) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(gate);
        return NULL;
    }
    gate->epoll = epoll;
    gate->spin_ns = spin_ns;
    gate->due_ns = -1;
    gate->is_open = 1;
    return (PyObject *)gate;
}

static int gate_traverse(Gate *gate, visitproc visit, void *arg)
{
    Py_VISIT(gate->notify);
    Py_VISIT(gate->handle);
    Py_VISIT(gate->tick);
    Py_VISIT(gate->tend);
    Py_VISIT(gate->queues);
    return 0;
}

static int gate_clear(Gate *gate)
{
    Py_CLEAR(gate->lock);
    Py_CLEAR(gate->notify);
    Py_CLEAR(gate->handle);
    Py_CLEAR(gate->tick);
    Py_CLEAR(gate->tend);
    Py_CLEAR(gate->queues);
    return 0;
}

static void gate_dealloc(Gate *gate)
{
    PyObject_GC_UnTrack(gate);
    gate_clear(gate);
    PyMem_Free(gate->sources);
    PyMem_Free(gate->by_descriptor);
    if (gate->bell != NULL)
        bell_drop(gate->bell);
    Py_TYPE(gate)->tp_free(gate);
}

static PyObject *gate_attach(Gate *gate, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"lock", "queues", "fresh_ns", "notify", "handle", "tick", "tend", NULL};
    PyObject *lock, *queues, *notify, *handling, *tick, *tending;
    long long fresh_ns;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!LOOOO", names, &LockType, &lock, &QueuesType, &queues, &fresh_ns, &notify,
                                     &handling, &tick, &tending))
        return NULL;
    Py_XSETREF(gate->lock, Py_NewRef(lock));
    Py_XSETREF(gate->notify, Py_NewRef(notify));
    Py_XSETREF(gate->handle, Py_NewRef(handling));
    Py_XSETREF(gate->tick, Py_NewRef(tick));
    Py_XSETREF(gate->tend, Py_NewRef(tending));
    Py_XSETREF(gate->queues, (Queues *)Py_NewRef(queues));
    gate->fresh_ns = fresh_ns;
    Py_RETURN_NONE;
}

static PyObject *gate_next(Gate *gate, PyObject *timeout)
{
    double seconds = Py_HUGE_VAL;
    int has_timeout = timeout != Py_None;
    if (has_timeout) {
        seconds = PyFloat_AsDouble(timeout);
        if (seconds == -1.0 && PyErr_Occurred())
            return NULL;
        has_timeout = seconds < 1e9; /* longer is for ever */
    }
    long long deadline = has_timeout ? now_ns() + (seconds > 0 ? (long long)(seconds * SECOND) : 0) : -1;
    enum outcome outcome;
    PyObject *event = next_event(gate, has_timeout, deadline, &outcome);
    if (event != NULL || outcome == FAILED)
        return event;
    if (outcome == TIME_IS_OVER)
        Py_RETURN_NONE;
    if (!has_timeout)
        return PyFloat_FromDouble(Py_HUGE_VAL);
    double left = (double)(deadline - now_ns()) / SECOND;
    return PyFloat_FromDouble(left > 0 ? left : 0.0);
}

static PyObject *gate_fileno(Gate *gate, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(gate->bell->descriptor);
}

static PyObject *gate_ring(Gate *gate, PyObject *unused)
{
    (void)unused;
    bell_ring(gate->bell);
    Py_RETURN_NONE;
}

static PyObject *gate_hush(Gate *gate, PyObject *unused)
{
    (void)unused;
    uint64_t rung;
    ssize_t got = read(gate->bell->descriptor, &rung, sizeof rung);
    (void)got;
    Py_RETURN_NONE;
}

static PyObject *gate_get_claimed(Gate *gate, void *unused)
{
    (void)unused;
    return PyBool_FromLong(atomic_load(&gate->bell->is_claimed));
}

static int gate_set_claimed(Gate *gate, PyObject *value, void *unused)
{
    (void)unused;
    int is_claimed = value != NULL ? PyObject_IsTrue(value) : -1;
    if (is_claimed < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_AttributeError, "is_claimed cannot be deleted");
        return -1;
    }
    atomic_store(&gate->bell->is_claimed, is_claimed);
    if (!is_claimed)
        wake(gate);
    else if (doze(gate))
        bell_ring(gate->bell);
    return 0;
}

static PyMethodDef gate_methods[] = {
    {"attach", (PyCFunction)(void (*)(void))gate_attach, METH_VARARGS | METH_KEYWORDS, "Name the parts of the node."},
    {"next", (PyCFunction)gate_next, METH_O, "Give an event, None when the time is over, or the seconds left to Python."},
    {"stream", (PyCFunction)gate_stream, METH_O, "Give the events of the node one after the other."},
    {"fileno", (PyCFunction)gate_fileno, METH_NOARGS, "Give the bell's descriptor."},
    {"ring", (PyCFunction)gate_ring, METH_NOARGS, "Interrupt the thread that waits, if one does."},
    {"hush", (PyCFunction)gate_hush, METH_NOARGS, "Note that the bell was heard."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef gate_members[] = {
    {"rounds", T_LONGLONG, offsetof(Gate, rounds), 0, "How often news was dealt with."},
    {"dispatched_ns", T_LONGLONG, offsetof(Gate, dispatched_ns), 0, "When that was last, by the monotonic clock."},
    {"due_ns", T_LONGLONG, offsetof(Gate, due_ns), 0, "When the next tick is due; -1 for never."},
    {"waiting", T_LONGLONG, offsetof(Gate, waiting), 0, "How many threads wait for the one that has the epoll."},
    {"is_open", T_BOOL, offsetof(Gate, is_open), 0, "Whether the node has not left the run."},
    {"is_running", T_BOOL, offsetof(Gate, is_running), 0, "Whether messages are what comes next."},
    {"is_lagging", T_BOOL, offsetof(Gate, is_lagging), 0, "Whether something waits for a peer that reads slowly."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef gate_attributes[] = {
    {"is_claimed", (getter)gate_get_claimed, (setter)gate_set_claimed, "Whether a thread waits on the epoll.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject GateType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Gate",
    .tp_doc = "Where the threads of a node wait, and what they tell each other.",
    .tp_basicsize = sizeof(Gate),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = gate_new,
    .tp_dealloc = (destructor)gate_dealloc,
    .tp_traverse = (traverseproc)gate_traverse,
    .tp_clear = (inquiry)gate_clear,
    .tp_methods = gate_methods,
    .tp_members = gate_members,
    .tp_getset = gate_attributes,
};

/* ---- iteration */

typedef struct {
    PyObject_HEAD
    PyObject *node;
    Gate *gate;
} Stream;

static PyObject *gate_stream(Gate *gate, PyObject *node)
{
    Stream *stream = (Stream *)StreamType.tp_alloc(&StreamType, 0);
    if (stream == NULL)
        return NULL;
    stream->node = Py_NewRef(node);
    stream->gate = (Gate *)Py_NewRef(gate);
    return (PyObject *)stream;
}

static PyObject *stream_next(Stream *stream)
{
    enum outcome outcome;
    PyObject *event = next_event(stream->gate, 0, -1, &outcome);
    if (event != NULL || outcome == FAILED)
        return event;
    event = PyObject_CallMethod(stream->node, "next", NULL);
    if (event == Py_None)
        Py_CLEAR(event);
    return event;
}

static int stream_traverse(Stream *stream, visitproc visit, void *arg)
{
    Py_VISIT(stream->node);
    Py_VISIT(stream->gate);
    return 0;
}

static int stream_clear(Stream *stream)
{
    Py_CLEAR(stream->node);
    return 0;
}

static void stream_dealloc(Stream *stream)
{
    PyObject_GC_UnTrack(stream);
    Py_CLEAR(stream->node);
    Py_CLEAR(stream->gate);
    Py_TYPE(stream)->tp_free(stream);
}

PyTypeObject StreamType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Stream",
    .tp_doc = "The events of a node, one after the other.",
    .tp_basicsize = sizeof(Stream),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)stream_dealloc,
    .tp_traverse = (traverseproc)stream_traverse,
    .tp_clear = (inquiry)stream_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)stream_next,
};
