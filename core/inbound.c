/* Messages from another host: the records of a pack, taken in as far as they are sound and follow one another.
 *
 * The first that is not is left to Python, which tells what is wrong; runtime/net/unpacking.py has the twins.
 */
#include "inbound.h"
#include "desk.h"
#include "source.h"

#include <structmember.h>

#define NUMBER_SIZE 8
#define WINDOW_MESSAGES 256 /* as in runtime/net/lanes.py */

/* Whether a message is the next of its edge, and there is a place for it. */
static int is_next(const InboundState *lane, uint64_t number)
{
    return lane != NULL && number == lane->taken + 1 && (!lane->is_bounded || lane->waiting < lane->queue_size);
}

Py_ssize_t source_take_pack(Source *source, const uint8_t *data, Py_ssize_t size, Py_ssize_t at)
{
    Py_ssize_t begin = at;
    while (size - at >= NUMBER_SIZE + HEADER) {
        const uint8_t *frame = data + at + NUMBER_SIZE;
        uint32_t body = read32(frame);
        struct sound message;
        if ((uint64_t)(size - at) < (uint64_t)NUMBER_SIZE + HEADER + body)
            break;
        if (!source_read_message(source, frame, body, &message) || message.shape.is_slot)
            break;
        InboundState *lane = message.shape.inlet->lane;
        if (!is_next(lane, read64(data + at)))
            break;
        if (source_take_in(source, &message) < 0)
            return -1;
        lane->taken++;
        lane->waiting++;
        at += NUMBER_SIZE + HEADER + (Py_ssize_t)body;
    }
    source->untold += at - begin;
    return at;
}

/* As `Inbound.is_due` in runtime/net/lanes.py. */
static int is_due(const InboundState *lane, int at_rest)
{
    if (lane->is_bounded) {
        int64_t limit = (int64_t)lane->taken + lane->queue_size - lane->waiting;
        int64_t moved = limit - (int64_t)lane->told_limit;
        return moved > 0 && (at_rest || moved >= lane->queue_size / 4);
    }
    uint64_t window = lane->queue_size > WINDOW_MESSAGES ? (uint64_t)lane->queue_size : WINDOW_MESSAGES;
    return lane->taken - lane->told_taken >= window / (at_rest ? 4 : 2);
}

int source_owes_stands(const Source *source, int at_rest)
{
    if (source->untold >= REPORT_AFTER)
        return 1;
    for (Py_ssize_t at = 0; at < source->inlet_count; at++)
        if (source->inlets[at].lane != NULL && is_due(source->inlets[at].lane, at_rest))
            return 1;
    return 0;
}

PyObject *source_take_records(Source *source, PyObject *args)
{
    Py_buffer data;
    Py_ssize_t at;
    if (!PyArg_ParseTuple(args, "y*n", &data, &at))
        return NULL;
    Py_ssize_t stopped = at < 0 ? -1 : source_take_pack(source, data.buf, data.len, at);
    PyBuffer_Release(&data);
    if (stopped < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "records begin at a place within them");
    return stopped < 0 ? NULL : PyLong_FromSsize_t(stopped);
}

/* ---- the type */

static int inbound_init(InboundState *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"queue_size", "is_bounded", NULL};
    int is_bounded;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "np", names, &self->queue_size, &is_bounded))
        return -1;
    self->is_bounded = (char)is_bounded;
    return 0;
}

static PyMemberDef inbound_members[] = {
    {"taken", T_ULONGLONG, offsetof(InboundState, taken), 0, NULL},
    {"told_taken", T_ULONGLONG, offsetof(InboundState, told_taken), 0, NULL},
    {"told_limit", T_ULONGLONG, offsetof(InboundState, told_limit), 0, NULL},
    {"queue_size", T_PYSSIZET, offsetof(InboundState, queue_size), READONLY, NULL},
    {"waiting", T_PYSSIZET, offsetof(InboundState, waiting), 0, NULL},
    {"is_bounded", T_BOOL, offsetof(InboundState, is_bounded), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject InboundStateType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.InboundState",
    .tp_doc = "How far an edge from another host is.",
    .tp_basicsize = sizeof(InboundState),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)inbound_init,
    .tp_members = inbound_members,
};
