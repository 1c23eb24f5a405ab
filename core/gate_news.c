/* What a node deals with when it has news: descriptors, rings, ticks, and what it has to send back. */
#define _GNU_SOURCE
#include "gate.h"
#include "ring.h"

#include <unistd.h>

enum { GLANCE_NS = 6000, GLANCES = 8, MOST_MISSES = 6 };

struct bell *gate_bell(Gate *gate)
{
    return gate->bell;
}

void gate_note_lagging(Gate *gate)
{
    gate->is_lagging = 1;
}

void gate_seat(Gate *gate, Desk *desk, int descriptor)
{
    gate->desk = desk;
    gate->desk_descriptor = descriptor;
}

void gate_note_recent(Gate *gate, Source *source)
{
    gate->recent = source;
}

void gate_forget_recent(Gate *gate, const Source *source)
{
    if (gate->recent == source)
        gate->recent = NULL;
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

int gate_add_bell(Gate *gate, Source *source, int bell)
{
    if (grow(&gate->by_descriptor, &gate->descriptor_room, bell + 1) < 0) {
        PyErr_Clear();
        return -1;
    }
    /* Each ring of the bell is told once: it need not be read, and its counter never runs full. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = bell};
    if (epoll_ctl(gate->epoll, EPOLL_CTL_ADD, bell, &event) < 0)
        return -1;
    gate->by_descriptor[bell] = source;
    return 0;
}

void gate_remove_bell(Gate *gate, int bell)
{
    gate->by_descriptor[bell] = NULL;
    if (gate->is_open) /* later its number may be another file's */
        epoll_ctl(gate->epoll, EPOLL_CTL_DEL, bell, NULL);
}

/* ---- dealing with what has happened */

int gate_call(PyObject *callable)
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
    if (gate->desk != NULL && descriptor == gate->desk_descriptor)
        return desk_hear(gate->desk);
    Source *source = descriptor < gate->descriptor_room ? gate->by_descriptor[descriptor] : NULL;
    if (source == NULL)
        return handle_in_python(gate, descriptor);
    if (source_is_bell(source, descriptor))
        return 0; /* what it rings for lies in the ring */
    Py_INCREF(source);
    int status = source_read(source);
    if (status == 0)
        status = handle_in_python(gate, descriptor);
    else if (status > 0 && source_descriptor(source) >= 0)
        gate->recent = source;
    Py_DECREF(source);
    return status < 0 ? -1 : 0;
}

int gate_hear(Gate *gate)
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

static int has_news(const Gate *gate)
{
    for (Py_ssize_t at = 0; at < gate->source_count; at++)
        if (source_has_news(gate->sources[at]))
            return 1;
    return 0;
}

/* A sender that keeps up sends again sooner than a sleep takes, and need not make the call that wakes this node. */
int gate_glance(Gate *gate)
{
    if (!gate->may_glance)
        return 0;
    if (gate->passes > 0) {
        gate->passes--;
        return 0;
    }
    int found = 0;
    for (long long limit = monotonic_ns() + GLANCE_NS; !found && monotonic_ns() < limit;)
        for (int at = 0; !found && at < GLANCES; at++) {
            pause_a_little();
            found = has_news(gate);
        }
    gate->misses = found ? 0 : gate->misses < MOST_MISSES ? gate->misses + 1 : MOST_MISSES;
    gate->passes = found ? 0 : (1 << gate->misses) - 1;
    return found;
}

int gate_doze(Gate *gate)
{
    int has_news = 0;
    for (Py_ssize_t at = 0; at < gate->source_count; at++)
        has_news |= source_doze(gate->sources[at]);
    return has_news;
}

void gate_wake(Gate *gate)
{
    for (Py_ssize_t at = 0; at < gate->source_count; at++)
        source_wake(gate->sources[at]);
}

int gate_tend(Gate *gate)
{
    if (gate->is_lagging || (gate->desk != NULL && desk_owes(gate->desk, gate->queues->count == 0)))
        return gate_call(gate->tend);
    for (Py_ssize_t at = 0; at < gate->source_count; at++)
        if (source_give_back(gate->sources[at]) < 0)
            return -1;
    return 0;
}

static int is_due(Gate *gate)
{
    long long silent = gate->queues != NULL ? queues_due(gate->queues) : -1;
    return (gate->due_ns >= 0 && gate->dispatched_ns >= gate->due_ns) || (silent >= 0 && gate->dispatched_ns >= silent);
}

int gate_dispatch(Gate *gate, const struct epoll_event *events, int count)
{
    gate->rounds++;
    gate->dispatched_ns = monotonic_ns();
    for (int at = 0; at < count; at++)
        if (handle(gate, events[at].data.fd) < 0)
            return -1;
    int has_heard = gate_hear(gate);
    if (has_heard < 0 || (is_due(gate) && gate_call(gate->tick) < 0))
        return -1;
    return gate_tend(gate) < 0 ? -1 : has_heard;
}
