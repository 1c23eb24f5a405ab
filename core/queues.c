/* The queues of a node's inputs: the twin of runtime/node_api/queues.py, which says what each operation means. */
#include "receive.h"

#include <time.h>

#include <structmember.h>

#define MOST_GONE 64
#define FIRST_ROOM 16
#define MOST_NOTICES 1024

/* ---- a queue */

static void entry_drop_object(struct entry *entry)
{
    Py_XDECREF(entry->object);
    Py_XDECREF(entry->kind);
    Py_XDECREF((PyObject *)entry->source);
    if (entry->parcel != NULL)
        parcel_free(entry->parcel);
}

static struct entry *entry_at(Queue *queue, Py_ssize_t place)
{
    return &queue->entries[(queue->first + place) & (queue->room - 1)];
}

static int queue_append(Queue *queue, struct entry entry)
{
    if (queue->count == queue->room) {
        Py_ssize_t room = queue->room ? 2 * queue->room : FIRST_ROOM;
        struct entry *entries = PyMem_New(struct entry, room);
        if (entries == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        for (Py_ssize_t place = 0; place < queue->count; place++)
            entries[place] = *entry_at(queue, place);
        PyMem_Free(queue->entries);
        queue->entries = entries;
        queue->first = 0;
        queue->room = room;
    }
    queue->count++;
    *entry_at(queue, queue->count - 1) = entry;
    return 0;
}

static struct entry queue_pop(Queue *queue)
{
    struct entry entry = queue->entries[queue->first];
    queue->first = (queue->first + 1) & (queue->room - 1);
    queue->count--;
    return entry;
}

int queue_is_full(const Queue *queue)
{
    return queue->count >= queue->size + queue->carried;
}

static int queue_traverse(Queue *queue, visitproc visit, void *arg)
{
    for (Py_ssize_t place = 0; place < queue->count; place++) {
        struct entry *entry = entry_at(queue, place);
        Py_VISIT(entry->object);
        Py_VISIT(entry->kind);
        Py_VISIT(entry->source);
    }
    return 0;
}

static int queue_clear(Queue *queue)
{
    while (queue->count) {
        struct entry entry = queue_pop(queue);
        entry_drop_object(&entry);
    }
    return 0;
}

static void queue_dealloc(Queue *queue)
{
    PyObject_GC_UnTrack(queue);
    queue_clear(queue);
    PyMem_Free(queue->entries);
    Py_XDECREF(queue->id);
    Py_TYPE(queue)->tp_free(queue);
}

static const char *const state_names[] = {"open", "draining", "closed"};

static PyObject *queue_get_state(Queue *queue, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(state_names[queue->state]);
}

static int queue_set_state(Queue *queue, PyObject *value, void *unused)
{
    (void)unused;
    for (int state = IS_OPEN; value != NULL && PyUnicode_Check(value) && state <= IS_CLOSED; state++) {
        if (PyUnicode_CompareWithASCIIString(value, state_names[state]) == 0) {
            queue->state = state;
            return 0;
        }
    }
    PyErr_SetString(PyExc_ValueError, "the state of an input is open, draining or closed");
    return -1;
}

static PyGetSetDef queue_attributes[] = {
    {"state", (getter)queue_get_state, (setter)queue_set_state, "Where the input stands, as its text.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject QueueType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Queue",
    .tp_doc = "The queue of one input.",
    .tp_basicsize = sizeof(Queue),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)queue_dealloc,
    .tp_traverse = (traverseproc)queue_traverse,
    .tp_clear = (inquiry)queue_clear,
    .tp_getset = queue_attributes,
};

static int read_attribute(PyObject *wiring, const char *name, long long *value)
{
    PyObject *found = PyObject_GetAttrString(wiring, name);
    if (found == NULL)
        return -1;
    *value = PyLong_AsLongLong(found);
    Py_DECREF(found);
    return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

static Queue *queue_new(PyObject *wiring)
{
    long long size, interval;
    if (read_attribute(wiring, "queue_size", &size) < 0 || read_attribute(wiring, "interval_ns", &interval) < 0)
        return NULL;
    PyObject *id = PyObject_GetAttrString(wiring, "id");
    PyObject *policy = PyObject_GetAttrString(wiring, "queue_policy");
    Queue *queue = NULL;
    if (id != NULL && policy != NULL) {
        if (!PyUnicode_Check(id) || !PyUnicode_Check(policy))
            PyErr_SetString(PyExc_TypeError, "an input has an id and a policy");
        else
            queue = (Queue *)QueueType.tp_alloc(&QueueType, 0);
    }
    if (queue != NULL) {
        queue->id = Py_NewRef(id);
        queue->size = (Py_ssize_t)size;
        queue->is_timer = interval != 0;
        queue->may_drop = queue->is_timer || PyUnicode_CompareWithASCIIString(policy, "drop_oldest") == 0;
    }
    Py_XDECREF(id);
    Py_XDECREF(policy);
    return queue;
}

/* ---- the order of arrival */

static int order_append(Queues *queues, Queue *queue)
{
    if (queues->order_count == queues->order_room) {
        Py_ssize_t room = queues->order_room ? 2 * queues->order_room : FIRST_ROOM;
        Queue **order = PyMem_New(Queue *, room);
        if (order == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        for (Py_ssize_t place = 0; place < queues->order_count; place++)
            order[place] = queues->order[(queues->order_first + place) & (queues->order_room - 1)];
        PyMem_Free(queues->order);
        queues->order = order;
        queues->order_first = 0;
        queues->order_room = room;
    }
    queues->order[(queues->order_first + queues->order_count) & (queues->order_room - 1)] = queue;
    queues->order_count++;
    return 0;
}

static Queue *order_pop(Queues *queues)
{
    Queue *queue = queues->order[queues->order_first];
    queues->order_first = (queues->order_first + 1) & (queues->order_room - 1);
    queues->order_count--;
    return queue;
}

/* Takes the dropped entries out of the order of arrival, now and then: it stays as long as what waits. */
static void order_tidy(Queues *queues)
{
    if (queues->order_count <= 2 * queues->count + MOST_GONE)
        return;
    Py_ssize_t all = queues->order_count;
    for (Py_ssize_t place = 0; place < all; place++) {
        Queue *queue = order_pop(queues);
        if (queue->gone)
            queue->gone--;
        else
            queues->order[(queues->order_first + queues->order_count++) & (queues->order_room - 1)] = queue;
    }
}

/* ---- putting, taking, dropping */

/* Lets go of an entry that nobody reads; its sender may send one more. */
static int discard(Queues *queues, struct entry entry)
{
    int status = 0;
    if (entry.content == OBJECT) {
        PyObject *done = queues->discard != NULL ? PyObject_CallOneArg(queues->discard, entry.object) : NULL;
        status = done != NULL || !PyErr_Occurred() ? 0 : -1;
        Py_XDECREF(done);
        Py_DECREF(entry.object);
        return status;
    }
    Source *source = entry.source;
    struct inlet *inlet = entry.inlet;
    entry.source = NULL;
    entry_drop_object(&entry);
    if (inlet->is_held_back)
        status = source_credit(source, inlet);
    Py_DECREF(source);
    return status;
}

static int queues_drop(Queues *queues, Queue *queue)
{
    queue->dropped++;
    queues->count--;
    if (queues->order[queues->order_first] == queue && !queue->gone)
        order_pop(queues);
    else
        queue->gone++;
    struct entry entry = queue_pop(queue);
    order_tidy(queues);
    return discard(queues, entry);
}

int queues_put(Queues *queues, Queue *queue, struct entry entry, int flush)
{
    while (flush && queue->count)
        if (queues_drop(queues, queue) < 0)
            goto failed;
    if (queue->may_drop && queue->count >= queue->size && queue->count)
        if (queues_drop(queues, queue) < 0)
            goto failed;
    if (queue_append(queue, entry) < 0)
        goto failed;
    if (order_append(queues, queue) < 0) {
        queue->count--;
        goto failed;
    }
    queues->count++;
    return 0;
failed:
    entry_drop_object(&entry);
    return -1;
}

static Queue *next_queue(Queues *queues)
{
    while (queues->order_count) {
        Queue *queue = order_pop(queues);
        if (!queue->gone)
            return queue;
        queue->gone--;
    }
    return NULL;
}

static int delay_bucket(int64_t delay_ns)
{
    int64_t microseconds = delay_ns / 1000;
    if (microseconds < 4)
        return microseconds > 0 ? (int)microseconds : 0;
    int octave = 63 - __builtin_clzll((unsigned long long)microseconds);
    int bucket = (octave - 1) * 4 + (int)((microseconds >> (octave - 2)) & 3);
    return bucket < DELAY_BUCKETS ? bucket : DELAY_BUCKETS - 1;
}

/* Counts what is handed out. While more waits, only one delay in eight is looked at: the clock costs more than all
 * the rest. */
static void count_taken(Queues *queues, Queue *queue, const struct entry *entry)
{
    queue->taken++;
    queue->taken_bytes += entry->size;
    if (queues->count && queue->taken % 8)
        return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    queue->delays[delay_bucket((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - entry->sent_ns)]++;
}

PyObject *queues_take_event(Queues *queues)
{
    Queue *queue = next_queue(queues);
    if (queue == NULL)
        return NULL;
    queues->count--;
    struct entry entry = queue_pop(queue);
    if (entry.content == OBJECT) {
        if (queues->render == NULL) {
            Py_DECREF(entry.object);
            PyErr_SetString(PyExc_RuntimeError, "`make_events` comes before `take_event`");
            return NULL;
        }
        PyObject *arguments[] = {queue->id, entry.object};
        PyObject *event = PyObject_Vectorcall(queues->render, arguments, 2, NULL);
        Py_DECREF(entry.object);
        return event;
    }
    count_taken(queues, queue, &entry);
    int is_paid = entry.inlet->is_held_back ? source_credit(entry.source, entry.inlet) == 0 : 1;
    PyObject *event = entry.object;
    if (entry.content == PARCEL) {
        event = maker_event(&queues->maker, queue->id, entry.kind, entry.parcel, entry.length, entry.sent_ns,
                            entry.object);
        Py_XDECREF(entry.object);
        Py_DECREF(entry.kind);
    }
    Py_DECREF(entry.source);
    if (!is_paid)
        Py_CLEAR(event);
    return event;
}

int queues_are_ebbing(Queues *queues)
{
    Py_ssize_t at = 0, open = 0, data = 0;
    PyObject *name, *value;
    while (PyDict_Next(queues->by_name, &at, &name, &value)) {
        Queue *queue = (Queue *)value;
        if (queue->state == IS_DRAINING)
            return 1;
        data += !queue->is_timer;
        open += !queue->is_timer && queue->state == IS_OPEN;
    }
    return data && !open;
}

/* ---- the type */

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
    Py_VISIT(queues->render);
    return maker_traverse(&queues->maker, visit, arg);
}

static int queues_clear_references(Queues *queues)
{
    /* The queues stay: the order of arrival points at them. */
    Py_CLEAR(queues->discard);
    Py_CLEAR(queues->render);
    maker_clear(&queues->maker);
    return 0;
}

static void queues_dealloc(Queues *queues)
{
    PyObject_GC_UnTrack(queues);
    queues_clear_references(queues);
    PyMem_Free(queues->order);
    Py_CLEAR(queues->by_name);
    Py_CLEAR(queues->notices);
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
    queue->state = IS_OPEN;
    return PyBool_FromLong(was_closed);
}

static PyObject *queues_announce(Queues *queues, PyObject *notice)
{
    Queue *queue = queues->notices;
    if (queue->count) {
        int is_same = PyObject_RichCompareBool(entry_at(queue, queue->count - 1)->object, notice, Py_EQ);
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
    Py_RETURN_NONE;
}

static PyObject *queues_take(Queues *queues, PyObject *unused)
{
    (void)unused;
    Queue *queue = next_queue(queues);
    if (queue == NULL)
        Py_RETURN_NONE;
    queues->count--;
    struct entry entry = queue_pop(queue);
    if (entry.content == OBJECT) {
        PyObject *pair = PyTuple_Pack(2, queue->id, entry.object);
        Py_DECREF(entry.object);
        return pair;
    }
    entry_drop_object(&entry);
    PyErr_SetString(PyExc_RuntimeError, "a message of the core is taken with `take_event`");
    return NULL;
}

static PyObject *queues_take_event_method(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *event = queues_take_event(queues);
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

static PyObject *queues_waiting(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *counts = PyDict_New();
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (counts != NULL && PyDict_Next(queues->by_name, &at, &name, &value)) {
        PyObject *number = PyLong_FromSsize_t(((Queue *)value)->count);
        if (number == NULL || PyDict_SetItem(counts, name, number) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(number);
    }
    return counts;
}

static PyObject *taken_from(Queue *queue)
{
    PyObject *delays = PyList_New(DELAY_BUCKETS);
    for (int at = 0; delays != NULL && at < DELAY_BUCKETS; at++) {
        PyObject *number = PyLong_FromUnsignedLongLong(queue->delays[at]);
        if (number == NULL)
            Py_CLEAR(delays);
        else
            PyList_SET_ITEM(delays, at, number);
    }
    if (delays == NULL)
        return NULL;
    return Py_BuildValue("KKN", (unsigned long long)queue->taken, (unsigned long long)queue->taken_bytes, delays);
}

static PyObject *queues_taken(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *counts = PyDict_New();
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (counts != NULL && PyDict_Next(queues->by_name, &at, &name, &value)) {
        PyObject *counted = taken_from((Queue *)value);
        if (counted == NULL || PyDict_SetItem(counts, name, counted) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(counted);
    }
    return counts;
}

static PyObject *queues_dropped(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *counts = PyDict_New();
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (counts != NULL && PyDict_Next(queues->by_name, &at, &name, &value)) {
        PyObject *number = PyLong_FromSsize_t(((Queue *)value)->dropped);
        if (number == NULL || PyDict_SetItem(counts, name, number) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(number);
    }
    return counts;
}

static PyObject *queues_clear_method(Queues *queues, PyObject *unused)
{
    (void)unused;
    Queue *queue;
    while ((queue = next_queue(queues)) != NULL) {
        queues->count--;
        if (discard(queues, queue_pop(queue)) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *queues_make_events(Queues *queues, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"event", "metadata", "import_array", "render", NULL};
    PyObject *event, *metadata, *import_array, *render;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOO", names, &event, &metadata, &import_array, &render))
        return NULL;
    if (maker_init(&queues->maker, event, metadata, import_array) < 0)
        return NULL;
    Py_XSETREF(queues->render, Py_NewRef(render));
    Py_RETURN_NONE;
}

static PyMethodDef queues_methods[] = {
    {"put", (PyCFunction)(void (*)(void))queues_put_method, METH_VARARGS | METH_KEYWORDS, "Let an item in."},
    {"is_full", (PyCFunction)queues_is_full, METH_O, "Tell whether as many items wait as the queue has places."},
    {"begin_again", (PyCFunction)queues_begin_again, METH_O, "Open an input for another life of its sender."},
    {"announce", (PyCFunction)queues_announce, METH_O, "Put a notice behind everything that waits."},
    {"close", (PyCFunction)queues_close, METH_O, "Note that nothing more comes in."},
    {"take", (PyCFunction)queues_take, METH_NOARGS, "Hand out the item that arrived first, with its input."},
    {"take_event", (PyCFunction)queues_take_event_method, METH_NOARGS, "Hand out the event that arrived first."},
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
     "Say what events are made of; `render` makes those of items that the core did not put in."},
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
