/* What a reader sends back to its producer: credits, slots, and what it has seen. */
#include "inbound.h"
#include "source.h"

#include <errno.h>
#include <sys/socket.h>

#define RELEASE_KEY 12
#define CREDIT_FRAME 12
#define KIND_RELEASE 4
#define KIND_CREDIT 5
#define KIND_SEEN 7
#define MOST_RELEASED 4096
#define FEW 8 /* credits that are given at once: up to so many, each is shown when it is there */

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

/* ---- by the head of the ring */

void source_begin_returns(Source *source)
{
    source->has_returns = 1;
    for (Py_ssize_t at = 0; at < source->inlet_count; at++)
        source->inlets[at].credited = source->inlets[at].owed; /* what came before has gone by the connection */
}

/* Has the producer look into the head. */
static int beckon(Source *source)
{
    uint8_t frame[HEADER];
    write_header(frame, 0, KIND_SEEN, 0, 0);
    return source_send(source, frame, sizeof frame);
}

static void show_seen(Source *source)
{
    source->seen_total += source->seen;
    source->seen = 0;
    source->seen_bytes = 0;
    ring_see(source->ring, source->seen_total);
}

static void note_returned(Source *source, const struct key *key)
{
    if (memcmp(key, &source->last_key, sizeof *key) == 0)
        source->is_last_returned = 1;
}

/* Gives back the slots that there is room for. */
static void show_returned(Source *source)
{
    struct key keys[RING_RETURNS];
    if (source->seen)
        show_seen(source);
    if (source->ledger == NULL || !atomic_load(&source->ledger->count))
        return;
    size_t room = ring_return_room(source->ring, source->returned);
    size_t count = room ? ledger_take(source->ledger, keys, room) : 0;
    for (size_t at = 0; at < count; at++) {
        const uint32_t name[] = {keys[at].segment, keys[at].slot, keys[at].generation};
        ring_write_return(source->ring, source->returned++, name);
        note_returned(source, &keys[at]);
    }
    if (count)
        ring_return(source->ring, source->returned);
}

/* Tells a producer that waits for something; the others find what was given back when they need it. */
static int tell_of_returned(Source *source)
{
    if (source->told == source->returned)
        return 0;
    source->told = source->returned; /* first: one that begins to wait after this sees all of them by itself */
    return ring_is_wanted(source->ring) ? beckon(source) : 0;
}

static int has_head(const Source *source, const struct inlet *inlet)
{
    return source->has_returns && inlet->place >= 0;
}

static int show_credit(Source *source, struct inlet *inlet)
{
    inlet->credited++;
    int is_due = inlet->owed >= inlet->at_once;
    if (is_due || inlet->at_once <= FEW)
        ring_credit(source->ring, inlet->place, inlet->credited);
    if (!is_due) {
        source->owes = 1;
        return 0;
    }
    inlet->owed = 0;
    show_returned(source);
    return ring_is_wanted(source->ring) ? beckon(source) : 0;
}

static int pay_by_head(Source *source, struct inlet *inlet)
{
    inlet->owed = 0;
    ring_credit(source->ring, inlet->place, inlet->credited);
    return ring_is_wanted(source->ring) ? beckon(source) : 0;
}

/* ---- either way */

int source_credit(Source *source, struct inlet *inlet)
{
    if (inlet->lane != NULL) { /* what its sender is told is worked out from that */
        inlet->lane->waiting -= inlet->lane->waiting > 0;
        return 0;
    }
    if (source->descriptor < 0)
        return 0;
    inlet->owed++;
    if (has_head(source, inlet))
        return show_credit(source, inlet);
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
    for (Py_ssize_t at = 0; at < source->inlet_count; at++) {
        struct inlet *inlet = &source->inlets[at];
        if (!inlet->owed || source->descriptor < 0)
            continue;
        if ((has_head(source, inlet) ? pay_by_head(source, inlet) : send_credit(source, inlet)) < 0)
            return -1;
    }
    return 0;
}

int source_report(Source *source, const uint8_t *more, size_t more_size)
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
        if (source->has_returns)
            show_seen(source);
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
            note_returned(source, &keys[at]);
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
    if (source->has_returns) {
        show_returned(source);
        if (tell_of_returned(source) < 0)
            return -1;
    }
    while (atomic_load(&source->ledger->count) || source->seen_bytes >= REPORT_AFTER) {
        int is_open = ask(source->connection, "is_open");
        if (is_open <= 0)
            return is_open;
        if (source_report(source, NULL, 0) < 0)
            return -1;
    }
    return 0;
}
