/* Slots, and the segments that they are cut from, as Python sees them. Which are in use is the shelf's business. */
#include "send.h"

PyTypeObject *slot_type, *segment_type;

static int slot_getbuffer(Slot *self, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, (PyObject *)self, (char *)self->shelf->memory.buf + self->offset, self->size, 0,
                             flags);
}

static PyObject *slot_memory(Slot *self, void *closure)
{
    (void)closure;
    return PyMemoryView_FromObject((PyObject *)self);
}

static PyObject *slot_name(Slot *self, void *closure)
{
    (void)closure;
    static PyObject *name_class;
    if (name_class == NULL) {
        PyObject *wire = PyImport_ImportModule("doraflow_runtime.shm.wire");
        name_class = wire == NULL ? NULL : PyObject_GetAttrString(wire, "SlotName");
        Py_XDECREF(wire);
        if (name_class == NULL)
            return NULL;
    }
    return PyObject_CallFunction(name_class, "IIInn", self->key.segment, self->key.slot, self->key.generation,
                                 self->offset, self->size);
}

static int slot_traverse(Slot *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->shelf);
    Py_VISIT(self->segment);
    return 0;
}

static int slot_clear(Slot *self)
{
    (void)self; /* the memory must not go before the last view of it; a cycle through a slot is broken elsewhere */
    return 0;
}

static void slot_dealloc(Slot *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(self->segment);
    Py_XDECREF(self->shelf);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyGetSetDef slot_properties[] = {
    {"memory", (getter)slot_memory, NULL, "The memory, writable.", NULL},
    {"name", (getter)slot_name, NULL, "Its name for others.", NULL},
    {0},
};

static PyMemberDef slot_members[] = {
    {"room", T_PYSSIZET, offsetof(Slot, room), READONLY, NULL},
    {"holders", T_PYSSIZET, offsetof(Slot, holders), READONLY, NULL},
    {"lent_by", T_ULONG, offsetof(Slot, lent_by), 0, NULL},
    {0},
};

static PyType_Slot slot_slots[] = {
    {Py_tp_doc, "A slot in use."},
    {Py_tp_traverse, slot_traverse},
    {Py_tp_clear, slot_clear},
    {Py_tp_dealloc, slot_dealloc},
    {Py_tp_getset, slot_properties},
    {Py_tp_members, slot_members},
    {Py_bf_getbuffer, slot_getbuffer},
    {0, NULL},
};

static PyType_Spec slot_spec = {
    "doraflow_core.Slot",
    sizeof(Slot),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    slot_slots,
};

/* ---- segments */

static int segment_traverse(Segment *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    for (uint32_t at = 0; self->in_use != NULL && at < self->count; at++)
        Py_VISIT(self->in_use[at]);
    return 0;
}

static int segment_clear(Segment *self)
{
    for (uint32_t at = 0; self->in_use != NULL && at < self->count; at++)
        Py_CLEAR(self->in_use[at]);
    return 0;
}

static void segment_dealloc(Segment *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    segment_clear(self);
    PyMem_Free(self->generations);
    PyMem_Free(self->in_use);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *segment_size(Segment *self, void *closure)
{
    (void)closure;
    return PyLong_FromSsize_t(self->slot_size * (Py_ssize_t)self->count);
}

static PyGetSetDef segment_properties[] = {
    {"size", (getter)segment_size, NULL, "Its bytes.", NULL},
    {0},
};

static PyMemberDef segment_members[] = {
    {"number", T_UINT, offsetof(Segment, number), READONLY, NULL},
    {"slot_size", T_PYSSIZET, offsetof(Segment, slot_size), READONLY, NULL},
    {"offset", T_PYSSIZET, offsetof(Segment, offset), READONLY, NULL},
    {"used", T_PYSSIZET, offsetof(Segment, used), READONLY, NULL},
    {"last_taken", T_PYSSIZET, offsetof(Segment, last_taken), READONLY, NULL},
    {0},
};

static PyType_Slot segment_slots[] = {
    {Py_tp_doc, "A piece of the shared memory, cut into slots of one size."},
    {Py_tp_traverse, segment_traverse},
    {Py_tp_clear, segment_clear},
    {Py_tp_dealloc, segment_dealloc},
    {Py_tp_getset, segment_properties},
    {Py_tp_members, segment_members},
    {0, NULL},
};

static PyType_Spec segment_spec = {
    "doraflow_core.Segment",
    sizeof(Segment),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    segment_slots,
};

Segment *segment_new(uint32_t number, Py_ssize_t slot_size, Py_ssize_t offset, uint32_t count)
{
    Segment *segment = (Segment *)segment_type->tp_alloc(segment_type, 0);
    if (segment == NULL)
        return NULL;
    segment->number = number;
    segment->count = count;
    segment->slot_size = slot_size;
    segment->offset = offset;
    segment->generations = PyMem_Calloc(count, sizeof(uint32_t));
    segment->in_use = PyMem_Calloc(count, sizeof(Slot *));
    if (segment->generations == NULL || segment->in_use == NULL) {
        Py_DECREF(segment);
        return NULL;
    }
    return segment;
}

int send_slot_exec(PyObject *module)
{
    if (send_add_type(module, &segment_type, &segment_spec) < 0)
        return -1;
    return send_add_type(module, &slot_type, &slot_spec);
}
