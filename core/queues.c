/* The queues of a node's inputs: the twin of runtime/node_api/queues.py, which says what each operation means. */
#include "queues.h"

#include <time.h>

#define MOST_GONE 64
#define FIRST_ROOM 16

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

int queues_discard(Queues *queues, struct entry entry)
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
    entry_drop(&entry);
    if (inlet->is_held_back)
        status = source_credit(source, inlet);
    Py_DECREF(source);
    return status;
}

int queues_drop(Queues *queues, Queue *queue)
{
    queue->dropped++;
    queues->count--;
    if (queues->order[queues->order_first] == queue && !queue->gone)
        order_pop(queues);
    else
        queue->gone++;
    struct entry entry = queue_pop(queue);
    order_tidy(queues);
    return queues_discard(queues, entry);
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
    entry_drop(&entry);
    return -1;
}

Queue *queues_next(Queues *queues)
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
    queue->delays[delay_bucket((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - entry->sent_ns
                                + source_clock(entry->source))]++;
}

/* Remembers an array that is handed out, and where its values lie: they may be sent on at once. */
static void note_taken(Queues *queues, const struct entry *entry, PyObject *array)
{
    queues->last.array = array;
    queues->last.start = entry->start;
    queues->last.length = (Py_ssize_t)entry->length;
    Py_XSETREF(queues->last.kind, Py_NewRef(entry->kind));
}

/* Makes the event of a message, or of an object of Python's. The entry keeps what it does not give. */
static PyObject *render(Queues *queues, Queue *queue, struct entry *entry, enum form form)
{
    struct maker *maker = &queues->maker;
    PyObject *value = entry->bytes;
    struct parcel *parcel = entry->parcel;
    if (entry->content == OBJECT) {
        PyObject *arguments[] = {queue->id, entry->object};
        if (queues->render[form] != NULL)
            return PyObject_Vectorcall(queues->render[form], arguments, 2, NULL);
        PyErr_SetString(PyExc_RuntimeError, "`make_events` comes before `take_event`");
        return NULL;
    }
    if (entry->content == EVENT)
        return entry->form == form ? Py_NewRef(entry->object) : maker_recast(maker, entry);
    entry->bytes = NULL;
    entry->parcel = NULL;
    if (entry->content == BYTES && form == AS_ARRAY) {
        parcel = parcel_of(PyBytes_AS_STRING(value), entry->size);
        Py_DECREF(value);
        if (parcel == NULL)
            return PyErr_NoMemory();
        entry->start = parcel->buffers[1];
    }
    if (parcel != NULL)
        value = maker_value(maker, form, entry->kind, parcel, entry->length, entry->size);
    return maker_event(maker, form, queue->id, value, entry->sent_ns, entry->object);
}

PyObject *queues_take_event(Queues *queues, enum form form)
{
    queues->maker.form = form;
    Queue *queue = queues_next(queues);
    if (queue == NULL)
        return NULL;
    queues->count--;
    struct entry entry = queue_pop(queue);
    queues->last.array = NULL; /* its address may be another one's by now */
    int is_paid = 1;
    if (entry.content != OBJECT) {
        count_taken(queues, queue, &entry);
        is_paid = entry.inlet->is_held_back ? source_credit(entry.source, entry.inlet) == 0 : 1;
    }
    PyObject *event = is_paid ? render(queues, queue, &entry, form) : NULL;
    if (event != NULL && entry.content != OBJECT && form == AS_ARRAY)
        note_taken(queues, &entry, PyTuple_GET_ITEM(event, 2));
    entry_drop(&entry);
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
        open += !queue->is_timer && queue->state != IS_CLOSED;
    }
    return data && !open;
}

/* ---- silence */

int queues_note_fed(Queues *queues, Queue *queue)
{
    if (queue->deadline == NULL)
        return 0;
    deadline_arm(queue->deadline, monotonic_ns());
    if (queue->state != IS_BROKEN || queues->recovered == NULL)
        return 0;
    PyObject *told = PyObject_CallOneArg(queues->recovered, queue->id);
    Py_XDECREF(told);
    return told != NULL ? 0 : -1;
}

long long queues_due(const Queues *queues)
{
    return queues->deadlines != NULL ? deadlines_next(queues->deadlines) : -1;
}
