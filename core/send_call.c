/* A message on its way to every reader of an output, where nothing has to be waited for; the rest is Python's.
 *
 * A call first looks whether every reader can be sent to, and changes nothing until it knows. All of it happens under
 * the node's lock and with the GIL held: a system call that never waits is shorter than giving the GIL away and back.
 */
#define _GNU_SOURCE
#include "send_call.h"

#include <endian.h>
#include <poll.h>
#include <time.h>

enum { SMALL = 2048, FRESH_NS = 200000, PATIENCE_NS = 1000000, HEAR_NS = 100000000 };

static int64_t now_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- news of the readers */

static int ask(PyObject *whom, const char *question)
{
    PyObject *answer = PyObject_GetAttrString(whom, question);
    if (answer == NULL)
        return -1;
    int is_true = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return is_true;
}

static int tell_core(Dispatch *self, const char *method, PyObject *what)
{
    PyObject *name = PyUnicode_FromString(method);
    PyObject *done = NULL;
    if (name != NULL)
        done = what == NULL ? PyObject_CallMethodNoArgs(self->core, name)
                            : PyObject_CallMethodOneArg(self->core, name, what);
    Py_XDECREF(name);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Hangs up on a reader that sent nonsense, as the poller would; the exception is what it was. */
static int hang_up(Dispatch *self, Account *account)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    PyObject *done = PyObject_CallMethod(self->core, "hang_up", "OO", (PyObject *)account, value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Takes back what a reader held that has ended, as the poller would. */
static int lose(Dispatch *self, Account *account)
{
    PyObject *done = PyObject_CallMethod(self->core, "note_end", "O", (PyObject *)account);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Reads what the readers of a route have sent, unless a thread waits that does it. Under the lock. */
static int hear_by(Dispatch *self, Route *route, int (*listen)(Account *))
{
    int is_watched = ask(self->gate, "is_claimed");
    if (is_watched != 0)
        return is_watched < 0 ? -1 : 0;
    int has_news = 0;
    for (Py_ssize_t at = 0; at < route->count; at++) {
        Account *account = route->targets[at].account;
        if (account == NULL || !account->connection->is_open)
            continue;
        Py_INCREF(account); /* what is called may take it out of the route */
        int had_waiting = account->connection->has_waiting;
        int heard = listen(account);
        int failed = heard < 0 && (!account_is_refused() || hang_up(self, account) < 0);
        if (heard == 0 && account->connection->has_ended)
            failed = lose(self, account) < 0;
        else if (!failed && account->connection->has_waiting && !had_waiting) /* the answer to a ring */
            failed = tell_core(self, "note_sent", (PyObject *)account) < 0;
        Py_DECREF(account);
        if (failed)
            return -1;
        has_news |= heard != 0;
    }
    self->heard_ns = now_of(CLOCK_MONOTONIC);
    return has_news ? tell_core(self, "note_news", NULL) : 0;
}

static int hear(Dispatch *self, Route *route)
{
    return hear_by(self, route, account_hear);
}

/* The same from time to time, for a sender that waits for nothing. */
static int keep_hearing(Dispatch *self, Route *route)
{
    return now_of(CLOCK_MONOTONIC) - self->heard_ns > FRESH_NS ? hear_by(self, route, account_overhear) : 0;
}

/* ---- who can be sent to */

static int resolve_far(Target *target, PyObject *found)
{
    PyObject *lane = PyDict_GetItemWithError(((Outbox *)found)->lanes, target->link);
    if (lane == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_XSETREF(target->outbox, (Outbox *)Py_NewRef(found));
    Py_XSETREF(target->far, (OutboundState *)Py_NewRef(lane));
    return 0;
}

/* Finds the account of a target; its lane is NULL if the reader is not connected. */
static int resolve(Dispatch *self, Target *target)
{
    if (target->is_other || (target->outbox != NULL && !target->outbox->has_left))
        return 0; /* it is the same for all processes of the reader */
    if (target->account != NULL && target->account->connection->is_open && !target->account->has_left)
        return 0; /* it is hung up on before another one takes its name */
    PyObject *found = PyDict_GetItemWithError(self->consumers, target->name);
    if (found == (PyObject *)target->account && found != NULL)
        return 0;
    if (found == NULL && PyErr_Occurred())
        return -1;
    Py_CLEAR(target->account);
    Py_CLEAR(target->lane);
    target->announced = 0;
    if (found == NULL)
        return 0;
    if (PyObject_TypeCheck(found, outbox_type))
        return resolve_far(target, found);
    if (!PyObject_TypeCheck(found, account_type)) {
        target->is_other = 1;
        return 0;
    }
    PyObject *lane = PyDict_GetItemWithError(((Account *)found)->lanes, target->link);
    if (lane == NULL)
        return PyErr_Occurred() ? -1 : 0;
    target->account = (Account *)Py_NewRef(found);
    target->lane = (Lane *)Py_NewRef(lane);
    return 0;
}

static int is_gone(const Target *target)
{
    if (target->outbox != NULL || target->is_other)
        return 0;
    return target->lane == NULL || !target->account->connection->is_open || target->account->has_left;
}

static int is_announced(Target *target, long number)
{
    if (target->announced == number)
        return DONE;
    PyObject *type_number = PyLong_FromLong(number);
    PyObject *types = target->outbox != NULL ? target->outbox->types : target->account->types;
    int is_there = type_number == NULL ? FAILED : PySet_Contains(types, type_number);
    Py_XDECREF(type_number);
    if (is_there == DONE && target->outbox == NULL) /* on a link between hosts it is announced anew after a cut */
        target->announced = number;
    return is_there;
}

/* Reads what a reader on another host has said, unless a thread waits that does it. */
static int hear_far(Dispatch *self, Outbox *outbox)
{
    int is_watched = ask(self->gate, "is_claimed");
    if (is_watched != 0)
        return is_watched < 0 ? -1 : 0;
    outbox->heard_ns = now_of(CLOCK_MONOTONIC);
    outbox->has_news = 0;
    int heard = outbox_hear(outbox);
    if (heard == LEFT_TO_PYTHON) {
        PyObject *done = PyObject_CallMethod((PyObject *)outbox, "look", NULL);
        Py_XDECREF(done);
        heard = done == NULL ? -1 : HEARD;
    }
    return heard == HEARD ? tell_core(self, "note_news", NULL) : heard; /* another thread may be about to wait for it */
}

static int is_to_hear(const Outbox *outbox)
{
    return outbox->has_news || now_of(CLOCK_MONOTONIC) - outbox->heard_ns >= HEAR_NS; /* a cut is heard of nowhere else */
}

/* Reads what a reader on another host has said, or lets the thread do so that waits. */
static int catch_up(Dispatch *self, Outbox *outbox)
{
    int had_news = outbox->has_news;
    if (hear_far(self, outbox) < 0)
        return -1;
    if (!had_news || !outbox->has_news)
        return 0;
    outbox->has_news = 0;
    PyObject *done = PyObject_CallMethod((PyObject *)outbox, "look_again", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int is_far_ready(Dispatch *self, Target *target, const Letter *letter, const Slot *slot)
{
    OutboundState *lane = target->far;
    if (!target->outbox->is_up || target->outbox->has_left
        || (slot != NULL ? slot->size : letter->content_size) > LARGEST_PACKED)
        return NOT_READY;
    if (!outbox_has_room(lane) && hear_far(self, target->outbox) < 0)
        return FAILED;
    int is_known = is_announced(target, letter->type_number); /* behind that: a new connection knows no types */
    if (is_known != DONE)
        return is_known;
    Py_ssize_t held = PyObject_Size(lane->held);
    if (held < 0)
        return FAILED;
    return target->outbox->is_up && !target->outbox->has_left && !lane->is_closing && !held && outbox_has_room(lane);
}

/* `held_by` is the descriptor of a reader that has to give a credit first, and may do so soon. */
static int is_ready(Dispatch *self, Route *route, Target *target, const Letter *letter, const Slot *slot, int *held_by)
{
    if (target->is_other)
        return NOT_READY;
    if (target->outbox != NULL)
        return is_far_ready(self, target, letter, slot);
    Account *account = target->account;
    Lane *lane = target->lane;
    int is_known = is_announced(target, letter->type_number);
    if (is_known != DONE)
        return is_known;
    if (lane->is_closing || (account->waiting && PyObject_Size(lane->held) != 0))
        return NOT_READY;
    if (lane->may_drop) {
        int is_over = account->bytes_held >= account->share && self->pool->bytes_in_use > self->pool->limit / 2;
        return !account->connection->has_waiting && !(slot != NULL && is_over);
    }
    if (lane->is_own || lane->credits > 0 || lane_await(lane) > 0)
        return DONE;
    if (hear(self, route) < 0)
        return FAILED;
    if (lane->credits > 0 || is_gone(target))
        return !is_gone(target);
    if (!account->connection->has_waiting) /* what is kept here it cannot read */
        *held_by = account->connection->descriptor;
    return NOT_READY;
}

/* Tells whether every reader that is there can be sent to at once. Under the lock. */
static int are_ready(Dispatch *self, Route *route, const Letter *letter, const Slot *slot, int *held_by)
{
    int verdict = DONE, somebody_is_gone = 0, is_far = 1;
    for (Py_ssize_t at = 0; verdict == DONE && at < route->count; at++) {
        Target *target = &route->targets[at];
        if (resolve(self, target) < 0)
            verdict = FAILED;
        else if (is_gone(target))
            somebody_is_gone = 1;
        else
            verdict = is_ready(self, route, target, letter, slot, held_by);
        is_far = is_far && target->outbox != NULL;
    }
    if (verdict == DONE)
        route->is_far = is_far;
    if (verdict == DONE && somebody_is_gone) {
        int is_closed = ask(self->core, "is_closed");
        return is_closed < 0 ? FAILED : !is_closed;
    }
    return verdict;
}

/* Waits a moment for a reader to say something, without the locks. */
static int await_word(Dispatch *self, int descriptor, int64_t patience)
{
    int is_watched = ask(self->gate, "is_claimed"); /* then it is another thread that hears it */
    if (is_watched != 0)
        return is_watched < 0 ? FAILED : NOT_READY;
    struct pollfd one = {.fd = descriptor, .events = POLLIN};
    struct timespec span = {.tv_nsec = patience};
    if (lock_release(self->lock) < 0)
        return FAILED;
    Py_BEGIN_ALLOW_THREADS
    ppoll(&one, 1, &span, NULL);
    Py_END_ALLOW_THREADS
    lock_acquire(self->lock);
    return DONE;
}

/* As `are_ready`, but a reader without a credit is given a moment: waiting in Python costs more than most waits take. */
static int become_ready(Dispatch *self, Route *route, const Letter *letter, const Slot *slot)
{
    int64_t limit = 0;
    for (;;) {
        int held_by = -1;
        int verdict = are_ready(self, route, letter, slot, &held_by);
        if (verdict != NOT_READY || held_by < 0)
            return verdict;
        int64_t now = now_of(CLOCK_MONOTONIC);
        limit = limit ? limit : now + PATIENCE_NS;
        if (now >= limit)
            return NOT_READY;
        verdict = await_word(self, held_by, limit - now);
        if (verdict != DONE)
            return verdict;
    }
}

/* ---- the letter */

static char *put(char *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

static char *put_u32(char *to, Py_ssize_t value)
{
    uint32_t narrow = htole32((uint32_t)value);
    return put(to, &narrow, sizeof(narrow));
}

static char *put_i64(char *to, int64_t value)
{
    uint64_t wide = htole64((uint64_t)value);
    return put(to, &wide, sizeof(wide));
}

void write_flat_record(char *to, Py_ssize_t length, Py_ssize_t size)
{
    to = put_i64(put_i64(put_i64(to, length), 0), 0);
    *to++ = 2;
    put_i64(put_i64(put_i64(put_i64(to, -1), 0), 0), size);
}

static void write_slot(char *to, const Slot *slot)
{
    to = put_u32(put_u32(put_u32(to, slot->key.segment), slot->key.slot), slot->key.generation);
    put_i64(put_i64(to, slot->offset), slot->size);
}

/* Writes the frame's parts; small ones lie in one piece in `flat`. Gives how many pieces there are. */
static int write_frame(const Letter *letter, char *flat, struct iovec *parts, Py_ssize_t *total)
{
    Py_ssize_t body = MESSAGE_SIZE + letter->metadata_size + letter->record_size + letter->content_size;
    char *to = put_u32(flat, body);
    *to++ = FRAME_MESSAGE;
    *to++ = (char)letter->flags;
    to = put_u32(to + 2, letter->type_number);
    to = put_i64(to, now_of(CLOCK_REALTIME));
    to = put_u32(put_u32(put_u32(to, letter->metadata_size), letter->record_size), letter->content_size);
    const struct iovec pieces[] = {
        {(void *)letter->metadata, (size_t)letter->metadata_size},
        {(void *)letter->record, (size_t)letter->record_size},
        {(void *)letter->content, (size_t)letter->content_size},
    };
    int count = 1, is_flat = 1;
    for (int at = 0; at < 3; at++) {
        if (pieces[at].iov_len == 0)
            continue;
        is_flat = is_flat && (size_t)(to - flat) + pieces[at].iov_len <= SMALL;
        if (is_flat)
            to = put(to, pieces[at].iov_base, pieces[at].iov_len);
        else
            parts[count++] = pieces[at];
    }
    parts[0] = (struct iovec){flat, (size_t)(to - flat)};
    *total = HEADER_SIZE + body;
    return count;
}

static void name_link(char *flat, const Target *target)
{
    uint16_t link = htole16(target->index);
    memcpy(flat + 6, &link, sizeof(link));
}

/* Sends to the readers on other hosts: the content itself, wherever it lies. */
static int post_far(Dispatch *self, Route *route, Letter letter, const Slot *slot)
{
    char flat[SMALL];
    struct iovec parts[4];
    Py_ssize_t total = 0;
    int count = 0;
    for (Py_ssize_t at = 0; at < route->count; at++) {
        Target *target = &route->targets[at];
        if (target->outbox == NULL)
            continue;
        if (count == 0) {
            if (slot != NULL) {
                letter.flags &= (unsigned char)~IN_SLOT;
                letter.content = (const char *)self->pool->memory.buf + slot->offset;
                letter.content_size = slot->size;
            }
            count = write_frame(&letter, flat, parts, &total);
        }
        name_link(flat, target);
        if (outbox_put(target->outbox, target->far, parts, count, total) < 0)
            return -1;
        if (target->outbox->packed && PyObject_SetAttrString(self->gate, "is_lagging", Py_True) < 0)
            return -1; /* the pack is handed on before the node waits */
        if (is_to_hear(target->outbox) && catch_up(self, target->outbox) < 0) /* behind the message, which it would delay */
            return -1;
    }
    return 0;
}

/* Whether an earlier target of the route is the same reader, with another input. */
static int is_met(const Route *route, Py_ssize_t at)
{
    Py_ssize_t before = 0;
    while (before < at && route->targets[before].account != route->targets[at].account)
        before++;
    return before < at;
}

/* Gives the bell in common, if a message of this route goes to everyone who has it. */
static CommonBell *bell_of_all(const Dispatch *self, const Route *route)
{
    CommonBell *common = self->pool->common;
    int missing = common == NULL ? 0 : common->holders - 1; /* one is the shelf */
    for (Py_ssize_t at = 0; missing && at < route->count; at++) {
        const Account *account = route->targets[at].account;
        missing -= account != NULL && account->connection->common == common && !is_met(route, at);
    }
    return missing ? NULL : common;
}

static void wake_each(const Route *route)
{
    for (Py_ssize_t at = 0; at < route->count; at++)
        if (route->targets[at].account != NULL && route->targets[at].account->connection->bell >= 0)
            ring_bell_toll(route->targets[at].account->connection->bell);
}

/* Sends to every reader that is there; each can be sent to. Under the lock. */
static int post(Dispatch *self, Route *route, const Letter *letter, Slot *slot)
{
    char flat[SMALL];
    struct iovec parts[4];
    Py_ssize_t total;
    if (route->is_far)
        return post_far(self, route, *letter, slot);
    int count = write_frame(letter, flat, parts, &total), has_far = 0, status = 0;
    Sleepers sleepers = {.common = bell_of_all(self, route)};
    for (Py_ssize_t at = 0; status == 0 && at < route->count; at++) {
        Target *target = &route->targets[at];
        has_far |= target->outbox != NULL;
        if (target->outbox != NULL || is_gone(target))
            continue;
        if (slot != NULL) {
            if (account_charge(target->account, slot) < 0) {
                status = -1;
                break;
            }
            slot->holders += 1;
        }
        if (!target->lane->may_drop)
            target->lane->credits -= 1;
        name_link(flat, target);
        Line *line = target->account->connection;
        int had_waiting = line->has_waiting;
        status = line_post(line, parts, count, total, &sleepers);
        if (status == 0 && line->has_waiting && !had_waiting)
            status = tell_core(self, "note_sent", (PyObject *)target->account);
    }
    if (!sleepers_wake(&sleepers))
        wake_each(route);
    if (status < 0)
        return -1;
    for (Py_ssize_t at = 0; at < route->count; at++)
        if (route->targets[at].account != NULL && route->targets[at].account->connection->ring != NULL)
            ring_make_ready(route->targets[at].account->connection->ring);
    return has_far ? post_far(self, route, *letter, slot) : 0;
}

/* ---- what lies in a slot */

/* Takes back the slots that readers have returned by the heads of their rings. */
static int fetch(Dispatch *self, Route *route)
{
    for (Py_ssize_t at = 0; at < route->count; at++) {
        Account *account = route->targets[at].account;
        if (account == NULL || !account->connection->is_open)
            continue;
        Py_INCREF(account); /* what is called may take it out of the route */
        int failed = account_fetch(account) < 0 && (!account_is_refused() || hang_up(self, account) < 0);
        Py_DECREF(account);
        if (failed)
            return -1;
    }
    return 0;
}

/* Finds the readers of a route that nothing was sent to from here yet: what they gave back is heard of nowhere else. */
static int resolve_all(Dispatch *self, Route *route)
{
    for (Py_ssize_t at = 0; at < route->count; at++)
        if (resolve(self, &route->targets[at]) < 0)
            return -1;
    return 0;
}

Slot *take_slot(Dispatch *self, Route *route, Py_ssize_t size, int is_fresh)
{
    Shelf *pool = self->pool;
    if (pool->taken + 1 >= pool->tidy_at)
        return NULL;
    if (resolve_all(self, route) < 0)
        return NULL;
    if (fetch(self, route) < 0 || (!is_fresh && keep_hearing(self, route) < 0))
        return NULL;
    Slot *slot = shelf_reuse(pool, size);
    if (slot == NULL && !PyErr_Occurred() && hear(self, route) == 0)
        slot = shelf_reuse(pool, size);
    return slot;
}

/* Leaves a message in a slot to Python, which waits for whoever is not ready. */
static PyObject *deliver_late(Dispatch *self, PyObject *output, KnownType *known, PyObject *metadata,
                              const char *record, Slot *slot)
{
    return PyObject_CallMethod((PyObject *)self, "deliver_late", "OlOy#O", output, known->number,
                               metadata == NULL ? Py_None : metadata, record, (Py_ssize_t)FLAT_SIZE, (PyObject *)slot);
}

PyObject *deliver(Dispatch *self, PyObject *output, KnownType *known, PyObject *metadata, Py_ssize_t length, Slot *slot,
                  int is_heard)
{
    char record[FLAT_SIZE], content[SLOT_SIZE];
    write_flat_record(record, length, slot->size);
    write_slot(content, slot);
    Letter letter = {
        .type_number = (long)known->number,
        .flags = IN_SLOT,
        .metadata = metadata == NULL ? NULL : PyBytes_AS_STRING(metadata),
        .metadata_size = metadata == NULL ? 0 : PyBytes_GET_SIZE(metadata),
        .record = record,
        .record_size = FLAT_SIZE,
        .content = content,
        .content_size = SLOT_SIZE,
    };
    Route *route = route_of(self, output);
    if (route == NULL)
        return NULL;
    lock_acquire(self->lock);
    route->messages++;
    route->bytes += (unsigned long long)slot->size;
    int verdict = become_ready(self, route, &letter, slot);
    if (verdict == DONE) {
        slot->holders += 1; /* ours, until every reader has its own */
        verdict = post(self, route, &letter, slot) < 0 ? FAILED : DONE;
        shelf_let_go(self->pool, slot);
        if (verdict == DONE && !is_heard && keep_hearing(self, route) < 0)
            verdict = FAILED;
    } else if (verdict == FAILED) {
        shelf_free(self->pool, slot);
    }
    lock_release(self->lock);
    if (verdict == FAILED)
        return NULL;
    if (verdict == NOT_READY)
        return deliver_late(self, output, known, metadata, record, slot);
    Py_RETURN_NONE;
}

/* ---- a message in its frame */

/* Whether a reader may have offered a ring that nobody has heard of: a node that only sends hears of it nowhere else. */
static int is_without_ring(const Route *route)
{
    for (Py_ssize_t at = 0; at < route->count; at++) {
        const Account *account = route->targets[at].account;
        if (account != NULL && account->connection->ring == NULL && account->connection->is_open)
            return 1;
    }
    return 0;
}

int post_inline(Dispatch *self, Route *route, const Letter *letter)
{
    if (!lock_try(self->lock))
        return NOT_READY;
    int verdict = become_ready(self, route, letter, NULL);
    if (verdict == DONE && post(self, route, letter, NULL) < 0)
        verdict = FAILED;
    if (verdict == DONE) {
        route->messages++;
        route->bytes += (unsigned long long)letter->content_size;
        if (is_without_ring(route) && keep_hearing(self, route) < 0)
            verdict = FAILED;
    }
    lock_release(self->lock);
    return verdict;
}

/* ---- room between hosts */

/* The first reader on another host that is to be waited for and can be sent nothing more; NULL if there is none. */
static Target *full_target(Route *route)
{
    for (Py_ssize_t at = 0; at < route->count; at++) {
        Target *target = &route->targets[at];
        if (target->outbox == NULL || !target->outbox->is_up || target->outbox->has_left)
            continue;
        OutboundState *lane = target->far;
        if (!lane->may_drop && !lane->is_closing && !outbox_has_room(lane))
            return target;
    }
    return NULL;
}

int await_room(Dispatch *self, PyObject *output)
{
    Route *route = route_of(self, output);
    if (route == NULL || !route->is_far)
        return PyErr_Occurred() ? FAILED : NOT_READY;
    lock_acquire(self->lock);
    Target *target = full_target(route);
    PyObject *name = target == NULL ? NULL : Py_NewRef(target->name);
    PyObject *link = target == NULL ? NULL : Py_NewRef(target->link);
    lock_release(self->lock);
    if (name == NULL)
        return NOT_READY;
    PyObject *answer = PyObject_CallMethod((PyObject *)self, "await_room", "OO", name, link);
    int verdict = answer == NULL ? FAILED : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    Py_DECREF(name);
    Py_DECREF(link);
    return verdict;
}
