/* Packs: small messages to a reader on another host, copied one behind the other and handed to the network together.
 *
 * A message that follows a pause goes at once. One that comes right after another waits for more, until the pack is
 * full, the edge may send no more, the node waits, or a moment has passed; the last two are seen to by Python. The
 * twins in Python are `OutboundState` and `Outbox` in runtime/net/packing.py.
 */
#include "outbox.h"

#include <endian.h>
#include <time.h>

PyTypeObject *outbound_type, *outbox_type;

enum {
    PAUSE_NS = 50000, /* between messages, from which handing on each costs a sender little */
    WINDOW_BYTES = 8 * 1024 * 1024,
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int outbox_has_room(const OutboundState *lane)
{
    return lane->last < lane->limit && lane->flying_bytes < WINDOW_BYTES;
}

/* ---- the open pack */

static int make_room(Outbox *self, Py_ssize_t size)
{
    Py_ssize_t needed = self->filled + size;
    if (self->pack == NULL) { /* the first message often goes alone, the second never does */
        self->pack = PyBytes_FromStringAndSize(NULL, needed);
        return self->pack == NULL ? -1 : 0;
    }
    if (needed <= PyBytes_GET_SIZE(self->pack))
        return 0;
    if (_PyBytes_Resize(&self->pack, needed > FULL_PACK ? needed : FULL_PACK) == 0)
        return 0;
    self->filled = self->packed = 0; /* the messages are lost with the process's memory; their numbers are missed */
    return -1;
}

static int call(Outbox *self, const char *method)
{
    PyObject *done = PyObject_CallMethod((PyObject *)self, method, NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *named_tuple(PyTypeObject *type, PyObject *values)
{
    PyObject *arguments = values != NULL ? PyTuple_Pack(1, values) : NULL;
    PyObject *made = arguments != NULL ? PyTuple_Type.tp_new(type, arguments, NULL) : NULL;
    Py_XDECREF(values);
    Py_XDECREF(arguments);
    return made;
}

/* Keeps a pack among what flies on an edge, as `Outbound.note_packed`. */
static int note_packed(Outbox *self, OutboundState *lane, PyObject *pack)
{
    PyObject *values = Py_BuildValue("KOn", (unsigned long long)lane->last, pack, lane->packed_bytes);
    PyObject *parcel = named_tuple(self->parcel_type, values);
    PyObject *name = PyUnicode_InternFromString("append");
    PyObject *done = parcel != NULL && name != NULL ? PyObject_CallMethodOneArg(lane->flying, name, parcel) : NULL;
    Py_XDECREF(name);
    Py_XDECREF(parcel);
    Py_XDECREF(done);
    lane->packed = lane->packed_bytes = 0;
    return done != NULL ? 0 : -1;
}

/* Hands the pack to ZeroMQ, as `FarConsumer.ship`. The sending comes last: what follows it delays the message where
 * the thread of ZeroMQ waits for this one's processor. */
static int ship(Outbox *self)
{
    if (!Py_IS_TYPE(self->wire, &ZeroMqSocketType))
        return call(self, "ship");
    PyObject *data = self->pack;
    Py_ssize_t filled = self->filled;
    self->pack = NULL;
    self->filled = self->packed = 0;
    if (_PyBytes_Resize(&data, filled) < 0)
        return -1;
    PyObject *pack = named_tuple(self->pack_type, Py_BuildValue("OO", data, Py_None));
    int status = pack != NULL ? 0 : -1;
    Py_ssize_t at = 0;
    PyObject *lane;
    while (status == 0 && PyDict_Next(self->lanes, &at, NULL, &lane))
        if (((OutboundState *)lane)->packed)
            status = note_packed(self, (OutboundState *)lane, pack);
    Py_XDECREF(pack);
    ZeroMqSocket *wire = (ZeroMqSocket *)self->wire;
    if (status == 0)
        zeromq_send(wire, PyBytes_AS_STRING(data), (size_t)filled);
    Py_DECREF(data);
    self->shipped_ns = now_ns();
    self->has_news = status == 0 && zeromq_has_more(wire);
    return status;
}

int outbox_put(Outbox *self, OutboundState *lane, const struct iovec *parts, int count, Py_ssize_t total)
{
    if (make_room(self, NUMBER_SIZE + total) < 0)
        return -1;
    char *to = PyBytes_AS_STRING(self->pack) + self->filled;
    uint64_t number = htole64(++lane->last);
    memcpy(to, &number, NUMBER_SIZE);
    to += NUMBER_SIZE;
    for (int at = 0; at < count; at++) {
        memcpy(to, parts[at].iov_base, parts[at].iov_len);
        to += parts[at].iov_len;
    }
    self->filled += NUMBER_SIZE + total;
    int is_first = self->packed++ == 0;
    lane->packed++;
    lane->packed_bytes += total;
    lane->flying_bytes += total;
    if (self->filled >= FULL_PACK - NUMBER_SIZE - total || !outbox_has_room(lane)
        || (is_first && now_ns() - self->shipped_ns >= PAUSE_NS))
        return ship(self);
    if (self->is_deferred)
        return 0;
    self->is_deferred = 1;
    return call(self, "defer");
}

/* Gives the pack, and what is in it: an edge's link, its last number, and the bytes. None if it is empty. */
static PyObject *outbox_seal(Outbox *self, PyObject *unused)
{
    (void)unused;
    if (self->packed == 0)
        Py_RETURN_NONE; /* nothing was shipped: the next message goes at once, whatever its reader has said just now */
    self->shipped_ns = now_ns();
    PyObject *runs = PyList_New(0);
    Py_ssize_t at = 0;
    PyObject *link, *found;
    while (runs != NULL && PyDict_Next(self->lanes, &at, &link, &found)) {
        OutboundState *lane = (OutboundState *)found;
        if (!lane->packed)
            continue;
        PyObject *run = Py_BuildValue("OKn", link, (unsigned long long)lane->last, lane->packed_bytes);
        if (run == NULL || PyList_Append(runs, run) < 0)
            Py_CLEAR(runs);
        Py_XDECREF(run);
        lane->packed = lane->packed_bytes = 0;
    }
    PyObject *pack = self->pack;
    Py_ssize_t filled = self->filled;
    self->pack = NULL;
    self->filled = self->packed = 0;
    if (_PyBytes_Resize(&pack, filled) < 0) {
        Py_XDECREF(runs);
        return NULL;
    }
    return runs == NULL ? NULL : Py_BuildValue("NN", pack, runs);
}

/* ---- the types */

static int outbound_init(OutboundState *self, PyObject *arguments, PyObject *names)
{
    static char *keywords[] = {"held", "flying", "may_drop", NULL};
    PyObject *held, *flying;
    int may_drop;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "OOp", keywords, &held, &flying, &may_drop))
        return -1;
    Py_XSETREF(self->held, Py_NewRef(held));
    Py_XSETREF(self->flying, Py_NewRef(flying));
    self->may_drop = (char)may_drop;
    return 0;
}

static int outbound_traverse(OutboundState *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->held);
    Py_VISIT(self->flying);
    return 0;
}

static int outbound_clear(OutboundState *self)
{
    Py_CLEAR(self->held);
    Py_CLEAR(self->flying);
    return 0;
}

static void outbound_dealloc(OutboundState *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    outbound_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMemberDef outbound_members[] = {
    {"held", T_OBJECT_EX, offsetof(OutboundState, held), READONLY, NULL},
    {"flying", T_OBJECT_EX, offsetof(OutboundState, flying), READONLY, NULL},
    {"last", T_ULONGLONG, offsetof(OutboundState, last), 0, NULL},
    {"limit", T_ULONGLONG, offsetof(OutboundState, limit), 0, NULL},
    {"heard", T_ULONGLONG, offsetof(OutboundState, heard), 0, NULL},
    {"flying_bytes", T_PYSSIZET, offsetof(OutboundState, flying_bytes), 0, NULL},
    {"packed", T_PYSSIZET, offsetof(OutboundState, packed), 0, NULL},
    {"may_drop", T_BOOL, offsetof(OutboundState, may_drop), READONLY, NULL},
    {"is_closing", T_BOOL, offsetof(OutboundState, is_closing), 0, NULL},
    {0},
};

static PyType_Slot outbound_slots[] = {
    {Py_tp_doc, "How far an edge to another host is."},
    {Py_tp_init, outbound_init},
    {Py_tp_traverse, outbound_traverse},
    {Py_tp_clear, outbound_clear},
    {Py_tp_dealloc, outbound_dealloc},
    {Py_tp_members, outbound_members},
    {0, NULL},
};

static PyType_Spec outbound_spec = {
    "doraflow_core.OutboundState",
    sizeof(OutboundState),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    outbound_slots,
};

static int outbox_init(Outbox *self, PyObject *arguments, PyObject *names)
{
    (void)names;
    PyObject *lanes, *types, *parcel, *pack;
    if (!PyArg_ParseTuple(arguments, "O!O!O!O!", &PyDict_Type, &lanes, &PySet_Type, &types, &PyType_Type, &parcel,
                          &PyType_Type, &pack))
        return -1;
    Py_ssize_t at = 0;
    PyObject *lane;
    while (PyDict_Next(lanes, &at, NULL, &lane))
        if (!PyObject_TypeCheck(lane, outbound_type)) {
            PyErr_SetString(PyExc_TypeError, "an outbox has lanes of the compiled core");
            return -1;
        }
    Py_XSETREF(self->lanes, PyDict_Copy(lanes));
    Py_XSETREF(self->types, Py_NewRef(types));
    Py_XSETREF(self->parcel_type, (PyTypeObject *)Py_NewRef(parcel));
    Py_XSETREF(self->pack_type, (PyTypeObject *)Py_NewRef(pack));
    Py_XSETREF(self->wire, Py_NewRef(Py_None));
    return self->lanes == NULL ? -1 : 0;
}

static int outbox_traverse(Outbox *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->lanes);
    Py_VISIT(self->types);
    Py_VISIT(self->parcel_type);
    Py_VISIT(self->pack_type);
    return 0;
}

static int outbox_clear(Outbox *self)
{
    /* Others reach it only through objects of the same cycle, which are cleared with it. */
    Py_CLEAR(self->lanes);
    Py_CLEAR(self->types);
    return 0;
}

static void outbox_dealloc(Outbox *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    outbox_clear(self);
    Py_CLEAR(self->parcel_type);
    Py_CLEAR(self->pack_type);
    Py_CLEAR(self->wire);
    Py_CLEAR(self->pack);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *outbox_hear_method(Outbox *self, PyObject *unused)
{
    (void)unused;
    int heard = outbox_hear(self);
    return heard < 0 ? NULL : PyBool_FromLong(heard != LEFT_TO_PYTHON);
}

static PyMethodDef outbox_methods[] = {
    {"hear", (PyCFunction)outbox_hear_method, METH_NOARGS, "Take in what the reader has said; False to look as well."},
    {"seal", (PyCFunction)outbox_seal, METH_NOARGS, "Give the pack, and which messages are in it; None without any."},
    {0},
};

static PyMemberDef outbox_members[] = {
    {"lanes", T_OBJECT_EX, offsetof(Outbox, lanes), READONLY, NULL},
    {"types", T_OBJECT_EX, offsetof(Outbox, types), READONLY, NULL},
    {"wire", T_OBJECT_EX, offsetof(Outbox, wire), 0, NULL},
    {"packed", T_PYSSIZET, offsetof(Outbox, packed), READONLY, NULL},
    {"is_up", T_BOOL, offsetof(Outbox, is_up), 0, NULL},
    {"has_left", T_BOOL, offsetof(Outbox, has_left), 0, NULL},
    {"is_deferred", T_BOOL, offsetof(Outbox, is_deferred), 0, NULL},
    {0},
};

static PyType_Slot outbox_slots[] = {
    {Py_tp_doc, "The open pack of a reader on another host."},
    {Py_tp_init, outbox_init},
    {Py_tp_traverse, outbox_traverse},
    {Py_tp_clear, outbox_clear},
    {Py_tp_dealloc, outbox_dealloc},
    {Py_tp_methods, outbox_methods},
    {Py_tp_members, outbox_members},
    {0, NULL},
};

static PyType_Spec outbox_spec = {
    "doraflow_core.Outbox",
    sizeof(Outbox),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    outbox_slots,
};

int outbox_exec(PyObject *module)
{
    if (send_add_type(module, &outbound_type, &outbound_spec) < 0)
        return -1;
    return send_add_type(module, &outbox_type, &outbox_spec);
}
