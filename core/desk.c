/* A socket on which a node hears senders of other hosts: packs of messages go straight into its queues.
 *
 * Greetings, types, ends, payloads beside their record, and all that is not sound are left to Python in the order in
 * which they came (runtime/net/listening.py). Without the core Python takes in everything.
 */
#include "desk.h"
#include "zeromq.h"

enum { MOST_AT_ONCE = 256 };

struct desk {
    PyObject_HEAD
    Gate *gate; /* NULL once it was closed */
    ZeroMqSocket *socket;
    PyObject *sources; /* of connections that have greeted, by their names */
    PyObject *arrival, *take, *nudge;
};

static PyObject *part_view(Desk *desk, struct zeromq_message *message, Py_ssize_t begin, PyObject **origin)
{
    PyObject *part = part_new(desk->socket, message);
    if (part == NULL)
        return NULL;
    PyObject *view = PyMemoryView_FromObject(part);
    if (*origin == NULL)
        *origin = Py_NewRef(part);
    Py_DECREF(part);
    if (view == NULL || begin == 0)
        return view;
    PyObject *rest = PySequence_GetSlice(view, begin, PY_SSIZE_T_MAX);
    Py_DECREF(view);
    return rest;
}

/* Receives the rest of a message whose first part begins somewhere, and makes an `Arrival` of it. Takes `first` over. */
static PyObject *left_to_python(Desk *desk, PyObject *peer, struct zeromq_message *first, Py_ssize_t begin)
{
    const struct zeromq_calls *calls = &desk->socket->calls;
    PyObject *parts = PyList_New(0), *origin = NULL, *made = NULL;
    struct zeromq_message message = *first;
    int has_more, status = parts == NULL ? -1 : 0;
    do { /* to the end also after a failure, so that the next message begins where it does */
        has_more = calls->msg_more(&message);
        PyObject *view = status == 0 ? part_view(desk, &message, begin, &origin) : NULL;
        if (status < 0)
            calls->msg_close(&message);
        else if (view == NULL || PyList_Append(parts, view) < 0)
            status = -1;
        Py_XDECREF(view);
        begin = 0;
    } while (has_more && zeromq_receive(desk->socket, &message));
    if (status == 0)
        made = PyObject_CallFunctionObjArgs(desk->arrival, peer, parts, origin, NULL);
    Py_XDECREF(parts);
    Py_XDECREF(origin);
    return made;
}

/* Takes in the message whose sender was just received: NULL, without an exception if nothing of it is left. */
static PyObject *take_message(Desk *desk, PyObject *peer)
{
    struct zeromq_message message;
    if (!zeromq_receive(desk->socket, &message))
        return NULL;
    const struct zeromq_calls *calls = &desk->socket->calls;
    PyObject *source = Py_XNewRef(PyDict_GetItemWithError(desk->sources, peer));
    Py_ssize_t size = (Py_ssize_t)calls->msg_size(&message), begin = 0;
    if (source != NULL) {
        begin = source_take_pack((Source *)source, calls->msg_data(&message), size, 0);
        gate_note_recent(desk->gate, (Source *)source);
    }
    int is_done = PyErr_Occurred() || (source != NULL && begin == size && !calls->msg_more(&message));
    Py_XDECREF(source);
    if (is_done) {
        int has_more = calls->msg_more(&message); /* after a failure: what belongs to this message goes with it */
        calls->msg_close(&message);
        while (has_more && zeromq_receive(desk->socket, &message)) {
            has_more = calls->msg_more(&message);
            calls->msg_close(&message);
        }
        return NULL;
    }
    return left_to_python(desk, peer, &message, begin);
}

/* Takes in what it can of at most so many messages. Gives one that is left to Python; NULL without an exception if
 * there is none. */
static PyObject *next_arrival(Desk *desk, int *most)
{
    struct zeromq_message name;
    while (*most > 0 && desk->gate != NULL && zeromq_receive(desk->socket, &name)) {
        const struct zeromq_calls *calls = &desk->socket->calls;
        PyObject *peer = PyBytes_FromStringAndSize(calls->msg_data(&name), (Py_ssize_t)calls->msg_size(&name));
        calls->msg_close(&name);
        PyObject *arrival = peer != NULL ? take_message(desk, peer) : NULL;
        Py_XDECREF(peer);
        if (arrival != NULL || PyErr_Occurred())
            return arrival;
        --*most;
    }
    return NULL;
}

static int call_with(PyObject *callable, PyObject *argument)
{
    PyObject *done = argument != NULL ? PyObject_CallOneArg(callable, argument) : PyObject_CallNoArgs(callable);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

int desk_hear(Desk *desk)
{
    int most = MOST_AT_ONCE, status = 0;
    Py_INCREF(desk);
    while (status == 0) {
        PyObject *arrival = next_arrival(desk, &most);
        if (arrival == NULL) {
            status = PyErr_Occurred() ? -1 : 0;
            break;
        }
        most--;
        gate_note_lagging(desk->gate); /* what follows from it is told before the node waits */
        status = call_with(desk->take, arrival);
        Py_DECREF(arrival);
    }
    if (status == 0 && most <= 0)
        status = call_with(desk->nudge, NULL);
    Py_DECREF(desk);
    return status;
}

int desk_owes(const Desk *desk, int at_rest)
{
    Py_ssize_t at = 0;
    PyObject *source;
    while (PyDict_Next(desk->sources, &at, NULL, &source))
        if (source_owes_stands((Source *)source, at_rest))
            return 1;
    return 0;
}

/* ---- the type */

static PyObject *desk_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    PyObject *gate, *socket, *arrival, *take, *nudge;
    int descriptor;
    if (names != NULL && PyDict_GET_SIZE(names)) {
        PyErr_SetString(PyExc_TypeError, "Desk takes no names");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!O!iOOO", &GateType, &gate, &ZeroMqSocketType, &socket, &descriptor, &arrival, &take,
                          &nudge))
        return NULL;
    Desk *desk = (Desk *)type->tp_alloc(type, 0);
    if (desk == NULL)
        return NULL;
    desk->sources = PyDict_New();
    desk->socket = (ZeroMqSocket *)Py_NewRef(socket);
    desk->arrival = Py_NewRef(arrival);
    desk->take = Py_NewRef(take);
    desk->nudge = Py_NewRef(nudge);
    if (desk->sources == NULL) {
        Py_DECREF(desk);
        return NULL;
    }
    desk->gate = (Gate *)Py_NewRef(gate);
    gate_seat(desk->gate, desk, descriptor);
    return (PyObject *)desk;
}

static int desk_traverse(Desk *desk, visitproc visit, void *arg)
{
    Py_VISIT(desk->gate);
    Py_VISIT(desk->sources);
    Py_VISIT(desk->arrival);
    Py_VISIT(desk->take);
    Py_VISIT(desk->nudge);
    return 0;
}

static int desk_clear(Desk *desk)
{
    if (desk->gate != NULL)
        gate_seat(desk->gate, NULL, -1);
    Py_CLEAR(desk->gate);
    if (desk->sources != NULL)
        PyDict_Clear(desk->sources);
    return 0;
}

static void desk_dealloc(Desk *desk)
{
    PyObject_GC_UnTrack(desk);
    desk_clear(desk);
    Py_CLEAR(desk->sources);
    Py_CLEAR(desk->socket);
    Py_CLEAR(desk->arrival);
    Py_CLEAR(desk->take);
    Py_CLEAR(desk->nudge);
    Py_TYPE(desk)->tp_free(desk);
}

static PyObject *desk_receive(Desk *desk, PyObject *unused)
{
    (void)unused;
    int most = MOST_AT_ONCE;
    PyObject *arrival = next_arrival(desk, &most);
    if (arrival != NULL || PyErr_Occurred())
        return arrival;
    if (most <= 0 && call_with(desk->nudge, NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *desk_owes_method(Desk *desk, PyObject *at_rest)
{
    int is_at_rest = PyObject_IsTrue(at_rest);
    return is_at_rest < 0 ? NULL : PyBool_FromLong(desk_owes(desk, is_at_rest));
}

static PyObject *desk_bind(Desk *desk, PyObject *args)
{
    PyObject *peer, *source;
    if (!PyArg_ParseTuple(args, "O!O!", &PyBytes_Type, &peer, &SourceType, &source))
        return NULL;
    if (PyDict_SetItem(desk->sources, peer, source) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *desk_release(Desk *desk, PyObject *peer)
{
    Source *source = (Source *)PyDict_GetItemWithError(desk->sources, peer);
    if (source == NULL)
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    if (desk->gate != NULL)
        gate_forget_recent(desk->gate, source);
    if (PyDict_DelItem(desk->sources, peer) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *desk_close(Desk *desk, PyObject *unused)
{
    (void)unused;
    desk_clear(desk);
    Py_RETURN_NONE;
}

static PyMethodDef desk_methods[] = {
    {"receive", (PyCFunction)desk_receive, METH_NOARGS, "Take messages in; gives one that is left to Python, or None."},
    {"owes", (PyCFunction)desk_owes_method, METH_O, "Tell whether a sender has to hear how far this node is."},
    {"bind", (PyCFunction)desk_bind, METH_VARARGS, "Name the source of a connection."},
    {"release", (PyCFunction)desk_release, METH_O, "Leave what a connection says to Python."},
    {"close", (PyCFunction)desk_close, METH_NOARGS, "Use the socket no more: it is going to be closed."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject DeskType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Desk",
    .tp_doc = "Where a node hears senders of other hosts.",
    .tp_basicsize = sizeof(Desk),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = desk_new,
    .tp_dealloc = (destructor)desk_dealloc,
    .tp_traverse = (traverseproc)desk_traverse,
    .tp_clear = (inquiry)desk_clear,
    .tp_methods = desk_methods,
};
