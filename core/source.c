/* A producer as its reader sees it: bytes from its connection become frames, and frames messages.
 *
 * A frame that is no sound message is handed to Python as a `Frame`, in its place among the messages.
 */
#include "source.h"

#include <errno.h>
#include <sys/socket.h>

#define LARGEST_BODY (4u * 1024 * 1024)

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

int source_deal(Source *source, const uint8_t *frame, uint32_t size)
{
    if (source_is_knock(source, frame, size)) {
        source_take_knock(source, frame);
        return 0;
    }
    struct sound message;
    if (source_read_message(source, frame, size, &message))
        return source_take_in(source, &message);
    return hand_over(source, frame, size);
}

int source_cut(Source *source)
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
        source->position += source->is_ringing ? HEADER + size : 0;
        source->is_behind = 0;
        status = source_deal(source, frame, size);
        at += HEADER + size;
        if (status == 0)
            status = source_drain(source);
    }
    keep_rest(source, at);
    return status;
}

int source_note_error(Source *source)
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
    ssize_t got = source_receive_some(source);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return source_hear(source);
    int status = source_drain(source) < 0 ? source_note_error(source) : 1;
    if (status <= 0)
        return status;
    if (got <= 0) { /* a reset says the same as an end: the peer is gone */
        source->has_ended = 1;
        return 0;
    }
    source->have += (size_t)got;
    status = source_cut(source);
    source_forget_given(source); /* unless a KNOCK has taken it */
    return status < 0 ? source_note_error(source) : 1;
}

int source_descriptor(Source *source)
{
    return source->descriptor;
}

int source_is_bell(Source *source, int descriptor)
{
    return source->bell == descriptor || source->common == descriptor;
}

int64_t source_clock(Source *source)
{
    return source->clock_ns;
}

Gate *source_gate(Source *source)
{
    return source->gate;
}
