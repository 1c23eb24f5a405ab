/* Events made from payloads: what `Received.event` in runtime/node_api/incoming.py does, without a Python frame.
 *
 * An Event is a tuple and a Metadata three slots; both are filled in as their own constructors would.
 */
#include "receive.h"

#include <structmember.h>

static Py_ssize_t slot_offset(PyTypeObject *type, const char *name)
{
    PyObject *found = PyObject_GetAttrString((PyObject *)type, name);
    if (found == NULL)
        return -1;
    Py_ssize_t offset = -1;
    if (Py_IS_TYPE(found, &PyMemberDescr_Type)) {
        PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
        if (member->type == T_OBJECT_EX)
            offset = member->offset;
    }
    Py_DECREF(found);
    if (offset < 0)
        PyErr_Format(PyExc_TypeError, "%s.%s is no slot", type->tp_name, name);
    return offset;
}

static int is_tuple_type(PyObject *type)
{
    return PyType_Check(type) && PyType_IsSubtype((PyTypeObject *)type, &PyTuple_Type);
}

int maker_init(struct maker *maker, PyObject *event, PyObject *bytes_event, PyObject *metadata, PyObject *import_array)
{
    if (!is_tuple_type(event) || !is_tuple_type(bytes_event) || !PyType_Check(metadata)) {
        PyErr_SetString(PyExc_TypeError, "events are made of a named tuple and a class with slots");
        return -1;
    }
    if ((maker->sent_at = slot_offset((PyTypeObject *)metadata, "sent_ns")) < 0
        || (maker->encoded_at = slot_offset((PyTypeObject *)metadata, "_encoded")) < 0
        || (maker->parameters_at = slot_offset((PyTypeObject *)metadata, "_parameters")) < 0)
        return -1;
    Py_XSETREF(maker->address, PyLong_FromVoidPtr(&maker->array));
    Py_XSETREF(maker->input, PyUnicode_InternFromString("INPUT"));
    Py_XSETREF(maker->nothing, PyBytes_FromStringAndSize(NULL, 0));
    Py_XSETREF(maker->event, (PyTypeObject *)Py_NewRef(event));
    Py_XSETREF(maker->bytes_event, (PyTypeObject *)Py_NewRef(bytes_event));
    Py_XSETREF(maker->metadata, (PyTypeObject *)Py_NewRef(metadata));
    Py_XSETREF(maker->import_array, Py_NewRef(import_array));
    return maker->address && maker->input && maker->nothing ? 0 : -1;
}

void maker_clear(struct maker *maker)
{
    Py_CLEAR(maker->event);
    Py_CLEAR(maker->bytes_event);
    Py_CLEAR(maker->metadata);
    Py_CLEAR(maker->import_array);
    Py_CLEAR(maker->address);
    Py_CLEAR(maker->input);
    Py_CLEAR(maker->nothing);
}

int maker_traverse(struct maker *maker, visitproc visit, void *arg)
{
    Py_VISIT(maker->event);
    Py_VISIT(maker->bytes_event);
    Py_VISIT(maker->metadata);
    Py_VISIT(maker->import_array);
    return 0;
}

static PyObject *array_of(struct maker *maker, PyObject *kind, struct parcel *parcel, int64_t length)
{
    parcel_export(parcel, length, &maker->array);
    PyObject *arguments[] = {maker->address, kind};
    PyObject *array = PyObject_Vectorcall(maker->import_array, arguments, 2, NULL);
    if (maker->array.release != NULL) /* nobody took it over */
        maker->array.release(&maker->array);
    return array;
}

static void fill(PyObject *object, Py_ssize_t offset, PyObject *value)
{
    PyObject **slot = (PyObject **)((char *)object + offset);
    PyObject *before = *slot;
    *slot = value;
    Py_XDECREF(before);
}

static PyObject *metadata_of(struct maker *maker, int64_t sent_ns, PyObject *encoded)
{
    PyObject *sent = PyLong_FromLongLong(sent_ns);
    if (sent == NULL)
        return NULL;
    PyObject *metadata = maker->metadata->tp_alloc(maker->metadata, 0);
    if (metadata == NULL) {
        Py_DECREF(sent);
        return NULL;
    }
    fill(metadata, maker->sent_at, sent);
    fill(metadata, maker->encoded_at, Py_NewRef(encoded != NULL ? encoded : maker->nothing));
    fill(metadata, maker->parameters_at, Py_NewRef(Py_None));
    return metadata;
}

PyObject *maker_value(struct maker *maker, enum form form, PyObject *kind, struct parcel *parcel, int64_t length,
                      uint64_t size)
{
    if (form == AS_ARRAY)
        return array_of(maker, kind, parcel, length);
    if (parcel->ledger != NULL)
        return payload_view(parcel, size);
    PyObject *bytes = PyBytes_FromStringAndSize(parcel->buffers[1], (Py_ssize_t)size);
    parcel_free(parcel);
    return bytes;
}

/* Makes an event of a value and metadata, which it takes over, also on failure. */
static PyObject *put_together(struct maker *maker, enum form form, PyObject *id, PyObject *value, PyObject *metadata)
{
    PyTypeObject *type = form == AS_BYTES ? maker->bytes_event : maker->event;
    PyObject *event = value != NULL && metadata != NULL ? type->tp_alloc(type, 4) : NULL;
    if (event == NULL) {
        Py_XDECREF(value);
        Py_XDECREF(metadata);
        return NULL;
    }
    PyTuple_SET_ITEM(event, 0, Py_NewRef(maker->input));
    PyTuple_SET_ITEM(event, 1, Py_NewRef(id));
    PyTuple_SET_ITEM(event, 2, value);
    PyTuple_SET_ITEM(event, 3, metadata);
    return event;
}

PyObject *maker_event(struct maker *maker, enum form form, PyObject *id, PyObject *value, int64_t sent_ns,
                      PyObject *encoded)
{
    return put_together(maker, form, id, value, value != NULL ? metadata_of(maker, sent_ns, encoded) : NULL);
}

static PyObject *bytes_again(const struct entry *entry, PyObject *array)
{
    if (entry->is_slot)
        return payload_view_of(array, entry->start, entry->size);
    return PyBytes_FromStringAndSize(entry->start, (Py_ssize_t)entry->size);
}

static PyObject *array_again(struct maker *maker, struct entry *entry, PyObject *value)
{
    struct parcel *parcel = entry->is_slot ? payload_reclaim(value) : parcel_of(entry->start, entry->size);
    if (parcel == NULL)
        return PyErr_NoMemory();
    entry->start = parcel->buffers[1];
    return array_of(maker, entry->kind, parcel, entry->length);
}

PyObject *maker_recast(struct maker *maker, struct entry *entry)
{
    PyObject *id = PyTuple_GET_ITEM(entry->object, 1), *value = PyTuple_GET_ITEM(entry->object, 2);
    PyObject *metadata = Py_NewRef(PyTuple_GET_ITEM(entry->object, 3));
    if (entry->form == AS_ARRAY)
        return put_together(maker, AS_BYTES, id, bytes_again(entry, value), metadata);
    return put_together(maker, AS_ARRAY, id, array_again(maker, entry, value), metadata);
}

int maker_stamp(struct maker *maker, PyObject *event, int64_t sent_ns, PyObject *encoded)
{
    PyObject *sent = PyLong_FromLongLong(sent_ns);
    if (sent == NULL)
        return -1;
    PyObject *metadata = PyTuple_GET_ITEM(event, 3);
    fill(metadata, maker->sent_at, sent);
    if (encoded != NULL)
        fill(metadata, maker->encoded_at, Py_NewRef(encoded));
    return 0;
}
