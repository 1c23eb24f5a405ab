/* The account of one consumer: what it may still be sent, what it holds, and the frames by which it tells of that. */
#include "send_holdings.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

PyTypeObject *account_type;
static PyObject *wire_error;

enum { CHUNK = 16 * 1024, MOST_OFFERED = 2, HAS_RETURNS = 2 };

static uint32_t u32(const unsigned char *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

int account_refuse(const char *format, unsigned long first, unsigned long second)
{
    if (wire_error == NULL) {
        PyObject *wire = PyImport_ImportModule("doraflow_runtime.shm.wire");
        wire_error = wire == NULL ? NULL : PyObject_GetAttrString(wire, "WireError");
        Py_XDECREF(wire);
        if (wire_error == NULL)
            return -1;
    }
    PyErr_Format(wire_error, format, first, second);
    return -1;
}

int account_is_refused(void)
{
    return wire_error != NULL && PyErr_ExceptionMatches(wire_error);
}

static int refuse_kind(unsigned kind)
{
    return account_refuse("a frame of kind %lu, which a consumer does not send", kind, 0);
}

/* ---- one frame */

static int take_credit(Account *self, unsigned link, uint32_t count)
{
    PyObject *number = PyLong_FromUnsignedLong(link);
    if (number == NULL)
        return -1;
    PyObject *found = PyDict_GetItemWithError(self->lanes, number);
    Py_DECREF(number);
    if (found == NULL)
        return PyErr_Occurred() ? -1 : refuse_kind(FRAME_CREDIT);
    Lane *lane = (Lane *)found;
    Py_ssize_t credits = lane->credits + (Py_ssize_t)count;
    lane->credits = credits < lane->queue_size ? credits : lane->queue_size;
    return 0;
}

static int take_release(Account *self, const unsigned char *body, Py_ssize_t size)
{
    if (size == 0 || size % RELEASE_SIZE)
        return account_refuse("a malformed release", 0, 0);
    for (Py_ssize_t at = 0; at < size; at += RELEASE_SIZE) {
        SlotKey key = {u32(body + at), u32(body + at + 4), u32(body + at + 8)};
        if (!holdings_release(self, key))
            return account_refuse(NOT_HELD, 0, 0);
    }
    return 0;
}

static int leave(Account *self)
{
    self->has_left = 1;
    if (!holdings_forget_unread(self))
        return account_refuse(NOT_HELD, 0, 0);
    PyObject *done = PyObject_CallMethod((PyObject *)self, "drop_waiting", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static void forget_offer(Account *self)
{
    if (self->offered >= 0)
        close(self->offered);
    if (self->offered_bell >= 0)
        close(self->offered_bell);
    self->offered = self->offered_bell = -1;
}

static int take_ring(Account *self, uint32_t number, const unsigned char *body, Py_ssize_t size)
{
    uint32_t answer = number == HAS_RETURNS ? HAS_RETURNS : 0;
    CommonBell *common = bell_in_common(self->pool);
    int taken = line_take_ring(self->connection, self->offered, &self->offered_bell, answer, common);
    forget_offer(self);
    if (taken > 0 && answer)
        taken = account_join_returns(self, body, size);
    return taken ? (taken < 0 ? -1 : 0) : account_refuse("a ring that cannot be used", 0, 0);
}

static int take_frame(Account *self, const unsigned char *header, Py_ssize_t size)
{
    switch (header[4]) {
    case FRAME_CREDIT:
        return take_credit(self, header[6] | (unsigned)header[7] << 8, u32(header + 8));
    case FRAME_RELEASE:
        return take_release(self, header + HEADER_SIZE, size);
    case FRAME_SEEN:
        return holdings_see(self, u32(header + 8)) ? 0 : refuse_kind(FRAME_SEEN);
    case FRAME_LEFT:
        return leave(self);
    case FRAME_RING:
        return take_ring(self, u32(header + 8), header + HEADER_SIZE, size);
    default:
        return refuse_kind(header[4]);
    }
}

/* ---- the stream of them */

/* Takes whole frames; gives how many bytes they were. -1 with an exception. */
static Py_ssize_t take_frames(Account *self, const unsigned char *data, Py_ssize_t size)
{
    Py_ssize_t at = 0;
    while (size - at >= HEADER_SIZE) {
        uint32_t body = u32(data + at);
        if (body > LARGEST_BODY)
            return account_refuse("a frame of %lu bytes; at most %lu are allowed", body, LARGEST_BODY);
        if (size - at - HEADER_SIZE < (Py_ssize_t)body)
            break;
        if (take_frame(self, data + at, (Py_ssize_t)body) < 0)
            return -1;
        at += HEADER_SIZE + (Py_ssize_t)body;
    }
    return at;
}

static int keep_rest(Account *self, const unsigned char *data, Py_ssize_t size)
{
    if (self->rest_size + size > self->rest_capacity) {
        Py_ssize_t capacity = (self->rest_size + size) * 2;
        unsigned char *rest = PyMem_Realloc(self->rest, (size_t)capacity);
        if (rest == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->rest = rest;
        self->rest_capacity = capacity;
    }
    memcpy(self->rest + self->rest_size, data, (size_t)size);
    self->rest_size += size;
    return 0;
}

static int feed(Account *self, const unsigned char *data, Py_ssize_t size)
{
    if (self->rest_size == 0) {
        Py_ssize_t taken = take_frames(self, data, size);
        return taken < 0 ? -1 : taken < size ? keep_rest(self, data + taken, size - taken) : 0;
    }
    if (keep_rest(self, data, size) < 0)
        return -1;
    Py_ssize_t taken = take_frames(self, self->rest, self->rest_size);
    if (taken < 0)
        return -1;
    self->rest_size -= taken;
    memmove(self->rest, self->rest + taken, (size_t)self->rest_size);
    return 0;
}

static void take_offer(Account *self, struct cmsghdr *found)
{
    int descriptors[MOST_OFFERED] = {-1, -1};
    size_t size = found->cmsg_len - CMSG_LEN(0);
    memcpy(descriptors, CMSG_DATA(found), size < sizeof descriptors ? size : sizeof descriptors);
    forget_offer(self);
    self->offered = descriptors[0];
    self->offered_bell = descriptors[1];
}

/* Reads bytes, and the descriptors that may come with them. */
static ssize_t read_some(Account *self, unsigned char *chunk)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(MOST_OFFERED * sizeof(int))];
    } control;
    struct iovec part = {chunk, CHUNK};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room};
    ssize_t got;
    do {
        message.msg_controllen = sizeof control.room;
        got = recvmsg(self->connection->descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    struct cmsghdr *found = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (found != NULL && found->cmsg_level == SOL_SOCKET && found->cmsg_type == SCM_RIGHTS) {
        take_offer(self, found);
    }
    return got;
}

int account_hear(Account *self)
{
    unsigned char chunk[CHUNK];
    Line *line = self->connection;
    if (line->has_ended)
        return 0;
    int had_offer = self->offered >= 0;
    ssize_t got = read_some(self, chunk);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return account_look(self);
    if (got <= 0) { /* a reset says the same as an end: the peer is gone */
        line->is_open = 0;
        line->has_ended = 1;
        return 0;
    }
    int has_offer = self->offered >= 0 && !had_offer; /* the kernel gives nothing behind it in the same call */
    if (account_look(self) < 0 || feed(self, chunk, got) < 0) /* what a frame rests on stands in the head before */
        return -1;
    return has_offer && account_hear(self) < 0 ? -1 : 1;
}

/* ---- the type */

static int account_init(Account *self, PyObject *arguments, PyObject *names)
{
    (void)names;
    PyObject *connection, *pool, *lanes, *types;
    if (!PyArg_ParseTuple(arguments, "O!O!nO!O!", line_type, &connection, shelf_type, &pool, &self->share, &PyDict_Type,
                          &lanes, &PySet_Type, &types))
        return -1;
    Py_ssize_t at = 0;
    PyObject *lane;
    while (PyDict_Next(lanes, &at, NULL, &lane))
        if (!Py_IS_TYPE(lane, lane_type)) {
            PyErr_SetString(PyExc_TypeError, "an account has lanes of the compiled core");
            return -1;
        }
    Py_XSETREF(self->connection, (Line *)Py_NewRef(connection));
    if (self->pool != NULL)
        self->pool->reader_count--;
    Py_XSETREF(self->pool, (Shelf *)Py_NewRef(pool));
    self->pool->reader_count++;
    Py_XSETREF(self->lanes, PyDict_Copy(lanes));
    Py_XSETREF(self->types, Py_NewRef(types));
    return self->lanes == NULL ? -1 : 0;
}

static PyObject *account_receive(Account *self, PyObject *unused)
{
    (void)unused;
    if (account_hear(self) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *account_look_method(Account *self, PyObject *unused)
{
    (void)unused;
    int found = account_look(self);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *account_await_method(Account *self, PyObject *unused)
{
    (void)unused;
    int found = account_await(self);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static PyObject *account_charge_method(Account *self, PyObject *slot)
{
    if (!Py_IS_TYPE(slot, slot_type)) {
        PyErr_SetString(PyExc_TypeError, "a slot is wanted");
        return NULL;
    }
    if (account_charge(self, (Slot *)slot) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *account_drain(Account *self, PyObject *unused)
{
    (void)unused;
    holdings_drain(self);
    Py_RETURN_NONE;
}

static int account_traverse(Account *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->connection);
    Py_VISIT(self->pool);
    Py_VISIT(self->lanes);
    Py_VISIT(self->types);
    return 0;
}

static int account_clear(Account *self)
{
    /* Others reach the account only through objects of the same cycle, which are cleared with it. */
    Py_CLEAR(self->lanes);
    Py_CLEAR(self->types);
    return 0;
}

static PyObject *account_new(PyTypeObject *type, PyObject *arguments, PyObject *names)
{
    (void)arguments;
    (void)names;
    Account *account = (Account *)type->tp_alloc(type, 0);
    if (account != NULL)
        account->offered = account->offered_bell = -1;
    return (PyObject *)account;
}

static void account_dealloc(Account *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    account_clear(self);
    Py_XDECREF(self->connection);
    if (self->pool != NULL)
        self->pool->reader_count--;
    Py_XDECREF(self->pool);
    holdings_free(self);
    forget_offer(self);
    PyMem_Free(self->rest);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef account_methods[] = {
    {"receive", (PyCFunction)account_receive, METH_NOARGS, "Take back slots and credits. Raises WireError."},
    {"look", (PyCFunction)account_look_method, METH_NOARGS,
     "Take what stands in the head of a ring; whether there was anything. Raises WireError."},
    {"await_returns", (PyCFunction)account_await_method, METH_NOARGS,
     "The same, and have the consumer tell of what it gives there from now on. Raises WireError."},
    {"charge", (PyCFunction)account_charge_method, METH_O, "Note that the consumer was sent a slot."},
    {"drain", (PyCFunction)account_drain, METH_NOARGS, "Take back every slot that the consumer holds."},
    {0},
};

static PyMemberDef account_members[] = {
    {"connection", T_OBJECT_EX, offsetof(Account, connection), READONLY, NULL},
    {"lanes", T_OBJECT_EX, offsetof(Account, lanes), READONLY, NULL},
    {"types", T_OBJECT_EX, offsetof(Account, types), READONLY, NULL},
    {"share", T_PYSSIZET, offsetof(Account, share), READONLY, NULL},
    {"bytes_held", T_PYSSIZET, offsetof(Account, bytes_held), READONLY, NULL},
    {"slots_held", T_PYSSIZET, offsetof(Account, held_slots), READONLY, NULL},
    {"slots_unread", T_PYSSIZET, offsetof(Account, unread_count), READONLY, NULL},
    {"waiting", T_PYSSIZET, offsetof(Account, waiting), 0, NULL},
    {"has_left", T_BOOL, offsetof(Account, has_left), READONLY, NULL},
    {0},
};

static PyType_Slot account_slots[] = {
    {Py_tp_doc, "The account of one consumer."},
    {Py_tp_new, account_new},
    {Py_tp_init, account_init},
    {Py_tp_traverse, account_traverse},
    {Py_tp_clear, account_clear},
    {Py_tp_dealloc, account_dealloc},
    {Py_tp_methods, account_methods},
    {Py_tp_members, account_members},
    {0, NULL},
};

static PyType_Spec account_spec = {
    "doraflow_core.Account",
    sizeof(Account),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    account_slots,
};

int send_account_exec(PyObject *module)
{
    return send_add_type(module, &account_type, &account_spec);
}
