/* The type `Source`: how it is made and ends, and what Python asks of it. */
#include "inbound.h"
#include "desk.h"
#include "source.h"

#include <fcntl.h>
#include <structmember.h>
#include <unistd.h>

#define MOST_TYPES 4096

static int read_inlet(Source *source, PyObject *given)
{
    unsigned short link;
    PyObject *input, *lane = NULL;
    int is_held_back, is_bounded;
    unsigned int at_once;
    if (!PyArg_ParseTuple(given, "HUppI|O!", &link, &input, &is_held_back, &is_bounded, &at_once, &InboundStateType,
                          &lane))
        return -1;
    PyObject *queue = PyDict_GetItemWithError(source->queues->by_name, input);
    if (queue == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetObject(PyExc_KeyError, input);
        return -1;
    }
    source->inlets[source->inlet_count++] = (struct inlet){
        .link = link,
        .is_open = 1,
        .is_held_back = is_held_back,
        .is_bounded = is_bounded,
        .at_once = at_once,
        .place = -1,
        .queue = (Queue *)Py_NewRef(queue),
        .lane = (InboundState *)Py_XNewRef(lane),
    };
    return 0;
}

static int read_inlets(Source *source, PyObject *inlets)
{
    source->inlets = PyMem_New(struct inlet, PyTuple_GET_SIZE(inlets) + 1);
    if (source->inlets == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(inlets); at++)
        if (read_inlet(source, PyTuple_GET_ITEM(inlets, at)) < 0)
            return -1;
    return 0;
}

static int open_source(Source *source, int descriptor, int memory, PyObject *inlets)
{
    if (read_inlets(source, inlets) < 0)
        return -1;
    if (descriptor < 0) /* on another host: what comes is handed over by `take_records` */
        return 0;
    source->ledger = ledger_new(memory, gate_bell(source->gate));
    if (source->ledger == NULL) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if (gate_add(source->gate, source, descriptor) < 0)
        return -1;
    source->descriptor = descriptor;
    source_offer_ring(source);
    return 0;
}

static PyObject *source_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"gate", "queues", "connection", "memory", "inlets", "on_frame", "frame", "wire_error", NULL};
    PyObject *gate, *queues, *connection, *inlets, *on_frame, *frame, *wire_error;
    int memory;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!OiO!OOO", names, &GateType, &gate, &QueuesType, &queues,
                                     &connection, &memory, &PyTuple_Type, &inlets, &on_frame, &frame, &wire_error))
        return NULL;
    int descriptor = connection == Py_None ? -1 : PyObject_AsFileDescriptor(connection);
    if (PyErr_Occurred())
        return NULL;
    Source *source = (Source *)type->tp_alloc(type, 0);
    if (source == NULL)
        return NULL;
    source->descriptor = source->bell = source->common = source->given = -1;
    source->gate = (Gate *)Py_NewRef(gate);
    source->queues = (Queues *)Py_NewRef(queues);
    source->connection = Py_NewRef(connection);
    source->on_frame = Py_NewRef(on_frame);
    source->frame = Py_NewRef(frame);
    source->wire_error = Py_NewRef(wire_error);
    if (open_source(source, descriptor, memory, inlets) < 0)
        Py_CLEAR(source);
    return (PyObject *)source;
}

static int source_traverse(Source *source, visitproc visit, void *arg)
{
    Py_VISIT(source->gate);
    Py_VISIT(source->queues);
    Py_VISIT(source->connection);
    Py_VISIT(source->on_frame);
    Py_VISIT(source->frame);
    Py_VISIT(source->wire_error);
    Py_VISIT(source->error);
    Py_VISIT(source->event);
    for (Py_ssize_t at = 0; at < source->inlet_count; at++)
        Py_VISIT(source->inlets[at].queue);
    return 0;
}

static void hang_up(Source *source)
{
    if (source->descriptor >= 0) {
        gate_remove(source->gate, source->descriptor);
        source_leave_ring(source);
    }
    if (source->gate != NULL)
        gate_forget_recent(source->gate, source);
    source->descriptor = -1;
    source->have = 0;
    source_drop_ready(source);
    Py_CLEAR(source->on_frame);
}

static int source_clear(Source *source)
{
    hang_up(source);
    Py_CLEAR(source->connection);
    Py_CLEAR(source->error);
    return 0;
}

static void source_dealloc(Source *source)
{
    PyObject_GC_UnTrack(source);
    source_clear(source);
    for (Py_ssize_t at = 0; at < source->inlet_count; at++) {
        Py_DECREF(source->inlets[at].queue);
        Py_XDECREF(source->inlets[at].lane);
    }
    for (uint32_t number = 0; number < source->type_room; number++)
        Py_XDECREF(source->types[number].kind);
    PyMem_Free(source->inlets);
    PyMem_Free(source->types);
    PyMem_Free(source->buffer);
    ring_close(source->ring);
    if (source->ledger != NULL)
        ledger_drop(source->ledger);
    Py_CLEAR(source->gate);
    Py_CLEAR(source->queues);
    Py_CLEAR(source->frame);
    Py_CLEAR(source->wire_error);
    Py_TYPE(source)->tp_free(source);
}

static PyObject *source_receive(Source *source, PyObject *unused)
{
    (void)unused;
    int status = source_read(source);
    if (status < 0)
        return NULL;
    if (source->error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(source->error), source->error);
        return NULL;
    }
    return PyBool_FromLong(!source->has_ended);
}

static PyObject *source_feed(Source *source, PyObject *data)
{
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "feed takes bytes");
        return NULL;
    }
    size_t size = (size_t)PyBytes_GET_SIZE(data);
    if (source->descriptor < 0)
        Py_RETURN_NONE;
    if (source->room < source->have + size) {
        uint8_t *buffer = PyMem_Realloc(source->buffer, source->have + size + CHUNK);
        if (buffer == NULL)
            return PyErr_NoMemory();
        source->buffer = buffer;
        source->room = source->have + size + CHUNK;
    }
    memcpy(source->buffer + source->have, PyBytes_AS_STRING(data), size);
    source->have += size;
    if (source_cut(source) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *source_learn(Source *source, PyObject *args)
{
    unsigned int number;
    PyObject *kind;
    int width;
    if (!PyArg_ParseTuple(args, "IOi", &number, &kind, &width))
        return NULL;
    if (!number || number > MOST_TYPES)
        Py_RETURN_NONE;
    if (number >= source->type_room) {
        uint32_t room = source->type_room ? source->type_room : 8;
        while (room <= number)
            room *= 2;
        struct type *types = PyMem_Realloc(source->types, room * sizeof *types);
        if (types == NULL)
            return PyErr_NoMemory();
        memset(types + source->type_room, 0, (room - source->type_room) * sizeof *types);
        source->types = types;
        source->type_room = room;
    }
    source_drop_ready(source); /* it may be of the type that had the number before */
    source->last.inlet = NULL;
    Py_XSETREF(source->types[number].kind, width > 0 ? Py_NewRef(kind) : NULL);
    source->types[number].width = width;
    Py_RETURN_NONE;
}

static struct inlet *named_inlet(Source *source, PyObject *given)
{
    unsigned long link = PyLong_AsUnsignedLong(given);
    if (link == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    struct inlet *inlet = link <= UINT16_MAX ? source_inlet(source, (uint16_t)link) : NULL;
    if (inlet == NULL)
        PyErr_SetObject(PyExc_KeyError, given);
    return inlet;
}

static PyObject *source_close_link(Source *source, PyObject *link)
{
    struct inlet *inlet = named_inlet(source, link);
    if (inlet == NULL)
        return NULL;
    inlet->is_open = 0;
    Py_RETURN_NONE;
}

static PyObject *source_credit_method(Source *source, PyObject *link)
{
    struct inlet *inlet = named_inlet(source, link);
    if (inlet == NULL || source_credit(source, inlet) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *source_pay_method(Source *source, PyObject *unused)
{
    (void)unused;
    if (source_pay(source) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *source_give_back_method(Source *source, PyObject *unused)
{
    (void)unused;
    if (source_give_back(source) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *source_append(Source *source, PyObject *key)
{
    unsigned int segment, slot, generation;
    if (!PyArg_ParseTuple(key, "III", &segment, &slot, &generation))
        return NULL;
    if (source->ledger != NULL)
        ledger_return(source->ledger, (struct key){segment, slot, generation});
    Py_RETURN_NONE;
}

static PyObject *source_see(Source *source, PyObject *size)
{
    unsigned long long bytes = PyLong_AsUnsignedLongLong(size);
    if (bytes == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    source->seen++;
    source->seen_bytes += bytes;
    Py_RETURN_NONE;
}

static PyObject *source_leave(Source *source, PyObject *last_words)
{
    if (!PyBytes_Check(last_words) || PyBytes_GET_SIZE(last_words) != HEADER) {
        PyErr_SetString(PyExc_TypeError, "the last words are a frame without a body");
        return NULL;
    }
    if (source->descriptor < 0 || source->ledger == NULL)
        Py_RETURN_NONE;
    if (source_give_back(source) < 0
        || source_report(source, (const uint8_t *)PyBytes_AS_STRING(last_words), HEADER) < 0)
        return NULL;
    int kept = fcntl(source->descriptor, F_DUPFD_CLOEXEC, 0);
    if (kept < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    hang_up(source);
    ledger_keep(source->ledger, kept);
    ledger_drop(source->ledger);
    source->ledger = NULL;
    Py_RETURN_NONE;
}

static PyObject *source_has_news_method(Source *source, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(source_has_news(source));
}

static PyObject *source_hang_up(Source *source, PyObject *unused)
{
    (void)unused;
    hang_up(source);
    Py_RETURN_NONE;
}

static PyMethodDef source_methods[] = {
    {"receive", (PyCFunction)source_receive, METH_NOARGS, "Read what is there; False at the end. Raises WireError."},
    {"has_news", (PyCFunction)source_has_news_method, METH_NOARGS, "Tell whether something lies in the ring."},
    {"feed", (PyCFunction)source_feed, METH_O, "Take bytes that were read already. Raises WireError."},
    {"learn", (PyCFunction)source_learn, METH_VARARGS,
     "Note a type by its number, with the bytes of a value; without any its messages are left to Python."},
    {"close_link", (PyCFunction)source_close_link, METH_O, "Note that nothing more comes on a link."},
    {"credit", (PyCFunction)source_credit_method, METH_O, "Let the producer send one more message on a link."},
    {"pay", (PyCFunction)source_pay_method, METH_NOARGS, "Tell the producer of all that it is owed."},
    {"give_back", (PyCFunction)source_give_back_method, METH_NOARGS, "Send back slots, and what was seen."},
    {"take_records", (PyCFunction)source_take_records, METH_VARARGS,
     "Take in messages of a pack from a place on; gives where it stopped."},
    {"append", (PyCFunction)source_append, METH_O, "Note a slot that is no longer read, by its key."},
    {"see", (PyCFunction)source_see, METH_O, "Count a message in a slot of so many bytes."},
    {"leave", (PyCFunction)source_leave, METH_O, "Read no more; the connection lives as long as its arrays."},
    {"hang_up", (PyCFunction)source_hang_up, METH_NOARGS, "Use the descriptor no more: it is going to be closed."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef source_members[] = {
    {"clock_ns", T_LONGLONG, offsetof(Source, clock_ns), 0, "By how much the clock of its host is ahead of ours."},
    {"untold", T_PYSSIZET, offsetof(Source, untold), 0, "Bytes of packs that came since its sender was told."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject SourceType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Source",
    .tp_doc = "A producer's connection.",
    .tp_basicsize = sizeof(Source),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = source_new,
    .tp_dealloc = (destructor)source_dealloc,
    .tp_traverse = (traverseproc)source_traverse,
    .tp_clear = (inquiry)source_clear,
    .tp_methods = source_methods,
    .tp_members = source_members,
};
