/* The sending state of a connection and of its links, and the one way in which bytes go into a socket. */
#define _GNU_SOURCE
#include "send.h"

#include <endian.h>
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

PyTypeObject *line_type, *lane_type, *known_type;

int send_add_type(PyObject *module, PyTypeObject **type, PyType_Spec *spec)
{
    if (*type == NULL && (*type = (PyTypeObject *)PyType_FromSpec(spec)) == NULL)
        return -1;
    return PyModule_AddType(module, *type);
}

static ssize_t put(int descriptor, const struct iovec *parts, int count)
{
    ssize_t sent;
    do {
        if (count == 1) {
            sent = send(descriptor, parts->iov_base, parts->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        } else {
            struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
            sent = sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    } while (sent < 0 && errno == EINTR);
    return sent;
}

static int keep(Line *line, const struct iovec *parts, int count, Py_ssize_t sent, Py_ssize_t total)
{
    PyObject *rest = PyBytes_FromStringAndSize(NULL, total - sent);
    if (rest == NULL)
        return -1;
    char *to = PyBytes_AS_STRING(rest);
    for (int at = 0; at < count; at++) {
        Py_ssize_t size = (Py_ssize_t)parts[at].iov_len;
        Py_ssize_t skipped = sent < size ? sent : size;
        memcpy(to, (const char *)parts[at].iov_base + skipped, (size_t)(size - skipped));
        to += size - skipped;
        sent -= skipped;
    }
    PyObject *kept = PyObject_CallMethod((PyObject *)line, "keep", "O", rest);
    Py_DECREF(rest);
    Py_XDECREF(kept);
    return kept == NULL ? -1 : 0;
}

int line_send(Line *line, const struct iovec *parts, int count, Py_ssize_t total)
{
    if (!line->is_open)
        return 0;
    line->position += (uint64_t)total;
    ssize_t sent = 0;
    if (!line->has_waiting) {
        sent = put(line->descriptor, parts, count);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                line->is_open = 0;
                return 0;
            }
            sent = 0;
        }
    }
    return sent < total ? keep(line, parts, count, sent, total) : 0;
}

static int knock(Line *line, uint32_t number)
{
    char frame[HEADER_SIZE] = {[4] = FRAME_KNOCK};
    number = htole32(number);
    memcpy(frame + 8, &number, sizeof number);
    struct iovec part = {frame, HEADER_SIZE};
    return line_send(line, &part, 1, HEADER_SIZE);
}

/* Whether the peer looks into its ring, or can be woken to do so; if not, it is the connection that wakes it. */
static int is_heard(Line *line)
{
    return line->bell >= 0 ? ring_is_read(line->ring) : !ring_rouse(line->ring);
}

int line_post(Line *line, const struct iovec *parts, int count, Py_ssize_t total, Sleepers *sleepers)
{
    struct ring *ring = line->ring;
    if (ring == NULL || !line->is_open || !is_heard(line)
        || !ring_put(ring, line->position, parts, count, (size_t)total))
        return line_send(line, parts, count, total);
    enum ring_sleep sleep = ring_rouse(ring);
    if (sleep == RING_AWAKE)
        return 0;
    if (line->bell < 0)
        return knock(line, 0); /* it has gone to sleep meanwhile */
    if (sleep == RING_ASLEEP_TOGETHER && line->common != NULL && line->common == sleepers->common)
        sleepers_add(sleepers, line);
    else
        ring_bell_toll(line->bell); /* if its reader has filled it, that is the reader's own loss */
    return 0;
}

/* The same with a descriptor; 0 if that cannot be sent now. */
static int knock_with(Line *line, uint32_t number, int descriptor)
{
    char frame[HEADER_SIZE] = {[4] = FRAME_KNOCK};
    number = htole32(number);
    memcpy(frame + 8, &number, sizeof number);
    struct iovec part = {frame, HEADER_SIZE};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    if (!line->is_open || line->has_waiting)
        return 0;
    return sendmsg(line->descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == HEADER_SIZE;
}

/* Where there is one alone, a peer can give nothing while this process looks for it. */
static int has_several_processors(void)
{
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 1;
}

int line_take_ring(Line *line, int descriptor, int *bell, uint32_t number, CommonBell *common)
{
    struct ring *ring = line->ring == NULL ? ring_open(descriptor) : NULL;
    if (ring == NULL)
        return 0;
    line->ring = ring;
    if (*bell >= 0 && ring_bell_is_fit(*bell)) {
        line->bell = *bell;
        *bell = -1;
    }
    line->may_look = has_several_processors();
    if (common != NULL && line->bell >= 0 && knock_with(line, number, common->descriptor)) {
        line->common = common;
        common->holders++;
    } else if (knock(line, number) < 0) {
        return -1;
    }
    line->position = 0;
    return 1;
}

static int line_init(Line *self, PyObject *arguments, PyObject *names)
{
    (void)names;
    PyObject *sock;
    if (!PyArg_ParseTuple(arguments, "O", &sock))
        return -1;
    self->descriptor = PyObject_AsFileDescriptor(sock);
    self->is_open = self->descriptor >= 0;
    if (self->ring == NULL)
        self->bell = -1;
    return self->is_open ? 0 : -1;
}

static PyObject *line_send_bytes(Line *self, PyObject *data)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(data, &bytes, &size) < 0)
        return NULL;
    struct iovec part = {bytes, (size_t)size};
    if (line_send(self, &part, 1, size) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static void line_dealloc(Line *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->ring != NULL && self->bell >= 0)
        close(self->bell);
    bell_let_go(self->common);
    ring_close(self->ring);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef line_methods[] = {
    {"send", (PyCFunction)line_send_bytes, METH_O, "Send some bytes; what the peer cannot take yet goes to `keep`."},
    {0},
};

static PyMemberDef line_members[] = {
    {"descriptor", T_INT, offsetof(Line, descriptor), 0, NULL},
    {"is_open", T_BOOL, offsetof(Line, is_open), 0, NULL},
    {"has_ended", T_BOOL, offsetof(Line, has_ended), 0, NULL},
    {"has_waiting", T_BOOL, offsetof(Line, has_waiting), 0, NULL},
    {"is_pressed", T_BOOL, offsetof(Line, is_pressed), 0, NULL},
    {0},
};

static PyType_Slot line_slots[] = {
    {Py_tp_doc, "The sending state of a connection, by its descriptor."},
    {Py_tp_init, line_init},
    {Py_tp_dealloc, line_dealloc},
    {Py_tp_methods, line_methods},
    {Py_tp_members, line_members},
    {0, NULL},
};

static PyType_Spec line_spec = {
    "doraflow_core.Line", sizeof(Line), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, line_slots,
};

static int lane_init(Lane *self, PyObject *arguments, PyObject *names)
{
    static char *keywords[] = {"link", "held", "queue_size", "may_drop", "is_own", NULL};
    PyObject *link, *held;
    int may_drop, is_own;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "OOnpp", keywords, &link, &held, &self->queue_size, &may_drop,
                                     &is_own))
        return -1;
    Py_XSETREF(self->link, Py_NewRef(link));
    Py_XSETREF(self->held, Py_NewRef(held));
    self->credits = self->queue_size;
    self->may_drop = (char)may_drop;
    self->is_own = (char)is_own;
    return 0;
}

static int lane_traverse(Lane *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->link);
    Py_VISIT(self->held);
    Py_VISIT(self->giver);
    return 0;
}

static int lane_clear(Lane *self)
{
    Py_CLEAR(self->link);
    Py_CLEAR(self->held);
    return 0;
}

static void lane_dealloc(Lane *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    lane_clear(self);
    Py_CLEAR(self->giver); /* not before: its memory is read as long as the lane is used */
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *lane_get_credits(Lane *self, void *unused)
{
    (void)unused;
    if (self->credits <= 0 && !self->is_own)
        lane_await(self);
    return PyLong_FromSsize_t(self->credits);
}

static int lane_set_credits(Lane *self, PyObject *value, void *unused)
{
    (void)unused;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "credits cannot be deleted");
        return -1;
    }
    self->credits = PyLong_AsSsize_t(value);
    return self->credits == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyGetSetDef lane_properties[] = {
    {"credits", (getter)lane_get_credits, (setter)lane_set_credits, "How many messages may be sent.", NULL},
    {0},
};

static PyMemberDef lane_members[] = {
    {"link", T_OBJECT_EX, offsetof(Lane, link), READONLY, NULL},
    {"held", T_OBJECT_EX, offsetof(Lane, held), READONLY, NULL},
    {"queue_size", T_PYSSIZET, offsetof(Lane, queue_size), READONLY, NULL},
    {"dropped", T_PYSSIZET, offsetof(Lane, dropped), 0, NULL},
    {"is_closing", T_BOOL, offsetof(Lane, is_closing), 0, NULL},
    {"may_drop", T_BOOL, offsetof(Lane, may_drop), READONLY, NULL},
    {"is_own", T_BOOL, offsetof(Lane, is_own), READONLY, NULL},
    {0},
};

static PyType_Slot lane_slots[] = {
    {Py_tp_doc, "A link as its sender sees it."},
    {Py_tp_init, lane_init},
    {Py_tp_traverse, lane_traverse},
    {Py_tp_clear, lane_clear},
    {Py_tp_dealloc, lane_dealloc},
    {Py_tp_members, lane_members},
    {Py_tp_getset, lane_properties},
    {0, NULL},
};

static PyType_Spec lane_spec = {
    "doraflow_core.Lane", sizeof(Lane), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, lane_slots,
};

long type_id(PyObject *kind)
{
    static PyObject *name;
    if (name == NULL && (name = PyUnicode_InternFromString("id")) == NULL)
        return -1;
    PyObject *id = PyObject_GetAttr(kind, name);
    long number = id == NULL ? -1 : PyLong_AsLong(id);
    Py_XDECREF(id);
    int is_number = number >= FIRST_NUMBER && number <= LAST_NUMBER;
    return is_number || number == DATE32 || number == DATE64 ? number : -1;
}

static int known_init(KnownType *self, PyObject *arguments, PyObject *names)
{
    (void)names;
    PyObject *kind, *schema;
    int is_plain;
    if (!PyArg_ParseTuple(arguments, "nOOpn", &self->number, &kind, &schema, &is_plain, &self->width))
        return -1;
    Py_XSETREF(self->kind, Py_NewRef(kind));
    Py_XSETREF(self->schema, Py_NewRef(schema));
    Py_XSETREF(self->record, PyBytes_FromStringAndSize(NULL, 0));
    self->is_plain = (char)is_plain;
    self->length = -1;
    self->id = type_id(kind);
    return self->record == NULL || PyErr_Occurred() ? -1 : 0;
}

static int known_traverse(KnownType *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->kind);
    Py_VISIT(self->recent);
    Py_VISIT(self->parts);
    Py_VISIT(self->laid);
    return 0;
}

static int known_clear(KnownType *self)
{
    Py_CLEAR(self->kind);
    Py_CLEAR(self->recent);
    Py_CLEAR(self->schema);
    Py_CLEAR(self->record);
    Py_CLEAR(self->parts);
    Py_CLEAR(self->laid);
    return 0;
}

static void known_dealloc(KnownType *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    known_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMemberDef known_members[] = {
    {"number", T_PYSSIZET, offsetof(KnownType, number), READONLY, NULL},
    {"kind", T_OBJECT_EX, offsetof(KnownType, kind), READONLY, NULL},
    {"schema", T_OBJECT_EX, offsetof(KnownType, schema), READONLY, NULL},
    {"is_plain", T_BOOL, offsetof(KnownType, is_plain), READONLY, NULL},
    {"width", T_PYSSIZET, offsetof(KnownType, width), READONLY, NULL},
    {"length", T_PYSSIZET, offsetof(KnownType, length), 0, NULL},
    {"record", T_OBJECT_EX, offsetof(KnownType, record), 0, NULL},
    {"parts", T_OBJECT, offsetof(KnownType, parts), 0, NULL},
    {"laid", T_OBJECT, offsetof(KnownType, laid), 0, NULL},
    {0},
};

static PyType_Slot known_slots[] = {
    {Py_tp_doc, "A type that was sent before, and the last record and hole of it."},
    {Py_tp_init, known_init},
    {Py_tp_traverse, known_traverse},
    {Py_tp_clear, known_clear},
    {Py_tp_dealloc, known_dealloc},
    {Py_tp_members, known_members},
    {0, NULL},
};

static PyType_Spec known_spec = {
    "doraflow_core.KnownType", sizeof(KnownType), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, known_slots,
};

int send_line_exec(PyObject *module)
{
    if (send_add_type(module, &line_type, &line_spec) < 0 || send_add_type(module, &lane_type, &lane_spec) < 0)
        return -1;
    return send_add_type(module, &known_type, &known_spec);
}
