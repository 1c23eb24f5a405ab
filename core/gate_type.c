/* The type `Gate`: how it is made and ends, and what Python asks of it. */
#define _GNU_SOURCE
#include "gate.h"

#include <sched.h>
#include <structmember.h>
#include <unistd.h>

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
    gate->due_ns = gate->sign_due_ns = -1;
    gate->is_open = 1;
    cpu_set_t allowed;
    gate->may_glance = sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 1;
    return (PyObject *)gate;
}

static int gate_traverse(Gate *gate, visitproc visit, void *arg)
{
    Py_VISIT(gate->notify);
    Py_VISIT(gate->handle);
    Py_VISIT(gate->tick);
    Py_VISIT(gate->tend);
    Py_VISIT(gate->sign);
    Py_VISIT(gate->queues);
    Py_VISIT(gate->handed);
    Py_VISIT(gate->kept);
    return 0;
}

static int gate_clear(Gate *gate)
{
    gate_let_go(gate);
    Py_CLEAR(gate->lock);
    Py_CLEAR(gate->notify);
    Py_CLEAR(gate->handle);
    Py_CLEAR(gate->tick);
    Py_CLEAR(gate->tend);
    Py_CLEAR(gate->sign);
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
    static char *names[] = {"lock", "queues", "fresh_ns", "notify", "handle", "tick", "tend", "sign", NULL};
    PyObject *lock, *queues, *notify, *handling, *tick, *tending, *signing;
    long long fresh_ns;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!LOOOOO", names, &LockType, &lock, &QueuesType, &queues,
                                     &fresh_ns, &notify, &handling, &tick, &tending, &signing))
        return NULL;
    Py_XSETREF(gate->lock, Py_NewRef(lock));
    Py_XSETREF(gate->notify, Py_NewRef(notify));
    Py_XSETREF(gate->handle, Py_NewRef(handling));
    Py_XSETREF(gate->tick, Py_NewRef(tick));
    Py_XSETREF(gate->tend, Py_NewRef(tending));
    Py_XSETREF(gate->sign, Py_NewRef(signing));
    Py_XSETREF(gate->queues, (Queues *)Py_NewRef(queues));
    gate->fresh_ns = fresh_ns;
    Py_RETURN_NONE;
}

static PyObject *next_in(Gate *gate, enum form form, PyObject *timeout)
{
    double seconds = Py_HUGE_VAL;
    int has_timeout = timeout != Py_None;
    if (has_timeout) {
        seconds = PyFloat_AsDouble(timeout);
        if (seconds == -1.0 && PyErr_Occurred())
            return NULL;
        has_timeout = seconds < 1e9; /* longer is for ever */
    }
    long long deadline = has_timeout ? monotonic_ns() + (seconds > 0 ? (long long)(seconds * SECOND) : 0) : -1;
    enum outcome outcome;
    PyObject *event = gate_next_event(gate, form, has_timeout, deadline, &outcome);
    if (event != NULL || outcome == FAILED)
        return event;
    if (outcome == TIME_IS_OVER)
        Py_RETURN_NONE;
    if (!has_timeout)
        return PyFloat_FromDouble(Py_HUGE_VAL);
    double left = (double)(deadline - monotonic_ns()) / SECOND;
    return PyFloat_FromDouble(left > 0 ? left : 0.0);
}

static PyObject *gate_next(Gate *gate, PyObject *timeout)
{
    return next_in(gate, AS_ARRAY, timeout);
}

static PyObject *gate_next_bytes(Gate *gate, PyObject *timeout)
{
    return next_in(gate, AS_BYTES, timeout);
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
    gate_let_go(gate);
    if (!is_claimed)
        gate_wake(gate);
    else if (gate_doze(gate))
        bell_ring(gate->bell);
    return 0;
}

static PyMethodDef gate_methods[] = {
    {"attach", (PyCFunction)(void (*)(void))gate_attach, METH_VARARGS | METH_KEYWORDS, "Name the parts of the node."},
    {"next", (PyCFunction)gate_next, METH_O, "Give an event, None when the time is over, or the seconds left to Python."},
    {"next_bytes", (PyCFunction)gate_next_bytes, METH_O, "The same, with bytes as values."},
    {"stream", (PyCFunction)gate_stream, METH_O, "Give the events of the node one after the other."},
    {"stream_bytes", (PyCFunction)gate_stream_bytes, METH_O, "The same, with bytes as values."},
    {"fileno", (PyCFunction)gate_fileno, METH_NOARGS, "Give the bell's descriptor."},
    {"ring", (PyCFunction)gate_ring, METH_NOARGS, "Interrupt the thread that waits, if one does."},
    {"hush", (PyCFunction)gate_hush, METH_NOARGS, "Note that the bell was heard."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef gate_members[] = {
    {"rounds", T_LONGLONG, offsetof(Gate, rounds), 0, "How often news was dealt with."},
    {"dispatched_ns", T_LONGLONG, offsetof(Gate, dispatched_ns), 0, "When that was last, by the monotonic clock."},
    {"due_ns", T_LONGLONG, offsetof(Gate, due_ns), 0, "When the next tick is due; -1 for never."},
    {"sign_due_ns", T_LONGLONG, offsetof(Gate, sign_due_ns), 0, "When the next sign of life is due; -1 for never."},
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
