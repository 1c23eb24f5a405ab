/* The type `Queues`: how it is made and ends, and what Python asks of it. */
#include "queues.h"

#include <structmember.h>

#define MOST_NOTICES 1024

static PyObject *queues_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"inputs", "discard", "timers_are_clocks", NULL};
    PyObject *inputs, *discarding;
    int timers_are_clocks = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$p", names, &inputs, &discarding, &timers_are_clocks))
        return NULL;
    Queues *queues = (Queues *)type->tp_alloc(type, 0);
    if (queues == NULL)
        return NULL;
    queues->discard = Py_NewRef(discarding);
    queues->timers_are_clocks = timers_are_clocks;
    queues->by_name = PyDict_New();
    queues->notices = (Queue *)QueueType.tp_alloc(&QueueType, 0);
    if (queues->notices != NULL) {
        queues->notices->id = PyUnicode_FromString("");
        queues->notices->size = MOST_NOTICES;
        queues->notices->may_drop = 1;
    }
    PyObject *each = queues->by_name != NULL ? PyObject_GetIter(inputs) : NULL;
    PyObject *wiring;
    while (each != NULL && (wiring = PyIter_Next(each)) != NULL) {
        Queue *queue = queue_new(wiring);
        Py_DECREF(wiring);
        if (queue == NULL || PyDict_SetItem(queues->by_name, queue->id, (PyObject *)queue) < 0) {
            Py_XDECREF(queue);
            break;
        }
        Py_DECREF(queue);
    }
    Py_XDECREF(each);
    if (PyErr_Occurred())
        Py_CLEAR(queues);
    return (PyObject *)queues;
}

static int queues_traverse(Queues *queues, visitproc visit, void *arg)
{
    Py_VISIT(queues->by_name);
    Py_VISIT(queues->notices);
    Py_VISIT(queues->discard);
    Py_VISIT(queues->render[AS_ARRAY]);
    Py_VISIT(queues->render[AS_BYTES]);
    Py_VISIT(queues->recovered);
    Py_VISIT(queues->last.kind);
    return maker_traverse(&queues->maker, visit, arg);
}

static int queues_clear_references(Queues *queues)
{
    /* The queues stay: the order of arrival points at them. */
    Py_CLEAR(queues->discard);
    Py_CLEAR(queues->render[AS_ARRAY]);
    Py_CLEAR(queues->render[AS_BYTES]);
    Py_CLEAR(queues->recovered);
    maker_clear(&queues->maker);
    return 0;
}

static void queues_dealloc(Queues *queues)
{
    PyObject_GC_UnTrack(queues);
    queues_clear_references(queues);
    PyMem_Free(queues->order);
    Py_CLEAR(queues->by_name);
    Py_CLEAR(queues->last.kind);
    Py_CLEAR(queues->notices);
    Py_CLEAR(queues->deadlines);
    Py_TYPE(queues)->tp_free(queues);
}

static Queue *queue_of(Queues *queues, PyObject *id)
{
    PyObject *found = PyDict_GetItemWithError(queues->by_name, id);
    if (found == NULL && !PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, id);
    return (Queue *)found;
}

static PyObject *queues_put_method(Queues *queues, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"input_id", "item", "flush", NULL};
    PyObject *id, *item;
    int flush = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "UO|$p", names, &id, &item, &flush))
        return NULL;
    Queue *queue = queue_of(queues, id);
    struct entry entry = {.content = OBJECT, .object = Py_NewRef(item)};
    if (queue == NULL) {
        Py_DECREF(item);
        return NULL;
    }
    if (queues_put(queues, queue, entry, flush) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *queues_is_full(Queues *queues, PyObject *id)
{
    Queue *queue = queue_of(queues, id);
    return queue != NULL ? PyBool_FromLong(queue_is_full(queue)) : NULL;
}

static PyObject *queues_begin_again(Queues *queues, PyObject *id)
{
    Queue *queue = queue_of(queues, id);
    if (queue == NULL)
        return NULL;
    while (queue->count > queue->size)
        if (queues_drop(queues, queue) < 0)
            return NULL;
    int was_closed = queue->state == IS_CLOSED;
    queue->carried = queue->count;
    if (queue->state != IS_BROKEN)
        queue->state = IS_OPEN;
    return PyBool_FromLong(was_closed);
}

static PyObject *queues_announce(Queues *queues, PyObject *notice)
{
    Queue *queue = queues->notices;
    if (queue->count) {
        int is_same = PyObject_RichCompareBool(queue_at(queue, queue->count - 1)->object, notice, Py_EQ);
        if (is_same < 0)
            return NULL;
        if (is_same)
            Py_RETURN_NONE;
    }
    struct entry entry = {.content = OBJECT, .object = Py_NewRef(notice)};
    if (queues_put(queues, queue, entry, 0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *queues_close(Queues *queues, PyObject *id)
{
    Queue *queue = queue_of(queues, id);
    if (queue == NULL)
        return NULL;
    if (queue->state == IS_OPEN)
        queue->state = IS_DRAINING;
    else if (queue->state == IS_BROKEN)
        queue->state = IS_CLOSED; /* the node was told already */
    Py_RETURN_NONE;
}

static PyObject *move(Queues *queues, PyObject *id, enum input_state from, enum input_state to)
{
    Queue *queue = queue_of(queues, id);
    if (queue == NULL)
        return NULL;
    int is_moved = queue->state == from;
    if (is_moved)
        queue->state = to;
    return PyBool_FromLong(is_moved);
}

static PyObject *queues_silence(Queues *queues, PyObject *id)
{
    return move(queues, id, IS_OPEN, IS_BROKEN);
}

static PyObject *queues_recover(Queues *queues, PyObject *id)
{
    return move(queues, id, IS_BROKEN, IS_OPEN);
}

static PyObject *queues_watch(Queues *queues, PyObject *args)
{
    PyObject *given, *recovered;
    if (!PyArg_ParseTuple(args, "O!O", &DeadlinesType, &given, &recovered))
        return NULL;
    if (queues->deadlines != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the queues have deadlines already");
        return NULL;
    }
    Deadlines *deadlines = queues->deadlines = (Deadlines *)Py_NewRef(given);
    queues->recovered = Py_NewRef(recovered);
    for (Py_ssize_t at = 0; at < deadlines->count; at++) {
        Queue *queue = queue_of(queues, deadlines->all[at].input);
        if (queue == NULL)
            return NULL;
        queue->deadline = &deadlines->all[at];
    }
    Py_RETURN_NONE;
}

static PyObject *queues_take(Queues *queues, PyObject *unused)
{
    (void)unused;
    Queue *queue = queues_next(queues);
    if (queue == NULL)
        Py_RETURN_NONE;
    queues->count--;
    struct entry entry = queue_pop(queue);
    if (entry.content == OBJECT) {
        PyObject *pair = PyTuple_Pack(2, queue->id, entry.object);
        Py_DECREF(entry.object);
        return pair;
    }
    entry_drop(&entry);
    PyErr_SetString(PyExc_RuntimeError, "a message of the core is taken with `take_event`");
    return NULL;
}

static PyObject *queues_take_event_method(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *event = queues_take_event(queues, AS_ARRAY);
    return event != NULL || PyErr_Occurred() ? event : Py_NewRef(Py_None);
}

static PyObject *queues_take_bytes_event(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *event = queues_take_event(queues, AS_BYTES);
    return event != NULL || PyErr_Occurred() ? event : Py_NewRef(Py_None);
}

static PyObject *queues_take_closed(Queues *queues, PyObject *unused)
{
    (void)unused;
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (PyDict_Next(queues->by_name, &at, &name, &value)) {
        Queue *queue = (Queue *)value;
        if (queue->state == IS_DRAINING && !queue->count) {
            queue->state = IS_CLOSED;
            return Py_NewRef(queue->id);
        }
    }
    Py_RETURN_NONE;
}

static PyObject *queues_are_all_closed(Queues *queues, PyObject *const *args, Py_ssize_t count)
{
    if (count > 1 || (count == 1 && !PyUnicode_Check(args[0]))) {
        PyErr_SetString(PyExc_TypeError, "are_all_closed takes a prefix or nothing");
        return NULL;
    }
    int data = 0, timers = 0, open = 0;
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (PyDict_Next(queues->by_name, &at, &name, &value)) {
        Queue *queue = (Queue *)value;
        if (count) {
            Py_ssize_t matches = PyUnicode_Tailmatch(name, args[0], 0, PY_SSIZE_T_MAX, -1);
            if (matches < 0)
                return NULL;
            if (!matches)
                continue;
        }
        data += !queue->is_timer;
        timers += queue->is_timer;
        open += !queue->is_timer && queue->state != IS_CLOSED;
    }
    return PyBool_FromLong(data && !open && (!timers || queues->timers_are_clocks));
}

static PyObject *queues_is_empty(Queues *queues, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(!queues->count);
}

static PyObject *queues_clear_method(Queues *queues, PyObject *unused)
{
    (void)unused;
    Queue *queue;
    while ((queue = queues_next(queues)) != NULL) {
        queues->count--;
        if (queues_discard(queues, queue_pop(queue)) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *queues_make_events(Queues *queues, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"event", "bytes_event", "metadata", "import_array", "render", "render_bytes", NULL};
    PyObject *event, *bytes_event, *metadata, *import_array, *render, *render_bytes;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOOOO", names, &event, &bytes_event, &metadata, &import_array,
                                     &render, &render_bytes))
        return NULL;
    if (maker_init(&queues->maker, event, bytes_event, metadata, import_array) < 0)
        return NULL;
    Py_XSETREF(queues->render[AS_ARRAY], Py_NewRef(render));
    Py_XSETREF(queues->render[AS_BYTES], Py_NewRef(render_bytes));
    Py_RETURN_NONE;
}

static PyMethodDef queues_methods[] = {
    {"put", (PyCFunction)(void (*)(void))queues_put_method, METH_VARARGS | METH_KEYWORDS, "Let an item in."},
    {"is_full", (PyCFunction)queues_is_full, METH_O, "Tell whether as many items wait as the queue has places."},
    {"begin_again", (PyCFunction)queues_begin_again, METH_O, "Open an input for another life of its sender."},
    {"announce", (PyCFunction)queues_announce, METH_O, "Put a notice behind everything that waits."},
    {"close", (PyCFunction)queues_close, METH_O, "Note that nothing more comes in."},
    {"silence", (PyCFunction)queues_silence, METH_O, "Note that an open input was silent for too long."},
    {"recover", (PyCFunction)queues_recover, METH_O, "Open an input again that was silent."},
    {"watch", (PyCFunction)queues_watch, METH_VARARGS,
     "Say which inputs may not be silent for long, and whom to call when one of them recovers."},
    {"take", (PyCFunction)queues_take, METH_NOARGS, "Hand out the item that arrived first, with its input."},
    {"take_event", (PyCFunction)queues_take_event_method, METH_NOARGS, "Hand out the event that arrived first."},
    {"take_bytes_event", (PyCFunction)queues_take_bytes_event, METH_NOARGS, "The same, with its bytes as value."},
    {"take_closed", (PyCFunction)queues_take_closed, METH_NOARGS, "Hand out an input that is drained, once."},
    {"are_all_closed", (PyCFunction)(void (*)(void))queues_are_all_closed, METH_FASTCALL,
     "Tell whether the node has nothing more to expect."},
    {"is_empty", (PyCFunction)queues_is_empty, METH_NOARGS, "Tell whether nothing waits."},
    {"dropped", (PyCFunction)queues_dropped, METH_NOARGS, "Count the items dropped so far, by input."},
    {"waiting", (PyCFunction)queues_waiting, METH_NOARGS, "Count the items that wait, by input."},
    {"taken", (PyCFunction)queues_taken, METH_NOARGS,
     "Count what the core has handed out, by input: messages, bytes, and delays by their buckets."},
    {"clear", (PyCFunction)queues_clear_method, METH_NOARGS, "Drop everything, without counting."},
    {"make_events", (PyCFunction)(void (*)(void))queues_make_events, METH_VARARGS | METH_KEYWORDS,
     "Say what events are made of; the last two make those of items that the core did not put in."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef queues_members[] = {
    {"count", T_PYSSIZET, offsetof(Queues, count), READONLY, "How many items wait."},
    {NULL, 0, 0, 0, NULL},
};

static PyObject *queues_get_queues(Queues *queues, void *unused)
{
    (void)unused;
    return PyDictProxy_New(queues->by_name);
}

static PyGetSetDef queues_attributes[] = {
    {"_queues", (getter)queues_get_queues, NULL, "The queues, by their inputs.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject QueuesType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Queues",
    .tp_doc = "The queues of one node.",
    .tp_basicsize = sizeof(Queues),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = queues_new,
    .tp_dealloc = (destructor)queues_dealloc,
    .tp_traverse = (traverseproc)queues_traverse,
    .tp_clear = (inquiry)queues_clear_references,
    .tp_methods = queues_methods,
    .tp_members = queues_members,
    .tp_getset = queues_attributes,
};
