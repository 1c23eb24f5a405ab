/* Where a node waits: `next` from the wake-up to the event in one call.
 *
 * What `next` does here is what runtime/node_api/node.py and core.py do for a running node whose inputs are open. In
 * any other case, and where another thread waits already, it gives up and lets Python do it.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <poll.h>

#define MOST_READY 64

/* Waits without the interpreter's lock; may come back up to a millisecond early, as epoll counts in whole ones. */
static int wait_ready(Gate *gate, struct epoll_event *events, long long timeout)
{
    if (gate->spin_ns && timeout) {
        long long now = monotonic_ns(), end = now + (timeout > 0 && timeout < gate->spin_ns ? timeout : gate->spin_ns);
        int count;
        while ((count = epoll_wait(gate->epoll, events, MOST_READY, 0)) == 0 && now < end)
            now = monotonic_ns();
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
    if (gate_tend(gate) < 0)
        return -1;
    if (gate->recent == NULL)
        return 0;
    source_make_ready(gate->recent);
    return source_prepare(gate->recent);
}

static int look(Gate *gate)
{
    struct epoll_event events[MOST_READY];
    int count = epoll_wait(gate->epoll, events, MOST_READY, 0);
    int has_heard = gate_dispatch(gate, events, count);
    if (has_heard < 0)
        return -1;
    if (count > 0 || has_heard) {
        bell_ring(gate->bell);
        if (gate->waiting)
            return gate_call(gate->notify);
    }
    return 0;
}

/* Shows the launcher that this node's code has come by, if that is due. */
static int show_life(Gate *gate)
{
    return gate->sign_due_ns >= 0 && monotonic_ns() >= gate->sign_due_ns ? gate_call(gate->sign) : 0;
}

static long long earlier(long long one, long long other)
{
    return one < 0 || (other >= 0 && other < one) ? other : one;
}

/* How many nanoseconds to wait for news; -1 for ever. */
static long long patience(Gate *gate, long long deadline)
{
    long long until = earlier(deadline, gate->due_ns);
    until = earlier(earlier(until, gate->sign_due_ns), queues_due(gate->queues));
    if (gate->kept != NULL)
        until = earlier(until, gate->kept_until_ns);
    if (until < 0)
        return -1;
    long long left = until - monotonic_ns();
    return left > 0 ? left : 0;
}

/* Waits for news and deals with it. Comes and goes with the node's lock held, also on failure. */
static int wait_for_news(Gate *gate, long long deadline)
{
    struct epoll_event events[MOST_READY];
    if (gate->kept != NULL && monotonic_ns() >= gate->kept_until_ns)
        gate_let_go(gate);
    atomic_store(&gate->bell->is_claimed, 1); /* first: what is let go of from here on has to ring */
    int early = settle(gate) < 0 || show_life(gate) < 0 ? -1 : gate_doze(gate);
    if (early) {
        atomic_store(&gate->bell->is_claimed, 0);
        gate_wake(gate);
        return early < 0 ? -1 : look(gate);
    }
    long long timeout = patience(gate, deadline);
    release(gate);
    int count, error;
    Py_BEGIN_ALLOW_THREADS
    count = wait_ready(gate, events, timeout);
    error = errno;
    Py_END_ALLOW_THREADS
    lock_acquire(gate->lock);
    atomic_store(&gate->bell->is_claimed, 0);
    gate_wake(gate);
    if (gate->waiting && gate_call(gate->notify) < 0)
        return -1;
    if (!gate->is_open)
        return 0;
    if (count < 0 && error == EINTR) {
        if (PyErr_CheckSignals() < 0)
            return -1;
        /* What came while this process was stopped is heard before its clocks tell of silence. */
        count = epoll_wait(gate->epoll, events, MOST_READY, 0);
    }
    return gate_dispatch(gate, events, count) < 0 ? -1 : 0;
}

static int is_fresh(Gate *gate)
{
    return monotonic_ns() - gate->dispatched_ns < gate->fresh_ns;
}

/* With the node's lock held: an event, NULL with an exception, or NULL with the reason in `outcome`. */
static PyObject *next_locked(Gate *gate, enum form form, int has_timeout, long long deadline, enum outcome *outcome)
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
            PyObject *event = queues_take_event(gate->queues, form);
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
        int has_heard = is_fresh(gate) ? gate_hear(gate) : 0;
        if (has_heard < 0)
            return NULL;
        if (has_heard) {
            gate->rounds++;
            continue;
        }
        if (has_timeout && monotonic_ns() >= deadline) {
            *outcome = TIME_IS_OVER;
            return NULL;
        }
        if (is_fresh(gate) && gate_glance(gate))
            continue;
        if (wait_for_news(gate, has_timeout ? deadline : -1) < 0)
            return NULL;
    }
    *outcome = LEFT_TO_PYTHON;
    return NULL;
}

PyObject *gate_next_event(Gate *gate, enum form form, int has_timeout, long long deadline, enum outcome *outcome)
{
    *outcome = LEFT_TO_PYTHON;
    if (gate->queues == NULL || gate->lock == NULL)
        return NULL;
    if (gate->queues->count)
        gate_let_go(gate);
    else
        gate_pass_on(gate);
    lock_acquire(gate->lock);
    *outcome = FAILED;
    gate->queues->maker.form = form;
    PyObject *event = show_life(gate) < 0 ? NULL : next_locked(gate, form, has_timeout, deadline, outcome);
    release(gate);
    if (event != NULL)
        gate_keep(gate, event);
    return event;
}
