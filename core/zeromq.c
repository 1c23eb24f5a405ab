/* Sockets of ZeroMQ without Python: the library that pyzmq has loaded is called straight, for a socket of pyzmq's.
 *
 * Only what every message needs; a socket is made, set up and closed by pyzmq.
 */
#define _GNU_SOURCE
#include "zeromq.h"

#include <dlfcn.h>
#include <poll.h>
#include <structmember.h>

/* Numbers of zmq.h, which never change. */
enum { EVENTS = 15, READABLE = 1, DONTWAIT = 1 };

static int find(void *library, const char *name, void *into)
{
    void *found = dlsym(library, name);
    if (found == NULL) {
        PyErr_Format(PyExc_OSError, "%s is not there", name);
        return -1;
    }
    memcpy(into, &found, sizeof found);
    return 0;
}

static int find_calls(struct zeromq_calls *calls, const char *path)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD); /* kept for good, like every module of Python */
    if (library == NULL) {
        PyErr_Format(PyExc_OSError, "%s is not loaded", path);
        return -1;
    }
    const struct {
        const char *name;
        void *into;
    } wanted[] = {
        {"zmq_send", &calls->send},          {"zmq_getsockopt", &calls->getsockopt},
        {"zmq_msg_init", &calls->msg_init},  {"zmq_msg_recv", &calls->msg_recv},
        {"zmq_msg_move", &calls->msg_move},  {"zmq_msg_close", &calls->msg_close},
        {"zmq_msg_data", &calls->msg_data},  {"zmq_msg_size", &calls->msg_size},
        {"zmq_msg_more", &calls->msg_more},  {"zmq_msg_gets", &calls->msg_gets},
    };
    for (size_t at = 0; at < sizeof wanted / sizeof *wanted; at++)
        if (find(library, wanted[at].name, wanted[at].into) < 0)
            return -1;
    void *everywhere = dlsym(RTLD_DEFAULT, "zmq_send"); /* what pyzmq itself would be bound to */
    if (everywhere != NULL && everywhere != dlsym(library, "zmq_send")) {
        PyErr_SetString(PyExc_OSError, "another libzmq is loaded for all of the process");
        return -1;
    }
    return 0;
}

void zeromq_send(ZeroMqSocket *socket, const void *data, size_t size)
{
    if (socket->handle != NULL)
        socket->calls.send(socket->handle, data, size, DONTWAIT);
}

int zeromq_has_more(ZeroMqSocket *socket)
{
    int events = 0;
    size_t size = sizeof events;
    return socket->handle != NULL && socket->calls.getsockopt(socket->handle, EVENTS, &events, &size) == 0
           && events & READABLE;
}

int zeromq_stands(ZeroMqSocket *socket)
{
    struct pollfd monitor = {.fd = socket->monitor, .events = POLLIN};
    return socket->monitor >= 0 && poll(&monitor, 1, 0) == 0;
}

int zeromq_receive(ZeroMqSocket *socket, struct zeromq_message *message)
{
    if (socket->handle == NULL)
        return 0;
    socket->calls.msg_init(message);
    if (socket->calls.msg_recv(message, socket->handle, DONTWAIT) >= 0)
        return 1;
    socket->calls.msg_close(message);
    return 0;
}

static PyObject *socket_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    const char *path;
    unsigned long long handle;
    if (names != NULL && PyDict_GET_SIZE(names)) {
        PyErr_SetString(PyExc_TypeError, "ZeroMqSocket takes no names");
        return NULL;
    }
    int monitor = -1;
    if (!PyArg_ParseTuple(args, "sK|i", &path, &handle, &monitor))
        return NULL;
    ZeroMqSocket *socket = (ZeroMqSocket *)type->tp_alloc(type, 0);
    if (socket == NULL)
        return NULL;
    socket->handle = (void *)(uintptr_t)handle;
    socket->monitor = monitor;
    if (find_calls(&socket->calls, path) < 0)
        Py_CLEAR(socket);
    return (PyObject *)socket;
}

static PyObject *socket_forget(ZeroMqSocket *socket, PyObject *unused)
{
    (void)unused;
    socket->handle = NULL;
    socket->monitor = -1;
    Py_RETURN_NONE;
}

static PyMethodDef socket_methods[] = {
    {"forget", (PyCFunction)socket_forget, METH_NOARGS, "Use the socket no more: it is going to be closed."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject ZeroMqSocketType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.ZeroMqSocket",
    .tp_doc = "A socket of pyzmq's, by the path of its extension module and the socket's address.",
    .tp_basicsize = sizeof(ZeroMqSocket),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = socket_new,
    .tp_methods = socket_methods,
};

/* ---- a part that is left to Python */

typedef struct {
    PyObject_HEAD
    ZeroMqSocket *socket; /* whose library has made it */
    struct zeromq_message message;
} Part;

PyObject *part_new(ZeroMqSocket *socket, struct zeromq_message *message)
{
    Part *part = (Part *)PartType.tp_alloc(&PartType, 0);
    if (part == NULL) {
        socket->calls.msg_close(message);
        return NULL;
    }
    part->socket = (ZeroMqSocket *)Py_NewRef(socket);
    socket->calls.msg_init(&part->message);
    socket->calls.msg_move(&part->message, message);
    socket->calls.msg_close(message);
    return (PyObject *)part;
}

static void part_dealloc(Part *part)
{
    if (part->socket != NULL)
        part->socket->calls.msg_close(&part->message);
    Py_XDECREF(part->socket);
    Py_TYPE(part)->tp_free(part);
}

static int part_get_buffer(Part *part, Py_buffer *view, int flags)
{
    const struct zeromq_calls *calls = &part->socket->calls;
    return PyBuffer_FillInfo(view, (PyObject *)part, calls->msg_data(&part->message),
                             (Py_ssize_t)calls->msg_size(&part->message), 1, flags);
}

static PyObject *part_get(Part *part, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL)
        return NULL;
    const char *found = part->socket->calls.msg_gets(&part->message, text);
    return found != NULL ? PyUnicode_DecodeUTF8(found, (Py_ssize_t)strlen(found), "replace") : PyUnicode_New(0, 0);
}

static PyBufferProcs part_buffer = {.bf_getbuffer = (getbufferproc)part_get_buffer};

static PyMethodDef part_methods[] = {
    {"get", (PyCFunction)part_get, METH_O, "Give what ZeroMQ knows of the message by a name; empty if it does not."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject PartType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Part",
    .tp_doc = "The bytes of a part of a message.",
    .tp_basicsize = sizeof(Part),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)part_dealloc,
    .tp_as_buffer = &part_buffer,
    .tp_methods = part_methods,
};
