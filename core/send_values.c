/* The values of what is sent, read in place: of a flat Arrow array without nulls, or of anything with bytes. */
#include "send_values.h"

static PyObject *type_name, *buffers_name, *offset_name, *equals_name, *keywords;

static int name_all(void)
{
    if (keywords != NULL)
        return 0;
    type_name = PyUnicode_InternFromString("type");
    buffers_name = PyUnicode_InternFromString("buffers");
    offset_name = PyUnicode_InternFromString("offset");
    equals_name = PyUnicode_InternFromString("equals");
    if (type_name == NULL || buffers_name == NULL || offset_name == NULL || equals_name == NULL)
        return -1;
    keywords = Py_BuildValue("(s)", "check_metadata");
    return keywords == NULL ? -1 : 0;
}

static int is_same_type(PyObject *kind, KnownType *known)
{
    if (kind == known->recent || kind == known->kind)
        return 1;
    long id = known->id < 0 ? -1 : type_id(kind);
    if (id >= 0)
        return id == known->id;
    if (PyErr_Occurred())
        return -1;
    PyObject *arguments[] = {known->kind, kind, Py_True};
    PyObject *answer = PyObject_VectorcallMethod(equals_name, arguments, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, keywords);
    if (answer == NULL)
        return -1;
    int is_same = answer == Py_True;
    Py_DECREF(answer);
    if (is_same)
        Py_XSETREF(known->recent, Py_NewRef(kind));
    return is_same;
}

static Py_ssize_t offset_of(PyObject *array)
{
    PyObject *offset = PyObject_GetAttr(array, offset_name);
    Py_ssize_t number = offset == NULL ? -1 : PyLong_AsSsize_t(offset);
    Py_XDECREF(offset);
    return number;
}

/* Views the second of an array's two buffers; the first would be there if a value could be null. */
static int view_values(PyObject *array, Py_buffer *view)
{
    PyObject *buffers = PyObject_CallMethodNoArgs(array, buffers_name);
    if (buffers == NULL)
        return FAILED;
    int verdict = NOT_READY;
    if (PyList_Check(buffers) && PyList_GET_SIZE(buffers) == 2 && PyList_GET_ITEM(buffers, 0) == Py_None &&
        PyList_GET_ITEM(buffers, 1) != Py_None)
        verdict = PyObject_GetBuffer(PyList_GET_ITEM(buffers, 1), view, PyBUF_SIMPLE) < 0 ? FAILED : DONE;
    Py_DECREF(buffers);
    return verdict;
}

static int read_array(PyObject *array, KnownType *known, Values *values)
{
    PyObject *kind = PyObject_GetAttr(array, type_name);
    if (kind == NULL)
        return FAILED;
    int is_same = is_same_type(kind, known);
    Py_DECREF(kind);
    if (is_same != 1)
        return is_same < 0 ? FAILED : NOT_READY;
    Py_ssize_t length = PyObject_Size(array), offset = offset_of(array);
    if (length < 0 || offset < 0)
        return PyErr_Occurred() ? FAILED : NOT_READY;
    int verdict = view_values(array, &values->view);
    if (verdict != DONE)
        return verdict;
    values->length = length;
    values->size = length * known->width;
    values->start = (const char *)values->view.buf + offset * known->width;
    if (values->view.len / known->width - offset >= length)
        return DONE;
    PyBuffer_Release(&values->view);
    return NOT_READY;
}

static int read_bytes(PyObject *data, Values *values)
{
    if (PyObject_GetBuffer(data, &values->view, PyBUF_SIMPLE) < 0)
        return FAILED;
    values->start = values->view.buf;
    values->length = values->size = values->view.len;
    return DONE;
}

static int is_referred(PyObject *reference, PyObject *data)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *found = NULL;
    PyWeakref_GetRef(reference, &found);
    Py_XDECREF(found);
    return found == data;
#else
    return PyWeakref_GetObject(reference) == data;
#endif
}

KnownType *read_recent(const Route *route, PyObject *data, Values *values)
{
    const Recent *recent = &route->recent;
    if (recent->array == NULL || recent->seen != data || !is_referred(recent->array, data))
        return NULL;
    *values = (Values){.start = recent->start, .length = recent->length, .size = recent->size};
    return recent->known;
}

void note_recent(Route *route, PyObject *data, KnownType *known, const Values *values)
{
    Recent *recent = &route->recent;
    int is_again = recent->seen == data;
    Py_CLEAR(recent->array);
    recent->seen = data;
    if (!is_again || PyObject_CheckBuffer(data)) /* memory that others may resize while nobody holds it */
        return;
    recent->array = PyWeakref_NewRef(data, NULL);
    if (recent->array == NULL)
        PyErr_Clear(); /* what cannot be referred to is asked for each time */
    Py_XSETREF(recent->known, (KnownType *)Py_NewRef(known));
    recent->start = values->start;
    recent->length = values->length;
    recent->size = values->size;
}

KnownType *read_received(Dispatch *self, PyObject *output, PyObject *data, Values *values)
{
    struct received received;
    if (!gate_recall(self->gate, data, &received))
        return NULL;
    KnownType *known = last_type(self, output);
    Py_XINCREF(known); /* both may be replaced while Python runs */
    Py_INCREF(received.kind);
    int is_same = known != NULL && name_all() == 0 ? is_same_type(received.kind, known) : 0;
    if (PyErr_Occurred())
        PyErr_Clear(); /* the way for everything says what is wrong */
    if (is_same == 1 && known->recent != received.kind)
        Py_XSETREF(known->recent, Py_NewRef(received.kind));
    Py_DECREF(received.kind);
    if (is_same != 1) {
        Py_XDECREF(known);
        return NULL;
    }
    *values = (Values){
        .start = received.start, .length = received.length, .size = received.length * known->width};
    return known;
}

int read_values(Dispatch *self, PyObject *data, KnownType *known, Values *values)
{
    if (name_all() < 0)
        return FAILED;
    int verdict = NOT_READY;
    if (PyObject_TypeCheck(data, (PyTypeObject *)self->array_class))
        verdict = read_array(data, known, values);
    else if (PyBytes_Check(data) || PyByteArray_Check(data) || PyMemoryView_Check(data)) {
        int is_same = is_same_type(self->uint8, known);
        verdict = is_same == 1 ? read_bytes(data, values) : is_same < 0 ? FAILED : NOT_READY;
    }
    if (verdict == FAILED && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear(); /* Python says what is wrong with it */
        verdict = NOT_READY;
    }
    return verdict;
}
