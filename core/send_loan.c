/* Loans: memory that is written where the readers will read it. runtime/node_api/loans.py is the twin, and says what a
 * loan promises; one made here by a Dispatch needs no Python to be entered, left and sent.
 */
#include "send_loan.h"

typedef struct {
    PyObject_HEAD
    PyObject *output, *memory, *finish, *give_up; /* the last two are Python's ways, NULL in a loan made here */
    Dispatch *dispatch;
    KnownType *known;
    PyObject *metadata;
    Slot *slot;
    char is_open, is_entered;
} Loan;

static PyTypeObject *loan_type;
static PyObject *warn;

/* Fetched with the first loan: when the last one is dropped at the end of the process, nothing can be imported. */
static int fetch_warn(void)
{
    if (warn != NULL)
        return 0;
    PyObject *module = PyImport_ImportModule("doraflow_runtime.node_api.log_lines");
    warn = module == NULL ? NULL : PyObject_GetAttrString(module, "warn_of_dropped_loan");
    Py_XDECREF(module);
    return warn == NULL ? -1 : 0;
}

PyObject *loan_of_slot(Dispatch *dispatch, PyObject *output, KnownType *known, PyObject *metadata, Slot *slot)
{
    Loan *loan = fetch_warn() < 0 ? NULL : (Loan *)loan_type->tp_alloc(loan_type, 0);
    if (loan == NULL)
        return NULL;
    loan->memory = PyMemoryView_FromObject((PyObject *)slot);
    if (loan->memory == NULL) {
        Py_DECREF(loan);
        return NULL;
    }
    loan->output = Py_NewRef(output);
    loan->dispatch = (Dispatch *)Py_NewRef(dispatch);
    loan->known = (KnownType *)Py_NewRef(known);
    loan->metadata = Py_XNewRef(metadata);
    loan->slot = (Slot *)Py_NewRef(slot);
    loan->is_open = 1;
    slot->lent_by = PyThread_get_thread_ident();
    return (PyObject *)loan;
}

static int loan_init(Loan *self, PyObject *arguments, PyObject *names)
{
    static char *keywords[] = {"output", "memory", "finish", "give_up", NULL};
    PyObject *output, *memory, *finish, *give_up;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "UO!OO", keywords, &output, &PyMemoryView_Type, &memory, &finish,
                                     &give_up))
        return -1;
    if (fetch_warn() < 0)
        return -1;
    Py_XSETREF(self->output, Py_NewRef(output));
    Py_XSETREF(self->memory, Py_NewRef(memory));
    Py_XSETREF(self->finish, Py_NewRef(finish));
    Py_XSETREF(self->give_up, Py_NewRef(give_up));
    self->is_open = 1;
    return 0;
}

static PyObject *loan_enter(Loan *self, PyObject *unused)
{
    (void)unused;
    if (!self->is_open) {
        PyErr_SetString(PyExc_RuntimeError, "a loan can be used once; take another one for the next message");
        return NULL;
    }
    if (self->is_entered) {
        PyErr_Format(PyExc_RuntimeError, "this loan on `%U` is being written already; take another one beside it",
                     self->output);
        return NULL;
    }
    self->is_entered = 1;
    return Py_NewRef(self->memory);
}

/* Ends the writing through the memory; an array over it that is still there must not be written, as is said. */
static int take_memory_away(Loan *self)
{
    static PyObject *release; /* the method of the class: to look it up at each loan takes as long as to call it */
    if (release == NULL && (release = PyObject_GetAttrString((PyObject *)&PyMemoryView_Type, "release")) == NULL)
        return -1;
    PyObject *done = PyObject_CallOneArg(release, self->memory);
    if (done == NULL && !PyErr_ExceptionMatches(PyExc_BufferError))
        return -1;
    PyErr_Clear();
    Py_XDECREF(done);
    return 0;
}

static PyObject *give_up(Loan *self)
{
    if (self->give_up != NULL)
        return PyObject_CallNoArgs(self->give_up);
    lock_acquire(self->dispatch->lock);
    shelf_free(self->dispatch->pool, self->slot);
    lock_release(self->dispatch->lock);
    Py_RETURN_NONE;
}

static PyObject *finish(Loan *self)
{
    if (self->finish != NULL)
        return PyObject_CallNoArgs(self->finish);
    self->slot->lent_by = 0;
    return deliver(self->dispatch, self->output, self->known, self->metadata, self->slot->size, self->slot, 1);
}

static PyObject *loan_exit(Loan *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (!self->is_open)
        Py_RETURN_NONE;
    self->is_open = 0;
    if (take_memory_away(self) < 0)
        return NULL;
    return count > 0 && arguments[0] == Py_None ? finish(self) : give_up(self);
}

static int warn_of_dropped(Loan *self)
{
    PyObject *done = PyObject_CallOneArg(warn, self->output);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static void loan_finalize(Loan *self)
{
    if (!self->is_open)
        return;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    self->is_open = 0;
    PyObject *done = give_up(self);
    Py_XDECREF(done);
    if (done == NULL || warn_of_dropped(self) < 0)
        PyErr_WriteUnraisable((PyObject *)self);
    PyErr_Restore(type, value, trace);
}

static int loan_traverse(Loan *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->memory);
    Py_VISIT(self->finish);
    Py_VISIT(self->give_up);
    Py_VISIT(self->dispatch);
    Py_VISIT(self->known);
    Py_VISIT(self->slot);
    return 0;
}

static int loan_clear(Loan *self)
{
    Py_CLEAR(self->memory);
    Py_CLEAR(self->finish);
    Py_CLEAR(self->give_up);
    return 0;
}

static void loan_dealloc(Loan *self)
{
    if (self->is_open && PyObject_CallFinalizerFromDealloc((PyObject *)self) < 0)
        return;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    loan_clear(self);
    Py_XDECREF(self->output);
    Py_XDECREF(self->dispatch);
    Py_XDECREF(self->known);
    Py_XDECREF(self->metadata);
    Py_XDECREF(self->slot);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef loan_methods[] = {
    {"__enter__", (PyCFunction)loan_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))loan_exit, METH_FASTCALL, NULL},
    {0},
};

static PyMemberDef loan_members[] = {
    {"memory", T_OBJECT_EX, offsetof(Loan, memory), READONLY, NULL},
    {0},
};

static PyType_Slot loan_slots[] = {
    {Py_tp_doc,
     "Writable memory for one message; a context manager.\n\n"
     "Entering gives the memory, leaving sends the message, leaving by an exception gives the memory back unsent."},
    {Py_tp_init, loan_init},
    {Py_tp_finalize, loan_finalize},
    {Py_tp_traverse, loan_traverse},
    {Py_tp_clear, loan_clear},
    {Py_tp_dealloc, loan_dealloc},
    {Py_tp_methods, loan_methods},
    {Py_tp_members, loan_members},
    {0, NULL},
};

static PyType_Spec loan_spec = {
    "doraflow_core.Loan", sizeof(Loan), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, loan_slots,
};

int send_loan_exec(PyObject *module)
{
    return send_add_type(module, &loan_type, &loan_spec);
}
