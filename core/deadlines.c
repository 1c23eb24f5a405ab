/* The inputs with an `input_timeout`: the twin of runtime/node_api/deadlines.py, which says what each operation means. */
#include "receive.h"

void deadline_arm(struct deadline *deadline, long long now)
{
    deadline->due_ns = now + deadline->timeout_ns;
    deadline->is_armed = 1;
}

long long deadlines_next(const Deadlines *deadlines)
{
    long long next = -1;
    for (Py_ssize_t at = 0; at < deadlines->count; at++) {
        const struct deadline *one = &deadlines->all[at];
        if (one->is_armed && (next < 0 || one->due_ns + 1 < next))
            next = one->due_ns + 1;
    }
    return next;
}

static struct deadline *find(Deadlines *deadlines, PyObject *input)
{
    for (Py_ssize_t at = 0; at < deadlines->count; at++)
        if (PyUnicode_Compare(deadlines->all[at].input, input) == 0)
            return &deadlines->all[at];
    return NULL;
}

static int read_port(Deadlines *deadlines, PyObject *port)
{
    double timeout = -1;
    long long interval = 0;
    PyObject *seconds = PyObject_GetAttrString(port, "timeout"), *ticks = PyObject_GetAttrString(port, "interval_ns");
    if (seconds != NULL)
        timeout = PyFloat_AsDouble(seconds);
    if (ticks != NULL)
        interval = PyLong_AsLongLong(ticks);
    Py_XDECREF(seconds);
    Py_XDECREF(ticks);
    if (PyErr_Occurred())
        return -1;
    if (timeout <= 0 || interval)
        return 0;
    PyObject *input = PyObject_GetAttrString(port, "id");
    if (input == NULL)
        return -1;
    if (!PyUnicode_Check(input)) {
        Py_DECREF(input);
        PyErr_SetString(PyExc_TypeError, "an input has an id");
        return -1;
    }
    double most = (double)(INT64_MAX / 4);
    double wanted = timeout * SECOND;
    deadlines->all[deadlines->count++] =
        (struct deadline){.input = input, .timeout_ns = (long long)(wanted < most ? wanted : most)};
    return 0;
}

static PyObject *deadlines_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"inputs", NULL};
    PyObject *inputs;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O", names, &inputs))
        return NULL;
    PyObject *listed = PySequence_Fast(inputs, "inputs are a sequence");
    if (listed == NULL)
        return NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(listed);
    Deadlines *deadlines = (Deadlines *)type->tp_alloc(type, 0);
    if (deadlines != NULL) {
        deadlines->all = PyMem_New(struct deadline, count + 1);
        if (deadlines->all == NULL)
            PyErr_NoMemory();
        for (Py_ssize_t at = 0; at < count && !PyErr_Occurred(); at++)
            read_port(deadlines, PySequence_Fast_GET_ITEM(listed, at));
        if (PyErr_Occurred())
            Py_CLEAR(deadlines);
    }
    Py_DECREF(listed);
    return (PyObject *)deadlines;
}

static void deadlines_dealloc(Deadlines *deadlines)
{
    for (Py_ssize_t at = 0; at < deadlines->count; at++)
        Py_DECREF(deadlines->all[at].input);
    PyMem_Free(deadlines->all);
    Py_TYPE(deadlines)->tp_free(deadlines);
}

static PyObject *deadlines_has(Deadlines *deadlines, PyObject *input)
{
    int has = PyUnicode_Check(input) && find(deadlines, input) != NULL;
    return PyErr_Occurred() ? NULL : PyBool_FromLong(has);
}

static PyObject *deadlines_arm_method(Deadlines *deadlines, PyObject *args)
{
    PyObject *input;
    long long now;
    if (!PyArg_ParseTuple(args, "UL", &input, &now))
        return NULL;
    struct deadline *deadline = find(deadlines, input);
    if (deadline == NULL) {
        PyErr_SetObject(PyExc_KeyError, input);
        return NULL;
    }
    deadline_arm(deadline, now);
    Py_RETURN_NONE;
}

static PyObject *deadlines_disarm(Deadlines *deadlines, PyObject *input)
{
    struct deadline *deadline = PyUnicode_Check(input) ? find(deadlines, input) : NULL;
    if (deadline != NULL)
        deadline->is_armed = 0;
    Py_RETURN_NONE;
}

static PyObject *deadlines_overdue(Deadlines *deadlines, PyObject *now)
{
    long long now_ns = PyLong_AsLongLong(now);
    if (now_ns == -1 && PyErr_Occurred())
        return NULL;
    PyObject *found = PyList_New(0);
    for (Py_ssize_t at = 0; found != NULL && at < deadlines->count; at++) {
        struct deadline *one = &deadlines->all[at];
        if (!one->is_armed || now_ns <= one->due_ns)
            continue;
        one->is_armed = 0;
        if (PyList_Append(found, one->input) < 0)
            Py_CLEAR(found);
    }
    return found;
}

static PyObject *deadlines_wait_seconds(Deadlines *deadlines, PyObject *now)
{
    long long now_ns = PyLong_AsLongLong(now), next = deadlines_next(deadlines);
    if (now_ns == -1 && PyErr_Occurred())
        return NULL;
    if (next < 0)
        Py_RETURN_NONE;
    return PyFloat_FromDouble(next > now_ns ? (double)(next - now_ns) / SECOND : 0.0);
}

static PyMethodDef deadlines_methods[] = {
    {"has", (PyCFunction)deadlines_has, METH_O, "Tell whether an input has a timeout."},
    {"arm", (PyCFunction)deadlines_arm_method, METH_VARARGS, "Note that a message has come on an input."},
    {"disarm", (PyCFunction)deadlines_disarm, METH_O, "Expect nothing on an input any more."},
    {"overdue", (PyCFunction)deadlines_overdue, METH_O, "Find the inputs that were silent for too long."},
    {"wait_seconds", (PyCFunction)deadlines_wait_seconds, METH_O, "Tell how long until the next deadline."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject DeadlinesType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Deadlines",
    .tp_doc = "The armed deadlines of a node's inputs.",
    .tp_basicsize = sizeof(Deadlines),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = deadlines_new,
    .tp_dealloc = (destructor)deadlines_dealloc,
    .tp_methods = deadlines_methods,
};
