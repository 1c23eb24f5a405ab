/* The queue of one input: entries in a circle that grows, and where the input stands. */
#include "queues.h"

#define FIRST_ROOM 16

void entry_drop(struct entry *entry)
{
    Py_XDECREF(entry->object);
    Py_XDECREF(entry->bytes);
    Py_XDECREF(entry->kind);
    Py_XDECREF((PyObject *)entry->source);
    if (entry->parcel != NULL)
        parcel_free(entry->parcel);
}

struct entry *queue_at(Queue *queue, Py_ssize_t place)
{
    return &queue->entries[(queue->first + place) & (queue->room - 1)];
}

int queue_append(Queue *queue, struct entry entry)
{
    if (queue->count == queue->room) {
        Py_ssize_t room = queue->room ? 2 * queue->room : FIRST_ROOM;
        struct entry *entries = PyMem_New(struct entry, room);
        if (entries == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        for (Py_ssize_t place = 0; place < queue->count; place++)
            entries[place] = *queue_at(queue, place);
        PyMem_Free(queue->entries);
        queue->entries = entries;
        queue->first = 0;
        queue->room = room;
    }
    queue->count++;
    *queue_at(queue, queue->count - 1) = entry;
    return 0;
}

struct entry queue_pop(Queue *queue)
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
        struct entry *entry = queue_at(queue, place);
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
        entry_drop(&entry);
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

static const char *const state_names[] = {"open", "broken", "draining", "closed"};

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
    PyErr_SetString(PyExc_ValueError, "the state of an input is open, broken, draining or closed");
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

Queue *queue_new(PyObject *wiring)
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
