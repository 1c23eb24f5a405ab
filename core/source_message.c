/* Messages of a producer: every field is checked, and a sound one becomes an entry of its queue.
 *
 * Only a message of a flat type is taken in here. Every other one, and every one that something is wrong with, is left
 * to Python: what is wrong is told there, in one place.
 */
#define _GNU_SOURCE
#include "source.h"

#define MESSAGE_HEAD 20
#define SLOT_NAME 28
#define FLAT_RECORD 57
#define IN_SLOT 1
#define ALIGNMENT 64
#define LARGEST_PREPARED CHUNK
#define MOST_WRONG 5

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

struct inlet *source_inlet(Source *source, uint16_t link)
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

int source_read_message(Source *source, const uint8_t *frame, uint32_t size, struct sound *message)
{
    uint8_t flags = frame[5];
    uint32_t number = read32(frame + 8);
    if (frame[4] != KIND_MESSAGE || flags & ~IN_SLOT || size < MESSAGE_HEAD
        || (flags & IN_SLOT && source->ledger == NULL))
        return 0;
    struct inlet *inlet = source_inlet(source, read16(frame + 6));
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

void source_drop_ready(Source *source)
{
    source->parcel = NULL;
    Py_CLEAR(source->event);
}

/* Completes the event that was made for a message like this one. */
static int use_ready(Source *source, struct sound *message, struct entry *entry)
{
    struct parcel *parcel = source->parcel;
    char *place = parcel != NULL ? (char *)parcel->buffers[1] : PyBytes_AS_STRING(PyTuple_GET_ITEM(source->event, 2));
    if (message->shape.is_slot) {
        parcel->key = message->key;
        parcel->is_held = 1;
    } else {
        memcpy(place, message->payload, message->shape.size);
    }
    entry->content = EVENT;
    entry->form = source->event_form;
    entry->start = place;
    PyObject *encoded = entry->object;
    entry->object = source->event;
    source->event = NULL;
    source->parcel = NULL;
    int status = maker_stamp(&source->queues->maker, entry->object, message->sent_ns, encoded);
    Py_XDECREF(encoded);
    return status;
}

static int use_bytes(struct sound *message, struct entry *entry)
{
    entry->content = BYTES;
    entry->bytes = PyBytes_FromStringAndSize((const char *)message->payload, (Py_ssize_t)message->shape.size);
    return entry->bytes != NULL ? 0 : -1;
}

static int use_parcel(Source *source, struct sound *message, struct entry *entry)
{
    struct shape *shape = &message->shape;
    entry->content = PARCEL;
    entry->parcel = shape->is_slot ? parcel_of_slot(source->ledger, shape->offset)
                                   : parcel_of(message->payload, shape->size);
    if (entry->parcel == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (shape->is_slot) {
        entry->parcel->key = message->key;
        entry->parcel->is_held = 1;
    }
    entry->start = entry->parcel->buffers[1];
    return 0;
}

/* Whether an event was made for a message like this one, in the form that is asked for. */
static int is_foreseen(Source *source, const struct shape *shape)
{
    int is_ready = is_same_shape(shape, &source->ready) && source->event_form == source->queues->maker.form;
    source->wrong = is_ready ? 0 : source->wrong < MOST_WRONG ? source->wrong + 1 : MOST_WRONG;
    source->left_out = (1 << source->wrong) - 1;
    return is_ready;
}

static int use_payload(Source *source, struct sound *message, struct entry *entry)
{
    if (source->event != NULL && is_foreseen(source, &message->shape))
        return use_ready(source, message, entry);
    if (source->queues->maker.form == AS_BYTES && !message->shape.is_slot)
        return use_bytes(message, entry);
    return use_parcel(source, message, entry);
}

int source_take_in(Source *source, struct sound *message)
{
    struct shape *shape = &message->shape;
    struct entry entry = {
        .inlet = shape->inlet,
        .sent_ns = message->sent_ns,
        .size = shape->size,
        .length = shape->length,
        .is_slot = shape->is_slot,
    };
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
    entry.kind = Py_NewRef(shape->kind);
    entry.source = (Source *)Py_NewRef(source);
    if (use_payload(source, message, &entry) < 0) {
        entry_drop(&entry);
        return -1;
    }
    if (queues_put(source->queues, shape->inlet->queue, entry, 0) < 0)
        return -1;
    return queues_note_fed(source->queues, shape->inlet->queue);
}

int source_prepare(Source *source)
{
    struct shape wanted = source->last;
    int is_over = source->descriptor < 0 && source->connection != Py_None; /* on another host it never has one */
    if (wanted.inlet == NULL || is_over || (!wanted.is_slot && wanted.size > LARGEST_PREPARED))
        return 0;
    if (wanted.is_slot && !source->is_last_returned)
        wanted.offset = source->offset_before;
    enum form form = source->queues->maker.form;
    if (source->event != NULL && source->event_form == form && is_same_shape(&wanted, &source->ready))
        return 0;
    if (source->left_out > 0) { /* in a flood no guess fits, and making the event costs what another would */
        source->left_out--;
        return 0;
    }
    if (wanted.is_slot && (wanted.offset > source->ledger->size || wanted.size > source->ledger->size - wanted.offset))
        return 0; /* the one before was smaller */
    source_drop_ready(source);
    struct parcel *parcel = NULL;
    PyObject *value;
    if (form == AS_BYTES && !wanted.is_slot) {
        value = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)wanted.size);
    } else {
        parcel = wanted.is_slot ? parcel_of_slot(source->ledger, wanted.offset) : parcel_new(wanted.size);
        if (parcel == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        value = maker_value(&source->queues->maker, form, wanted.kind, parcel, wanted.length, wanted.size);
    }
    source->event = maker_event(&source->queues->maker, form, wanted.inlet->queue->id, value, 0, NULL);
    if (source->event == NULL)
        return -1;
    source->parcel = parcel;
    source->event_form = form;
    source->ready = wanted;
    return 0;
}
