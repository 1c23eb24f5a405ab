/* What a reader on another host says of its links, taken in where the sender passes by: how far they are, and no more.
 *
 * All else is left to Python, and so is a word about messages that were not packed: it may be taken in twice, since it
 * tells totals. The twins are `FarConsumer.look` in runtime/net/outgoing.py and `Outbound.hear` in runtime/net/lanes.py.
 */
#include "outbox.h"

#include <endian.h>

enum { FRAME_GRANT = 17, STAND_SIZE = 18, MOST_AT_ONCE = 256 };

/* Lets go of packs that have arrived; 0 at something else. */
static int let_go(Outbox *self, OutboundState *lane, uint64_t taken)
{
    for (;;) {
        Py_ssize_t count = PyObject_Size(lane->flying);
        if (count <= 0)
            return count < 0 ? -1 : 1;
        PyObject *parcel = PySequence_GetItem(lane->flying, 0);
        if (parcel == NULL)
            return -1;
        uint64_t number = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(parcel, 0));
        int is_pack = Py_IS_TYPE(PyTuple_GET_ITEM(parcel, 1), self->pack_type);
        Py_ssize_t size = PyLong_AsSsize_t(PyTuple_GET_ITEM(parcel, 2));
        Py_DECREF(parcel);
        if (PyErr_Occurred())
            return -1;
        if (number > taken || !is_pack)
            return number > taken;
        if (PySequence_DelItem(lane->flying, 0) < 0)
            return -1;
        lane->flying_bytes -= size;
    }
}

/* Takes in where one link is, as `Outbound.hear`; 0 for what is Python's. */
static int hear_stand(Outbox *self, const uint8_t *stand)
{
    uint16_t index;
    uint64_t taken, limit;
    memcpy(&index, stand, sizeof index);
    memcpy(&taken, stand + 2, sizeof taken);
    memcpy(&limit, stand + 10, sizeof limit);
    taken = le64toh(taken);
    limit = le64toh(limit);
    PyObject *link = PyLong_FromLong(le16toh(index));
    OutboundState *lane = link != NULL ? (OutboundState *)PyDict_GetItemWithError(self->lanes, link) : NULL;
    Py_XDECREF(link);
    if (lane == NULL)
        return PyErr_Occurred() ? -1 : 0;
    if (taken > lane->last || limit > (uint64_t)1 << 63)
        return 0;
    lane->limit = limit > lane->limit ? limit : lane->limit;
    lane->heard = taken > lane->heard ? taken : lane->heard;
    return let_go(self, lane, taken);
}

/* Takes in a frame; 0 for what is Python's. */
static int hear_frame(Outbox *self, const uint8_t *frame, size_t size)
{
    uint32_t body;
    if (size < HEADER_SIZE || frame[4] != FRAME_GRANT)
        return 0;
    memcpy(&body, frame, sizeof body);
    if (le32toh(body) != size - HEADER_SIZE || (size - HEADER_SIZE) % STAND_SIZE)
        return 0;
    int status = 1;
    for (size_t at = HEADER_SIZE; status == 1 && at < size; at += STAND_SIZE)
        status = hear_stand(self, frame + at);
    return status;
}

/* Gives a message to Python, its parts in one piece. */
static int leave(Outbox *self, ZeroMqSocket *wire, struct zeromq_message *message)
{
    PyObject *data = PyBytes_FromStringAndSize(NULL, 0);
    int has_more;
    do {
        PyBytes_ConcatAndDel(&data, PyBytes_FromStringAndSize(wire->calls.msg_data(message),
                                                             (Py_ssize_t)wire->calls.msg_size(message)));
        has_more = wire->calls.msg_more(message);
        wire->calls.msg_close(message);
    } while (has_more && zeromq_receive(wire, message));
    PyObject *name = data != NULL ? PyUnicode_InternFromString("take") : NULL;
    PyObject *done = name != NULL ? PyObject_CallMethodOneArg((PyObject *)self, name, data) : NULL;
    Py_XDECREF(name);
    Py_XDECREF(data);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

static int has_held(const Outbox *self)
{
    Py_ssize_t at = 0, held = 0;
    PyObject *lane;
    while (held == 0 && PyDict_Next(self->lanes, &at, NULL, &lane))
        held = PyObject_Size(((OutboundState *)lane)->held);
    return held < 0 ? -1 : held > 0;
}

int outbox_hear(Outbox *self)
{
    ZeroMqSocket *wire = (ZeroMqSocket *)self->wire;
    if (!Py_IS_TYPE(self->wire, &ZeroMqSocketType) || !self->is_up || !zeromq_stands(wire))
        return LEFT_TO_PYTHON;
    int count = 0;
    for (struct zeromq_message message; count < MOST_AT_ONCE && zeromq_receive(wire, &message); count++) {
        int status = 0;
        if (!wire->calls.msg_more(&message))
            status = hear_frame(self, wire->calls.msg_data(&message), wire->calls.msg_size(&message));
        if (status == 1) {
            wire->calls.msg_close(&message);
            continue;
        }
        if (status < 0) {
            wire->calls.msg_close(&message);
            return -1;
        }
        return leave(self, wire, &message) < 0 ? -1 : LEFT_TO_PYTHON;
    }
    if (count == MOST_AT_ONCE)
        return LEFT_TO_PYTHON;
    if (count == 0)
        return NOTHING_HEARD;
    int is_held = has_held(self);
    PyObject *done = is_held > 0 ? PyObject_CallMethod((PyObject *)self, "flush", NULL) : Py_NewRef(Py_None);
    Py_XDECREF(done);
    return is_held < 0 || done == NULL ? -1 : HEARD;
}
