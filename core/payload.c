/* A slot as bytes: what a memoryview of it lies over.
 *
 * The slot is held for as long as any view lives, also a view of a view; it goes back as that of an array does.
 */
#include "receive.h"

typedef struct {
    PyObject_HEAD
    struct parcel *parcel; /* NULL if somebody else keeps the memory */
    PyObject *owner; /* NULL if the parcel does */
    const void *start;
    Py_ssize_t size;
} Payload;

static PyObject *view_of(struct parcel *parcel, PyObject *owner, const void *start, uint64_t size)
{
    Payload *payload = PyObject_New(Payload, &PayloadType);
    if (payload == NULL) {
        if (parcel != NULL)
            parcel_free(parcel);
        return NULL;
    }
    payload->parcel = parcel;
    payload->owner = Py_XNewRef(owner);
    payload->start = start;
    payload->size = (Py_ssize_t)size;
    PyObject *view = PyMemoryView_FromObject((PyObject *)payload);
    Py_DECREF(payload);
    return view;
}

PyObject *payload_view(struct parcel *parcel, uint64_t size)
{
    return view_of(parcel, NULL, parcel->buffers[1], size);
}

PyObject *payload_view_of(PyObject *owner, const void *start, uint64_t size)
{
    return view_of(NULL, owner, start, size);
}

struct parcel *payload_reclaim(PyObject *view)
{
    Payload *payload = (Payload *)PyMemoryView_GET_BASE(view);
    struct parcel *parcel = payload->parcel;
    payload->parcel = NULL;
    return parcel;
}

static int payload_get_buffer(Payload *payload, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, (PyObject *)payload, (void *)payload->start, payload->size, 1, flags);
}

static void payload_dealloc(Payload *payload)
{
    if (payload->parcel != NULL)
        parcel_free(payload->parcel);
    Py_XDECREF(payload->owner);
    PyObject_Free(payload);
}

static PyBufferProcs payload_buffer = {.bf_getbuffer = (getbufferproc)payload_get_buffer};

PyTypeObject PayloadType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Payload",
    .tp_doc = "The bytes of a message that lie in shared memory.",
    .tp_basicsize = sizeof(Payload),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)payload_dealloc,
    .tp_as_buffer = &payload_buffer,
};
