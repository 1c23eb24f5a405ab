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

int maker_init(struct maker *maker, PyObject *event, PyObject *metadata, PyObject *import_array)
{
    if (!PyType_Check(event) || !PyType_IsSubtype((PyTypeObject *)event, &PyTuple_Type) || !PyType_Check(metadata)) {
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
    Py_XSETREF(maker->metadata, (PyTypeObject *)Py_NewRef(metadata));
    Py_XSETREF(maker->import_array, Py_NewRef(import_array));
    return maker->address && maker->input && maker->nothing ? 0 : -1;
}

void maker_clear(struct maker *maker)
{
    Py_CLEAR(maker->event);
    Py_CLEAR(maker->metadata);
    Py_CLEAR(maker->import_array);
    Py_CLEAR(maker->address);
    Py_CLEAR(maker->input);
    Py_CLEAR(maker->nothing);
}

int maker_traverse(struct maker *maker, visitproc visit, void *arg)
{
    Py_VISIT(maker->event);
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

PyObject *maker_event(struct maker *maker, PyObject *id, PyObject *kind, struct parcel *parcel, int64_t length,
                      int64_t sent_ns, PyObject *encoded)
{
    PyObject *array = array_of(maker, kind, parcel, length);
    if (array == NULL)
        return NULL;
    PyObject *metadata = metadata_of(maker, sent_ns, encoded);
    PyObject *event = metadata != NULL ? maker->event->tp_alloc(maker->event, 4) : NULL;
    if (event == NULL) {
        Py_DECREF(array);
        Py_XDECREF(metadata);
        return NULL;
    }
    PyTuple_SET_ITEM(event, 0, Py_NewRef(maker->input));
    PyTuple_SET_ITEM(event, 1, Py_NewRef(id));
    PyTuple_SET_ITEM(event, 2, array);
    PyTuple_SET_ITEM(event, 3, metadata);
    return event;
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
