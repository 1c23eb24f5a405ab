/* A producer as its reader sees it: bytes from its connection become entries of queues, and slots and credits go back.
 *
 * Only a message that is sound in every field and of a flat type is taken in here. Every other frame, and every message
 * that something is wrong with, is handed to Python as a `Frame`: what is wrong is told there, in one place.
 */
#define _GNU_SOURCE
#include "receive.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <structmember.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 12
#define MESSAGE_HEAD 20
#define SLOT_NAME 28
#define FLAT_RECORD 57
#define RELEASE_KEY 12
#define CREDIT_FRAME 12

#define KIND_MESSAGE 3
#define KIND_RELEASE 4
#define KIND_CREDIT 5
#define KIND_SEEN 7

#define IN_SLOT 1
#define AS_STREAM 2

#define LARGEST_BODY (4u * 1024 * 1024)
#define MOST_TYPES 4096
#define MOST_RELEASED 4096
#define REPORT_AFTER (1024 * 1024)
#define CHUNK (64 * 1024)
#define ALIGNMENT 64
#define LARGEST_PREPARED CHUNK

struct type {
    PyObject *kind;
    int width;
};

/* What a message is like, as far as its event depends on it. */
struct shape {
    struct inlet *inlet;
    PyObject *kind; /* owned by the table of types, which only grows */
    int is_slot;
    int64_t length;
    uint64_t offset, size; /* of a slot's payload; the size of any */
};

struct source {
    PyObject_HEAD
    Gate *gate;
    Queues *queues;
    PyObject *connection, *on_frame, *frame, *wire_error;
    PyObject *error; /* that `receive` has to raise */
    int has_ended;
    int descriptor; /* -1 once it was hung up on */
    struct ledger *ledger;
    uint8_t *buffer;
    size_t room, have;
    struct inlet *inlets, *last_inlet;
    Py_ssize_t inlet_count;
    struct type *types;
    uint32_t type_room;
    uint32_t seen;
    uint64_t seen_bytes;
    int is_choked, owes;
    /* the last message, and an event that was made for one like it */
    struct shape last, ready;
    uint64_t offset_before;
    struct key last_key;
    int is_last_returned;
    PyObject *event;
    struct parcel *parcel; /* the event's, which keeps it */
};

static uint16_t read16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return le16toh(value);
}

static uint32_t read32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t read64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

static void write32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static void write_header(uint8_t *at, uint32_t size, uint8_t kind, uint16_t link, uint32_t number)
{
    write32(at, size);
    at[4] = kind;
    at[5] = 0;
    link = htole16(link);
    memcpy(at + 6, &link, sizeof link);
    write32(at + 8, number);
}

/* ---- what goes back to the producer */

static int ask(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    int answer = value != NULL ? PyObject_IsTrue(value) : -1;
    Py_XDECREF(value);
    return answer;
}

/* Has the connection send what the peer cannot take now, or keep it; its own rules hold from there on. */
static int send_later(Source *source, const uint8_t *data, size_t size)
{
    source->is_choked = 1;
    gate_note_lagging(source->gate);
    PyObject *sent = PyObject_CallMethod(source->connection, "send", "y#", data, (Py_ssize_t)size);
    Py_XDECREF(sent);
    return sent != NULL ? 0 : -1;
}

static int source_send(Source *source, const uint8_t *data, size_t size)
{
    int is_open = source->descriptor >= 0 ? ask(source->connection, "is_open") : 0;
    if (is_open <= 0)
        return is_open;
    if (source->is_choked) {
        int has_waiting = ask(source->connection, "has_waiting");
        if (has_waiting)
            return has_waiting < 0 ? -1 : send_later(source, data, size);
        source->is_choked = 0;
    }
    ssize_t sent = send(source->descriptor, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return PyObject_SetAttrString(source->connection, "is_open", Py_False);
    if (sent < 0)
        sent = 0;
    return (size_t)sent < size ? send_later(source, data + sent, size - (size_t)sent) : 0;
}

static int send_credit(Source *source, struct inlet *inlet)
{
    uint8_t frame[CREDIT_FRAME];
    write_header(frame, 0, KIND_CREDIT, inlet->link, inlet->owed);
    inlet->owed = 0;
    return source_send(source, frame, sizeof frame);
}

int source_credit(Source *source, struct inlet *inlet)
{
    if (source->descriptor < 0)
        return 0;
    inlet->owed++;
    if (inlet->owed >= inlet->at_once)
        return send_credit(source, inlet);
    source->owes = 1;
    return 0;
}

int source_pay(Source *source)
{
    if (!source->owes)
        return 0;
    source->owes = 0;
    for (Py_ssize_t at = 0; at < source->inlet_count; at++)
        if (source->inlets[at].owed && send_credit(source, &source->inlets[at]) < 0)
            return -1;
    return 0;
}

/* Sends what was seen, slots that are given back and some frames more: a slot never comes back before its message was
 * seen. */
static int source_report(Source *source, const uint8_t *more, size_t more_size)
{
    uint8_t small[HEADER + HEADER + 64 * RELEASE_KEY + HEADER], *data = small;
    struct key few[64], *keys = few;
    size_t waiting = source->ledger != NULL ? atomic_load(&source->ledger->count) : 0;
    size_t most = waiting < MOST_RELEASED ? waiting : MOST_RELEASED;
    if (most > 64) {
        data = PyMem_Malloc(3 * HEADER + most * RELEASE_KEY);
        keys = PyMem_New(struct key, most);
    }
    int status = -1;
    if (data == NULL || keys == NULL) {
        PyErr_NoMemory();
    } else {
        size_t end = 0;
        if (source->seen) {
            write_header(data, 0, KIND_SEEN, 0, source->seen);
            end = HEADER;
        }
        source->seen = 0;
        source->seen_bytes = 0;
        size_t count = most ? ledger_take(source->ledger, keys, most) : 0;
        if (count) {
            write_header(data + end, (uint32_t)(count * RELEASE_KEY), KIND_RELEASE, 0, 0);
            end += HEADER;
        }
        for (size_t at = 0; at < count; at++, end += RELEASE_KEY) {
            write32(data + end, keys[at].segment);
            write32(data + end + 4, keys[at].slot);
            write32(data + end + 8, keys[at].generation);
            if (memcmp(&keys[at], &source->last_key, sizeof keys[at]) == 0)
                source->is_last_returned = 1;
        }
        if (more_size)
            memcpy(data + end, more, more_size);
        end += more_size;
        status = end ? source_send(source, data, end) : 0;
    }
    if (data != small)
        PyMem_Free(data);
    if (keys != few)
        PyMem_Free(keys);
    return status;
}

int source_give_back(Source *source)
{
    if (source->ledger == NULL || source->descriptor < 0)
        return 0;
    while (atomic_load(&source->ledger->count) || source->seen_bytes >= REPORT_AFTER) {
        int is_open = ask(source->connection, "is_open");
        if (is_open <= 0)
            return is_open;
        if (source_report(source, NULL, 0) < 0)
            return -1;
    }
    return 0;
}

/* ---- messages */

/* Whether metadata can be decoded; what else is wrong with it is told by runtime/node_api/metadata.py. */
static int is_text(const uint8_t **at, const uint8_t *end)
{
    if (end - *at < 4 || read32(*at) > (size_t)(end - *at) - 4)
        return 0;
    const uint8_t *text = *at + 4;
    uint32_t size = read32(*at);
    uint8_t any = 0;
    for (uint32_t place = 0; place < size; place++)
        any |= text[place];
    *at = text + size;
    return !(any & 0x80); /* other than ASCII is left to Python */
}

static int is_value(const uint8_t **at, const uint8_t *end)
{
    if (*at == end)
        return 0;
    uint8_t kind = *(*at)++;
    size_t left = (size_t)(end - *at);
    size_t size;
    switch (kind) {
    case 'b':
        size = 1;
        break;
    case 'i':
    case 'f':
    case 't':
        size = 8;
        break;
    case 's':
        return is_text(at, end);
    case 'I':
    case 'F':
        if (left < 4)
            return 0;
        size = 4 + (size_t)read32(*at) * 8;
        break;
    default: /* also lists of texts, which are rare */
        return 0;
    }
    if (left < size)
        return 0;
    *at += size;
    return 1;
}

static int is_plain_metadata(const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    if (size && memmem(at, size, "flush", 5) != NULL)
        return 0;
    while (at < end)
        if (!is_text(&at, end) || !is_value(&at, end))
            return 0;
    return 1;
}

/* A message whose every field was checked. */
struct sound {
    struct shape shape;
    int64_t sent_ns;
    const uint8_t *metadata, *payload;
    size_t metadata_size;
    struct key key;
};

static struct inlet *find_inlet(Source *source, uint16_t link)
{
    if (source->last_inlet != NULL && source->last_inlet->link == link)
        return source->last_inlet;
    for (Py_ssize_t at = 0; at < source->inlet_count; at++)
        if (source->inlets[at].link == link)
            return source->last_inlet = &source->inlets[at];
    return NULL;
}

/* Reads the record of an array without nulls or children whose values fill the payload. */
static int read_flat(const uint8_t *record, int width, struct shape *shape)
{
    uint64_t length = read64(record);
    if (read64(record + 8) || read64(record + 16) || record[24] != 2 || read64(record + 25) != UINT64_MAX
        || read64(record + 33) || read64(record + 41))
        return 0;
    uint64_t size = read64(record + 49);
    if (!length || size != shape->size || length != size / (unsigned)width || size % (unsigned)width)
        return 0;
    shape->length = (int64_t)length;
    return 1;
}

static int read_slot(Source *source, const uint8_t *name, struct sound *message)
{
    message->key = (struct key){read32(name), read32(name + 4), read32(name + 8)};
    uint64_t offset = read64(name + 12), size = read64(name + 20), all = source->ledger->size;
    if (size > all || offset > all - size || offset % ALIGNMENT)
        return 0;
    message->shape.offset = offset;
    message->shape.size = size;
    return 1;
}

/* Whether a frame is a message that is taken in here; nothing is changed. */
static int read_message(Source *source, const uint8_t *frame, uint32_t size, struct sound *message)
{
    uint8_t flags = frame[5];
    uint32_t number = read32(frame + 8);
    if (frame[4] != KIND_MESSAGE || flags & ~IN_SLOT || size < MESSAGE_HEAD || source->ledger == NULL)
        return 0;
    struct inlet *inlet = find_inlet(source, read16(frame + 6));
    if (inlet == NULL || !inlet->is_open || (inlet->is_bounded && queue_is_full(inlet->queue)))
        return 0;
    if (!number || number >= source->type_room || source->types[number].kind == NULL)
        return 0;
    const uint8_t *body = frame + HEADER;
    uint64_t metadata = read32(body + 8), record = read32(body + 12), content = read32(body + 16);
    if (record != FLAT_RECORD || MESSAGE_HEAD + metadata + record + content != size)
        return 0;
    *message = (struct sound){
        .shape = {.inlet = inlet, .kind = source->types[number].kind, .is_slot = flags & IN_SLOT, .size = content},
        .sent_ns = (int64_t)read64(body),
        .metadata = body + MESSAGE_HEAD,
        .metadata_size = metadata,
        .payload = body + MESSAGE_HEAD + metadata + record,
    };
    if (message->shape.is_slot && (content != SLOT_NAME || !read_slot(source, message->payload, message)))
        return 0;
    if (!read_flat(body + MESSAGE_HEAD + metadata, source->types[number].width, &message->shape))
        return 0;
    return is_plain_metadata(message->metadata, metadata);
}

static int is_same_shape(const struct shape *one, const struct shape *other)
{
    return one->inlet == other->inlet && one->kind == other->kind && one->is_slot == other->is_slot
           && one->length == other->length && one->offset == other->offset && one->size == other->size;
}

static void drop_ready(Source *source)
{
    source->parcel = NULL;
    Py_CLEAR(source->event);
}

/* Completes the event that was made for a message like this one. */
static int use_ready(Source *source, struct sound *message, struct entry *entry)
{
    struct parcel *parcel = source->parcel;
    if (message->shape.is_slot) {
        parcel->key = message->key;
        parcel->is_held = 1;
    } else {
        memcpy(parcel->payload, message->payload, message->shape.size);
    }
    entry->content = EVENT;
    PyObject *encoded = entry->object;
    entry->object = source->event;
    source->event = NULL;
    source->parcel = NULL;
    int status = maker_stamp(&source->queues->maker, entry->object, message->sent_ns, encoded);
    Py_XDECREF(encoded);
    if (status < 0)
        Py_CLEAR(entry->object);
    return status;
}

static int use_parcel(Source *source, struct sound *message, struct entry *entry)
{
    struct shape *shape = &message->shape;
    struct parcel *parcel = shape->is_slot ? parcel_of_slot(source->ledger, shape->offset) : parcel_new(shape->size);
    if (parcel == NULL) {
        Py_CLEAR(entry->object);
        PyErr_NoMemory();
        return -1;
    }
    if (shape->is_slot) {
        parcel->key = message->key;
        parcel->is_held = 1;
    } else {
        memcpy(parcel->payload, message->payload, shape->size);
    }
    entry->content = PARCEL;
    entry->parcel = parcel;
    entry->kind = Py_NewRef(shape->kind);
    entry->length = shape->length;
    return 0;
}

static int take_in(Source *source, struct sound *message)
{
    struct shape *shape = &message->shape;
    struct entry entry = {.inlet = shape->inlet, .sent_ns = message->sent_ns, .size = shape->size};
    if (message->metadata_size) {
        entry.object = PyBytes_FromStringAndSize((const char *)message->metadata, (Py_ssize_t)message->metadata_size);
        if (entry.object == NULL)
            return -1;
    }
    if (shape->is_slot) {
        source->seen++;
        source->seen_bytes += shape->size;
        source->offset_before = source->last.offset;
        source->last_key = message->key;
        source->is_last_returned = 0;
    }
    source->last = *shape;
    int is_ready = source->event != NULL && is_same_shape(shape, &source->ready);
    if ((is_ready ? use_ready(source, message, &entry) : use_parcel(source, message, &entry)) < 0)
        return -1;
    entry.source = (Source *)Py_NewRef(source);
    return queues_put(source->queues, shape->inlet->queue, entry, 0);
}

int source_prepare(Source *source)
{
    struct shape wanted = source->last;
    if (wanted.inlet == NULL || source->descriptor < 0 || (!wanted.is_slot && wanted.size > LARGEST_PREPARED))
        return 0;
    if (wanted.is_slot && !source->is_last_returned)
        wanted.offset = source->offset_before;
    if (source->event != NULL && is_same_shape(&wanted, &source->ready))
        return 0;
    if (wanted.is_slot && (wanted.offset > source->ledger->size || wanted.size > source->ledger->size - wanted.offset))
        return 0; /* the one before was smaller */
    drop_ready(source);
    struct parcel *parcel = wanted.is_slot ? parcel_of_slot(source->ledger, wanted.offset) : parcel_new(wanted.size);
    if (parcel == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject *id = wanted.inlet->queue->id;
    source->event = maker_event(&source->queues->maker, id, wanted.kind, parcel, wanted.length, 0, NULL);
    if (source->event == NULL)
        return -1;
    source->parcel = parcel;
    source->ready = wanted;
    return 0;
}

/* ---- frames */

static int hand_over(Source *source, const uint8_t *frame, uint32_t size)
{
    PyObject *made = PyObject_CallFunction(source->frame, "iiiIy#", frame[4], frame[5], (int)read16(frame + 6),
                                           (unsigned int)read32(frame + 8), frame + HEADER, (Py_ssize_t)size);
    if (made == NULL)
        return -1;
    PyObject *on_frame = Py_NewRef(source->on_frame); /* it may hang up, and let go of itself */
    PyObject *done = PyObject_CallOneArg(on_frame, made);
    Py_DECREF(on_frame);
    Py_DECREF(made);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

/* Makes room for another read; it grows with what has come, not with what a header promises. */
static int make_room(Source *source)
{
    if (source->buffer != NULL && source->room - source->have >= CHUNK / 2)
        return 0;
    size_t room = source->have + source->have / 2 + CHUNK;
    uint8_t *buffer = PyMem_Realloc(source->buffer, room);
    if (buffer == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    source->buffer = buffer;
    source->room = room;
    return 0;
}

/* Moves what is left of the buffer to its front; a large frame's room is not kept. */
static void keep_rest(Source *source, size_t at)
{
    if (at > source->have) /* hung up on meanwhile */
        return;
    source->have -= at;
    if (at && source->have)
        memmove(source->buffer, source->buffer + at, source->have);
    if (source->room > 2 * CHUNK && source->have <= CHUNK / 2) {
        uint8_t *buffer = PyMem_Realloc(source->buffer, CHUNK);
        if (buffer != NULL) {
            source->buffer = buffer;
            source->room = CHUNK;
        }
    }
}

static int cut(Source *source)
{
    size_t at = 0;
    int status = 0;
    while (status == 0 && source->have >= at + HEADER) {
        const uint8_t *frame = source->buffer + at;
        uint32_t size = read32(frame);
        if (size > LARGEST_BODY) {
            PyErr_Format(source->wire_error, "a frame of %u bytes; at most %u are allowed", size, LARGEST_BODY);
            status = -1;
            break;
        }
        if (source->have - at - HEADER < size)
            break;
        struct sound message;
        int is_sound = read_message(source, frame, size, &message);
        status = is_sound ? take_in(source, &message) : hand_over(source, frame, size);
        at += HEADER + size;
    }
    keep_rest(source, at);
    return status;
}

/* Notes what went wrong for `receive` to tell; anything but a WireError is not the producer's doing. */
static int note_error(Source *source)
{
    if (!PyErr_ExceptionMatches(source->wire_error))
        return -1;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    Py_XSETREF(source->error, value);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return 0;
}

int source_read(Source *source)
{
    if (source->descriptor < 0 || source->error != NULL || source->has_ended)
        return 0;
    if (make_room(source) < 0)
        return -1;
    ssize_t got = recv(source->descriptor, source->buffer + source->have, source->room - source->have, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    if (got <= 0) { /* a reset says the same as an end: the peer is gone */
        source->has_ended = 1;
        return 0;
    }
    source->have += (size_t)got;
    return cut(source) < 0 ? note_error(source) : 1;
}

int source_descriptor(Source *source)
{
    return source->descriptor;
}

Gate *source_gate(Source *source)
{
    return source->gate;
}

/* ---- the type */

static int read_inlet(Source *source, PyObject *given)
{
    unsigned short link;
    PyObject *input;
    int is_held_back, is_bounded;
    unsigned int at_once;
    if (!PyArg_ParseTuple(given, "HUppI", &link, &input, &is_held_back, &is_bounded, &at_once))
        return -1;
    PyObject *queue = PyDict_GetItemWithError(source->queues->by_name, input);
    if (queue == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetObject(PyExc_KeyError, input);
        return -1;
    }
    source->inlets[source->inlet_count++] = (struct inlet){
        .link = link,
        .is_open = 1,
        .is_held_back = is_held_back,
        .is_bounded = is_bounded,
        .at_once = at_once,
        .queue = (Queue *)Py_NewRef(queue),
    };
    return 0;
}

static int open_source(Source *source, int descriptor, int memory, PyObject *inlets)
{
    source->ledger = ledger_new(memory, gate_bell(source->gate));
    if (source->ledger == NULL) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    source->inlets = PyMem_New(struct inlet, PyTuple_GET_SIZE(inlets) + 1);
    if (source->inlets == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(inlets); at++)
        if (read_inlet(source, PyTuple_GET_ITEM(inlets, at)) < 0)
            return -1;
    if (gate_add(source->gate, source, descriptor) < 0)
        return -1;
    source->descriptor = descriptor;
    return 0;
}

static PyObject *source_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"gate", "queues", "connection", "memory", "inlets", "on_frame", "frame", "wire_error", NULL};
    PyObject *gate, *queues, *connection, *inlets, *on_frame, *frame, *wire_error;
    int memory;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!OiO!OOO", names, &GateType, &gate, &QueuesType, &queues,
                                     &connection, &memory, &PyTuple_Type, &inlets, &on_frame, &frame, &wire_error))
        return NULL;
    int descriptor = PyObject_AsFileDescriptor(connection);
    Source *source = descriptor >= 0 ? (Source *)type->tp_alloc(type, 0) : NULL;
    if (source == NULL)
        return NULL;
    source->descriptor = -1;
    source->gate = (Gate *)Py_NewRef(gate);
    source->queues = (Queues *)Py_NewRef(queues);
    source->connection = Py_NewRef(connection);
    source->on_frame = Py_NewRef(on_frame);
    source->frame = Py_NewRef(frame);
    source->wire_error = Py_NewRef(wire_error);
    if (open_source(source, descriptor, memory, inlets) < 0)
        Py_CLEAR(source);
    return (PyObject *)source;
}

static int source_traverse(Source *source, visitproc visit, void *arg)
{
    Py_VISIT(source->gate);
    Py_VISIT(source->queues);
    Py_VISIT(source->connection);
    Py_VISIT(source->on_frame);
    Py_VISIT(source->frame);
    Py_VISIT(source->wire_error);
    Py_VISIT(source->error);
    Py_VISIT(source->event);
    for (Py_ssize_t at = 0; at < source->inlet_count; at++)
        Py_VISIT(source->inlets[at].queue);
    return 0;
}

static void hang_up(Source *source)
{
    if (source->descriptor >= 0)
        gate_remove(source->gate, source->descriptor);
    source->descriptor = -1;
    source->have = 0;
    drop_ready(source);
    Py_CLEAR(source->on_frame);
}

static int source_clear(Source *source)
{
    hang_up(source);
    Py_CLEAR(source->connection);
    Py_CLEAR(source->error);
    return 0;
}

static void source_dealloc(Source *source)
{
    PyObject_GC_UnTrack(source);
    source_clear(source);
    for (Py_ssize_t at = 0; at < source->inlet_count; at++)
        Py_DECREF(source->inlets[at].queue);
    for (uint32_t number = 0; number < source->type_room; number++)
        Py_XDECREF(source->types[number].kind);
    PyMem_Free(source->inlets);
    PyMem_Free(source->types);
    PyMem_Free(source->buffer);
    if (source->ledger != NULL)
        ledger_drop(source->ledger);
    Py_CLEAR(source->gate);
    Py_CLEAR(source->queues);
    Py_CLEAR(source->frame);
    Py_CLEAR(source->wire_error);
    Py_TYPE(source)->tp_free(source);
}

static PyObject *source_receive(Source *source, PyObject *unused)
{
    (void)unused;
    int status = source_read(source);
    if (status < 0)
        return NULL;
    if (source->error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(source->error), source->error);
        return NULL;
    }
    return PyBool_FromLong(!source->has_ended);
}

static PyObject *source_feed(Source *source, PyObject *data)
{
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "feed takes bytes");
        return NULL;
    }
    size_t size = (size_t)PyBytes_GET_SIZE(data);
    if (source->descriptor < 0)
        Py_RETURN_NONE;
    if (source->room < source->have + size) {
        uint8_t *buffer = PyMem_Realloc(source->buffer, source->have + size + CHUNK);
        if (buffer == NULL)
            return PyErr_NoMemory();
        source->buffer = buffer;
        source->room = source->have + size + CHUNK;
    }
    memcpy(source->buffer + source->have, PyBytes_AS_STRING(data), size);
    source->have += size;
    if (cut(source) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *source_learn(Source *source, PyObject *args)
{
    unsigned int number;
    PyObject *kind;
    int width;
    if (!PyArg_ParseTuple(args, "IOi", &number, &kind, &width))
        return NULL;
    if (!number || number > MOST_TYPES)
        Py_RETURN_NONE;
    if (number >= source->type_room) {
        uint32_t room = source->type_room ? source->type_room : 8;
        while (room <= number)
            room *= 2;
        struct type *types = PyMem_Realloc(source->types, room * sizeof *types);
        if (types == NULL)
            return PyErr_NoMemory();
        memset(types + source->type_room, 0, (room - source->type_room) * sizeof *types);
        source->types = types;
        source->type_room = room;
    }
    drop_ready(source); /* it may be of the type that had the number before */
    source->last.inlet = NULL;
    Py_XSETREF(source->types[number].kind, width > 0 ? Py_NewRef(kind) : NULL);
    source->types[number].width = width;
    Py_RETURN_NONE;
}

static struct inlet *named_inlet(Source *source, PyObject *given)
{
    unsigned long link = PyLong_AsUnsignedLong(given);
    if (link == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    struct inlet *inlet = link <= UINT16_MAX ? find_inlet(source, (uint16_t)link) : NULL;
    if (inlet == NULL)
        PyErr_SetObject(PyExc_KeyError, given);
    return inlet;
}

static PyObject *source_close_link(Source *source, PyObject *link)
{
    struct inlet *inlet = named_inlet(source, link);
    if (inlet == NULL)
        return NULL;
    inlet->is_open = 0;
    Py_RETURN_NONE;
}

static PyObject *source_credit_method(Source *source, PyObject *link)
{
    struct inlet *inlet = named_inlet(source, link);
    if (inlet == NULL || source_credit(source, inlet) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *source_pay_method(Source *source, PyObject *unused)
{
    (void)unused;
    if (source_pay(source) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *source_give_back_method(Source *source, PyObject *unused)
{
    (void)unused;
    if (source_give_back(source) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *source_append(Source *source, PyObject *key)
{
    unsigned int segment, slot, generation;
    if (!PyArg_ParseTuple(key, "III", &segment, &slot, &generation))
        return NULL;
    if (source->ledger != NULL)
        ledger_return(source->ledger, (struct key){segment, slot, generation});
    Py_RETURN_NONE;
}

static PyObject *source_see(Source *source, PyObject *size)
{
    unsigned long long bytes = PyLong_AsUnsignedLongLong(size);
    if (bytes == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    source->seen++;
    source->seen_bytes += bytes;
    Py_RETURN_NONE;
}

static PyObject *source_leave(Source *source, PyObject *last_words)
{
    if (!PyBytes_Check(last_words) || PyBytes_GET_SIZE(last_words) != HEADER) {
        PyErr_SetString(PyExc_TypeError, "the last words are a frame without a body");
        return NULL;
    }
    if (source->descriptor < 0 || source->ledger == NULL)
        Py_RETURN_NONE;
    if (source_give_back(source) < 0
        || source_report(source, (const uint8_t *)PyBytes_AS_STRING(last_words), HEADER) < 0)
        return NULL;
    int kept = fcntl(source->descriptor, F_DUPFD_CLOEXEC, 0);
    if (kept < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    hang_up(source);
    ledger_keep(source->ledger, kept);
    ledger_drop(source->ledger);
    source->ledger = NULL;
    Py_RETURN_NONE;
}

static PyObject *source_hang_up(Source *source, PyObject *unused)
{
    (void)unused;
    hang_up(source);
    Py_RETURN_NONE;
}

static PyMethodDef source_methods[] = {
    {"receive", (PyCFunction)source_receive, METH_NOARGS, "Read what is there; False at the end. Raises WireError."},
    {"feed", (PyCFunction)source_feed, METH_O, "Take bytes that were read already. Raises WireError."},
    {"learn", (PyCFunction)source_learn, METH_VARARGS,
     "Note a type by its number, with the bytes of a value; without any its messages are left to Python."},
    {"close_link", (PyCFunction)source_close_link, METH_O, "Note that nothing more comes on a link."},
    {"credit", (PyCFunction)source_credit_method, METH_O, "Let the producer send one more message on a link."},
    {"pay", (PyCFunction)source_pay_method, METH_NOARGS, "Tell the producer of all that it is owed."},
    {"give_back", (PyCFunction)source_give_back_method, METH_NOARGS, "Send back slots, and what was seen."},
    {"append", (PyCFunction)source_append, METH_O, "Note a slot that is no longer read, by its key."},
    {"see", (PyCFunction)source_see, METH_O, "Count a message in a slot of so many bytes."},
    {"leave", (PyCFunction)source_leave, METH_O, "Read no more; the connection lives as long as its arrays."},
    {"hang_up", (PyCFunction)source_hang_up, METH_NOARGS, "Use the descriptor no more: it is going to be closed."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject SourceType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Source",
    .tp_doc = "A producer's connection.",
    .tp_basicsize = sizeof(Source),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = source_new,
    .tp_dealloc = (destructor)source_dealloc,
    .tp_traverse = (traverseproc)source_traverse,
    .tp_clear = (inquiry)source_clear,
    .tp_methods = source_methods,
};
