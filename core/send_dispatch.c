/* What a node sends with: `send` and `lend` do at once what can be done at once, and call Python for the rest. */
#include "send_loan.h"
#include "send_values.h"

PyTypeObject *dispatch_type;
static PyTypeObject *route_type;

enum { QUIET_COPY = 64 * 1024 }; /* bytes from which others may run while they are copied */

/* ---- arguments */

/* Puts what was given where it belongs; 0 if it is not what `send_output` and `loan` of a node take: two, or three. */
static int bind(PyObject *const *arguments, Py_ssize_t count, PyObject *names, const char *const *parameters,
                PyObject **bound)
{
    int is_given[3] = {count > 0, count > 1, count > 2};
    if (count > 3)
        return 0;
    for (Py_ssize_t at = 0; at < count; at++)
        bound[at] = arguments[at];
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t at = 0; at < named; at++) {
        int place = 0;
        while (place < 3 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, at), parameters[place]) != 0)
            place++;
        if (place == 3 || is_given[place])
            return 0;
        is_given[place] = 1;
        bound[place] = arguments[count + at];
    }
    return is_given[0] && is_given[1];
}

/* Lets Python say what is wrong with the arguments of a node's method: it finds that before the method begins. */
static PyObject *refuse(const char *method, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    PyObject *module = PyImport_ImportModule("doraflow_runtime.node_api.node");
    PyObject *node = module == NULL ? NULL : PyObject_GetAttrString(module, "Node");
    PyObject *function = node == NULL ? NULL : PyObject_GetAttrString(node, method);
    Py_ssize_t size = count + (names == NULL ? 0 : PyTuple_GET_SIZE(names));
    PyObject **all = function == NULL ? NULL : PyMem_Calloc((size_t)size + 1, sizeof(PyObject *));
    PyObject *done = NULL;
    if (all != NULL) {
        all[0] = Py_None; /* in the place of the node */
        for (Py_ssize_t at = 0; at < size; at++)
            all[at + 1] = arguments[at];
        done = PyObject_Vectorcall(function, all, (size_t)count + 1, names);
    } else if (function != NULL) {
        PyErr_NoMemory();
    }
    PyMem_Free(all);
    Py_XDECREF(function);
    Py_XDECREF(node);
    Py_XDECREF(module);
    return done;
}

/* ---- routes */

static void route_drop(Route *self)
{
    for (Py_ssize_t at = 0; at < self->count; at++) {
        Py_CLEAR(self->targets[at].name);
        Py_CLEAR(self->targets[at].link);
        Py_CLEAR(self->targets[at].account);
        Py_CLEAR(self->targets[at].lane);
        Py_CLEAR(self->targets[at].outbox);
        Py_CLEAR(self->targets[at].far);
    }
    self->count = 0;
    Py_CLEAR(self->recent.array);
    Py_CLEAR(self->recent.known);
}

static Route *route_new(PyObject *pairs)
{
    Route *route = (Route *)route_type->tp_alloc(route_type, 0);
    PyObject *listed = route == NULL ? NULL : PySequence_Fast(pairs, "targets are a list");
    if (listed == NULL)
        goto failed;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(listed);
    route->targets = PyMem_Calloc((size_t)count + 1, sizeof(Target));
    if (route->targets == NULL) {
        PyErr_NoMemory();
        goto failed;
    }
    for (; route->count < count; route->count++) {
        Target *target = &route->targets[route->count];
        PyObject *link, *name;
        if (!PyArg_ParseTuple(PySequence_Fast_GET_ITEM(listed, route->count), "O!U", &PyLong_Type, &link, &name))
            goto failed;
        target->index = (uint16_t)PyLong_AsUnsignedLong(link);
        if (PyErr_Occurred())
            goto failed;
        target->link = Py_NewRef(link);
        target->name = Py_NewRef(name);
    }
    Py_DECREF(listed);
    return route;
failed:
    Py_XDECREF(listed);
    Py_XDECREF(route);
    return NULL;
}

static int route_traverse(Route *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t at = 0; at < self->count; at++) {
        Py_VISIT(self->targets[at].account);
        Py_VISIT(self->targets[at].lane);
        Py_VISIT(self->targets[at].outbox);
        Py_VISIT(self->targets[at].far);
    }
    Py_VISIT(self->recent.array);
    Py_VISIT(self->recent.known);
    return 0;
}

static int route_clear(Route *self)
{
    route_drop(self);
    return 0;
}

static void route_dealloc(Route *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    route_drop(self);
    PyMem_Free(self->targets);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyType_Slot route_slots[] = {
    {Py_tp_doc, "The readers of an output."},
    {Py_tp_traverse, route_traverse},
    {Py_tp_clear, route_clear},
    {Py_tp_dealloc, route_dealloc},
    {0, NULL},
};

static PyType_Spec route_spec = {
    "doraflow_core.Route",
    sizeof(Route),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    route_slots,
};

Route *route_of(Dispatch *self, PyObject *output)
{
    PyObject *route = PyUnicode_Check(output) ? PyDict_GetItemWithError(self->routes, output) : NULL;
    return (Route *)route;
}

KnownType *last_type(Dispatch *self, PyObject *output)
{
    PyObject *known = PyDict_GetItemWithError(self->last, output);
    return known != NULL && Py_IS_TYPE(known, known_type) && ((KnownType *)known)->width ? (KnownType *)known : NULL;
}

int encode_metadata(Dispatch *self, PyObject *given, PyObject **encoded)
{
    *encoded = NULL;
    int is_there = given == NULL || given == Py_None ? 0 : PyObject_IsTrue(given);
    if (is_there <= 0)
        return is_there < 0 ? FAILED : DONE;
    *encoded = PyObject_CallOneArg(self->encode, given);
    if (*encoded == NULL)
        return FAILED;
    if (PyBytes_Check(*encoded))
        return DONE;
    Py_CLEAR(*encoded);
    return NOT_READY;
}

/* ---- sending */

static int send_inline(Dispatch *self, Route *route, KnownType *known, PyObject *metadata, const Values *values)
{
    char record[FLAT_SIZE];
    write_flat_record(record, values->length, values->size);
    Letter letter = {
        .type_number = (long)known->number,
        .metadata = metadata == NULL ? NULL : PyBytes_AS_STRING(metadata),
        .metadata_size = metadata == NULL ? 0 : PyBytes_GET_SIZE(metadata),
        .record = record,
        .record_size = FLAT_SIZE,
        .content = values->start,
        .content_size = values->size,
    };
    return post_inline(self, route, &letter);
}

static void copy(char *to, const Values *values)
{
    if (values->size < QUIET_COPY) {
        memcpy(to, values->start, (size_t)values->size);
        return;
    }
    Py_BEGIN_ALLOW_THREADS
    memcpy(to, values->start, (size_t)values->size);
    Py_END_ALLOW_THREADS
}

static int send_in_slot(Dispatch *self, Route *route, PyObject *output, KnownType *known, PyObject *metadata,
                        const Values *values)
{
    if (!lock_try(self->lock))
        return NOT_READY;
    int is_heard = values->size >= QUIET_COPY;
    Slot *slot = take_slot(self, route, values->size, !is_heard);
    lock_release(self->lock);
    if (slot == NULL)
        return PyErr_Occurred() ? FAILED : NOT_READY;
    copy((char *)self->pool->memory.buf + slot->offset, values);
    PyObject *done = deliver(self, output, known, metadata, values->length, slot, is_heard);
    Py_DECREF(slot);
    Py_XDECREF(done);
    return done == NULL ? FAILED : DONE;
}

static int send_at_once(Dispatch *self, PyObject *output, PyObject *data, PyObject *given)
{
    Route *route = route_of(self, output);
    if (route == NULL || route->count == 0)
        return PyErr_Occurred() ? FAILED : NOT_READY;
    Values values;
    PyObject *metadata;
    int verdict = DONE;
    KnownType *known = read_recent(route, data, &values);
    Py_XINCREF(known);
    if (known == NULL)
        known = read_received(self, output, data, &values);
    if (known == NULL) {
        known = last_type(self, output);
        if (known == NULL)
            return PyErr_Occurred() ? FAILED : NOT_READY;
        Py_INCREF(known); /* the last type of an output may change while Python runs */
        verdict = read_values(self, data, known, &values);
        if (verdict == DONE)
            note_recent(route, data, known, &values);
    }
    if (verdict == DONE) {
        verdict = encode_metadata(self, given, &metadata);
        if (verdict == DONE)
            verdict = values.size <= (route->is_far ? LARGEST_PACKED : LARGEST_INLINE)
                          ? send_inline(self, route, known, metadata, &values)
                          : send_in_slot(self, route, output, known, metadata, &values);
        Py_XDECREF(metadata);
        PyBuffer_Release(&values.view);
    }
    Py_DECREF(known);
    return verdict;
}

PyObject *dispatch_send(Dispatch *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const parameters[] = {"output_id", "data", "metadata"};
    PyObject *bound[3] = {NULL, NULL, Py_None};
    if (!bind(arguments, count, names, parameters, bound))
        return refuse("send_output", arguments, count, names);
    int verdict = send_at_once(self, bound[0], bound[1], bound[2]);
    for (int has_room = DONE; verdict == NOT_READY && has_room == DONE;) {
        has_room = await_room(self, bound[0]);
        if (has_room == FAILED)
            return NULL;
        if (has_room == DONE)
            verdict = send_at_once(self, bound[0], bound[1], bound[2]);
    }
    if (verdict == FAILED)
        return NULL;
    if (verdict == DONE)
        Py_RETURN_NONE;
    return PyObject_CallMethod((PyObject *)self, "send_slowly", "OOO", bound[0], bound[1], bound[2]);
}

/* ---- lending */

static int lend_at_once(Dispatch *self, PyObject *output, PyObject *wanted, PyObject *given, PyObject **loan)
{
    Route *route = route_of(self, output);
    KnownType *known = route == NULL || route->count == 0 ? NULL : last_type(self, output);
    if (known == NULL || known->id != UINT8 || !PyLong_CheckExact(wanted))
        return PyErr_Occurred() ? FAILED : NOT_READY;
    Py_ssize_t size = PyLong_AsSsize_t(wanted);
    if (size < 0) {
        PyErr_Clear();
        return NOT_READY;
    }
    PyObject *metadata;
    int verdict = encode_metadata(self, given, &metadata);
    if (verdict == DONE && !lock_try(self->lock))
        verdict = NOT_READY;
    if (verdict == DONE) {
        Slot *slot = take_slot(self, route, size, 0);
        if (slot == NULL) {
            verdict = PyErr_Occurred() ? FAILED : NOT_READY;
        } else if ((*loan = loan_of_slot(self, output, known, metadata, slot)) == NULL) {
            shelf_free(self->pool, slot);
            verdict = FAILED;
        }
        Py_XDECREF(slot);
        lock_release(self->lock);
    }
    Py_XDECREF(metadata);
    return verdict;
}

PyObject *dispatch_lend(Dispatch *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const parameters[] = {"output_id", "size", "metadata"};
    PyObject *bound[3] = {NULL, NULL, Py_None}, *loan = NULL;
    if (!bind(arguments, count, names, parameters, bound))
        return refuse("loan", arguments, count, names);
    int verdict = lend_at_once(self, bound[0], bound[1], bound[2], &loan);
    if (verdict == FAILED)
        return NULL;
    if (verdict == DONE)
        return loan;
    return PyObject_CallMethod((PyObject *)self, "lend_slowly", "OOO", bound[0], bound[1], bound[2]);
}

/* ---- the type */

static PyObject *dispatch_sent(Dispatch *self, PyObject *unused)
{
    (void)unused;
    PyObject *counts = PyDict_New();
    Py_ssize_t at = 0;
    PyObject *output, *route;
    while (counts != NULL && PyDict_Next(self->routes, &at, &output, &route)) {
        PyObject *counted = Py_BuildValue("KK", ((Route *)route)->messages, ((Route *)route)->bytes);
        if (counted == NULL || PyDict_SetItem(counts, output, counted) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(counted);
    }
    return counts;
}

static int make_routes(Dispatch *self, PyObject *targets)
{
    Py_XSETREF(self->routes, PyDict_New());
    Py_ssize_t at = 0;
    PyObject *output, *pairs;
    while (self->routes != NULL && PyDict_Next(targets, &at, &output, &pairs)) {
        Route *route = route_new(pairs);
        int failed = route == NULL || PyDict_SetItem(self->routes, output, (PyObject *)route) < 0;
        Py_XDECREF(route);
        if (failed)
            return -1;
    }
    return self->routes == NULL ? -1 : 0;
}

/* Makes the routes anew and keeps what they have counted. The old ones are kept too: a call that waits for the lock or
 * runs Python's code at this moment may hold one. */
static PyObject *dispatch_reroute(Dispatch *self, PyObject *targets)
{
    if (!PyDict_Check(targets)) {
        PyErr_SetString(PyExc_TypeError, "targets are a dict");
        return NULL;
    }
    PyObject *before = Py_NewRef(self->routes);
    if (self->retired == NULL && (self->retired = PyList_New(0)) == NULL)
        goto failed;
    if (PyList_Append(self->retired, before) < 0 || make_routes(self, targets) < 0)
        goto failed;
    Py_ssize_t at = 0;
    PyObject *output, *route;
    while (PyDict_Next(self->routes, &at, &output, &route)) {
        PyObject *old = PyDict_GetItemWithError(before, output);
        if (old == NULL)
            continue;
        ((Route *)route)->messages = ((Route *)old)->messages;
        ((Route *)route)->bytes = ((Route *)old)->bytes;
    }
    Py_DECREF(before);
    Py_RETURN_NONE;
failed:
    Py_DECREF(before);
    return NULL;
}

static int dispatch_init(Dispatch *self, PyObject *arguments, PyObject *names)
{
    (void)names;
    PyObject *core, *lock, *consumers, *pool, *targets, *last, *array_class, *uint8, *encode;
    if (!PyArg_ParseTuple(arguments, "OO!O!O!O!O!O!OO", &core, &LockType, &lock, &PyDict_Type, &consumers,
                          shelf_type, &pool, &PyDict_Type, &targets, &PyDict_Type, &last, &PyType_Type, &array_class,
                          &uint8, &encode))
        return -1;
    Py_XSETREF(self->core, Py_NewRef(core));
    Py_XSETREF(self->consumers, Py_NewRef(consumers));
    Py_XSETREF(self->pool, (Shelf *)Py_NewRef(pool));
    Py_XSETREF(self->last, Py_NewRef(last));
    Py_XSETREF(self->array_class, Py_NewRef(array_class));
    Py_XSETREF(self->uint8, Py_NewRef(uint8));
    Py_XSETREF(self->encode, Py_NewRef(encode));
    Py_XSETREF(self->lock, Py_NewRef(lock));
    Py_XSETREF(self->gate, PyObject_GetAttrString(core, "gate"));
    if (self->gate == NULL)
        return -1;
    return make_routes(self, targets);
}

static int dispatch_traverse(Dispatch *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->core);
    Py_VISIT(self->gate);
    Py_VISIT(self->consumers);
    Py_VISIT(self->routes);
    Py_VISIT(self->retired);
    Py_VISIT(self->last);
    Py_VISIT(self->array_class);
    Py_VISIT(self->uint8);
    Py_VISIT(self->encode);
    Py_VISIT(self->pool);
    return 0;
}

static int dispatch_clear(Dispatch *self)
{
    Py_CLEAR(self->routes);
    Py_CLEAR(self->retired);
    return 0;
}

static void dispatch_dealloc(Dispatch *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(self->core);
    Py_XDECREF(self->gate);
    Py_XDECREF(self->lock);
    Py_XDECREF(self->consumers);
    Py_XDECREF(self->routes);
    Py_XDECREF(self->retired);
    Py_XDECREF(self->last);
    Py_XDECREF(self->array_class);
    Py_XDECREF(self->uint8);
    Py_XDECREF(self->encode);
    Py_XDECREF(self->pool);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef dispatch_methods[] = {
    {"send", (PyCFunction)(void (*)(void))dispatch_send, METH_FASTCALL | METH_KEYWORDS,
     "send($self, output_id, data, metadata=None)\n--\n\nSend data to every reader of an output."},
    {"lend", (PyCFunction)(void (*)(void))dispatch_lend, METH_FASTCALL | METH_KEYWORDS,
     "lend($self, output_id, size, metadata=None)\n--\n\nLend so many bytes of shared memory."},
    {"reroute", (PyCFunction)dispatch_reroute, METH_O, "Take note that the readers of outputs are others now."},
    {"sent", (PyCFunction)dispatch_sent, METH_NOARGS, "Count what went the shortest way: messages and bytes, by output."},
    {0},
};

static PyType_Slot dispatch_slots[] = {
    {Py_tp_doc, "What a node sends with."},
    {Py_tp_init, dispatch_init},
    {Py_tp_traverse, dispatch_traverse},
    {Py_tp_clear, dispatch_clear},
    {Py_tp_dealloc, dispatch_dealloc},
    {Py_tp_methods, dispatch_methods},
    {0, NULL},
};

static PyType_Spec dispatch_spec = {
    "doraflow_core.Dispatch",
    sizeof(Dispatch),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    dispatch_slots,
};

int send_call_exec(PyObject *module)
{
    if (route_type == NULL && (route_type = (PyTypeObject *)PyType_FromSpec(&route_spec)) == NULL)
        return -1;
    return send_add_type(module, &dispatch_type, &dispatch_spec);
}
