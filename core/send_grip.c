/* What a node's calls are methods of, where they reach the core at once: whoever keeps such a call keeps the node open.
 *
 * A node is closed when its grip is gone. The node holds it, and so does each of those methods; it must not hold the
 * node in turn, or one that nobody uses any more would stay open until the garbage collector comes by.
 */
#include "send_call.h"

typedef struct {
    PyObject_HEAD
    Dispatch *dispatch;
    PyObject *observers; /* weak references */
} Grip;

static PyTypeObject *grip_type;

static PyObject *grip_new(PyTypeObject *type, PyObject *arguments, PyObject *names)
{
    (void)names;
    PyObject *dispatch;
    if (!PyArg_ParseTuple(arguments, "O!", dispatch_type, &dispatch))
        return NULL;
    Grip *grip = (Grip *)type->tp_alloc(type, 0);
    if (grip != NULL)
        grip->dispatch = (Dispatch *)Py_NewRef(dispatch);
    return (PyObject *)grip;
}

static PyObject *grip_send_output(Grip *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    return dispatch_send(self->dispatch, arguments, count, names);
}

static PyObject *grip_loan(Grip *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    return dispatch_lend(self->dispatch, arguments, count, names);
}

static int grip_traverse(Grip *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->dispatch);
    return 0;
}

static void grip_dealloc(Grip *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs((PyObject *)self);
    Py_XDECREF(self->dispatch);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef grip_methods[] = {
    {"send_output", (PyCFunction)(void (*)(void))grip_send_output, METH_FASTCALL | METH_KEYWORDS,
     "send_output($self, output_id, data, metadata=None)\n--\n\nSend data to every reader of an output."},
    {"loan", (PyCFunction)(void (*)(void))grip_loan, METH_FASTCALL | METH_KEYWORDS,
     "loan($self, output_id, size, metadata=None)\n--\n\nLend so many bytes of shared memory."},
    {0},
};

static PyMemberDef grip_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Grip, observers), READONLY, NULL},
    {0},
};

static PyType_Slot grip_slots[] = {
    {Py_tp_doc, "What keeps a node open."},
    {Py_tp_new, grip_new},
    {Py_tp_traverse, grip_traverse},
    {Py_tp_dealloc, grip_dealloc},
    {Py_tp_methods, grip_methods},
    {Py_tp_members, grip_members},
    {0, NULL},
};

static PyType_Spec grip_spec = {
    "doraflow_core.Grip", sizeof(Grip), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, grip_slots,
};

int send_grip_exec(PyObject *module)
{
    return send_add_type(module, &grip_type, &grip_spec);
}
