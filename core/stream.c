/* The events of a node one after the other: what `for event in node` and `node.iter_bytes` go through. */
#include "gate.h"

typedef struct {
    PyObject_HEAD
    PyObject *node;
    Gate *gate;
    enum form form;
} Stream;

static PyObject *stream_new(Gate *gate, PyObject *node, enum form form)
{
    Stream *stream = (Stream *)StreamType.tp_alloc(&StreamType, 0);
    if (stream == NULL)
        return NULL;
    stream->node = Py_NewRef(node);
    stream->gate = (Gate *)Py_NewRef(gate);
    stream->form = form;
    return (PyObject *)stream;
}

PyObject *gate_stream(Gate *gate, PyObject *node)
{
    return stream_new(gate, node, AS_ARRAY);
}

PyObject *gate_stream_bytes(Gate *gate, PyObject *node)
{
    return stream_new(gate, node, AS_BYTES);
}

static PyObject *stream_next(Stream *stream)
{
    enum outcome outcome;
    PyObject *event = gate_next_event(stream->gate, stream->form, 0, -1, &outcome);
    if (event != NULL || outcome == FAILED)
        return event;
    event = PyObject_CallMethod(stream->node, stream->form == AS_BYTES ? "next_bytes" : "next", NULL);
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
