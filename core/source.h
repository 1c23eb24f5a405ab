/* What the files of a producer share: `Source`, and the numbers of its connection. Used by source*.c alone. */
#ifndef DORAFLOW_CORE_SOURCE_H
#define DORAFLOW_CORE_SOURCE_H

#include "receive.h"
#include "ring.h"

#include <endian.h>
#include <string.h>

#define HEADER 12
#define KIND_MESSAGE 3
#define KIND_KNOCK 10
#define REPORT_AFTER (1024 * 1024)
#define CHUNK (64 * 1024)

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
    long long clock_ns; /* by how much its host's clock is ahead of ours */
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
    Py_ssize_t untold; /* bytes from another host that came since its sender was told */
    struct ring *ring; /* NULL without one */
    int bell; /* by which the producer wakes this node; -1 without one */
    int common; /* by which it wakes all its readers, and this node with them; -1 without one */
    int given; /* a descriptor that came with the connection's bytes; -1 for none */
    pid_t process; /* that reads: a forked child shares ring and epoll, and they are not its own */
    int is_ringing; /* whether the producer has taken it */
    int is_behind; /* whether what lies in it has to wait for the connection */
    uint64_t position; /* bytes that were dealt with since then */
    int has_returns; /* whether the producer looks into its head for what comes back */
    uint64_t seen_total, returned, told; /* of slots: what stands there, and with how many it was last looked who waits */
    /* the last message, and an event that was made for one like it */
    struct shape last, ready;
    uint64_t offset_before;
    struct key last_key;
    int is_last_returned;
    PyObject *event;
    enum form event_form;
    struct parcel *parcel; /* the event's, which keeps it; NULL if its value are bytes of its own */
    int wrong, left_out; /* how often the guess was wrong of late, and how many are left out for that */
};

/* A message whose every field was checked. */
struct sound {
    struct shape shape;
    int64_t sent_ns;
    const uint8_t *metadata, *payload;
    size_t metadata_size;
    struct key key;
};

static inline uint16_t read16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return le16toh(value);
}

static inline uint32_t read32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static inline uint64_t read64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

static inline void write32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static inline void write_header(uint8_t *at, uint32_t size, uint8_t kind, uint16_t link, uint32_t number)
{
    write32(at, size);
    at[4] = kind;
    at[5] = 0;
    link = htole16(link);
    memcpy(at + 6, &link, sizeof link);
    write32(at + 8, number);
}

/* ---- source_return.c: what goes back to the producer */

/* Sends what was seen, slots that are given back and some frames more: a slot never comes back before its message was
 * seen. */
int source_report(Source *source, const uint8_t *more, size_t more_size);
/* Notes that the producer looks into the head of the ring for what comes back. */
void source_begin_returns(Source *source);

/* ---- source_message.c: messages */

struct inlet *source_inlet(Source *source, uint16_t link);
/* Whether a frame is a message that is taken in here; nothing is changed. */
int source_read_message(Source *source, const uint8_t *frame, uint32_t size, struct sound *message);
int source_take_in(Source *source, struct sound *message);
/* Takes in the messages of a pack from another host, from a place on, and gives the place where it stopped. */
PyObject *source_take_records(Source *source, PyObject *args);
/* Lets go of the event that was made in advance. */
void source_drop_ready(Source *source);

/* ---- source.c: frames */

/* Deals with one frame. -1 with an exception. */
int source_deal(Source *source, const uint8_t *frame, uint32_t size);
/* Deals with the whole frames in the buffer. -1 with an exception. */
int source_cut(Source *source);
/* Notes what went wrong for `receive` to tell, and gives 0; -1 for what is not the producer's doing. */
int source_note_error(Source *source);

/* ---- source_ring.c: what comes beside the connection */

/* Offers the producer a ring; it may come to nothing. */
void source_offer_ring(Source *source);
/* Tells the producer that nothing more is read from the ring. */
void source_leave_ring(Source *source);
/* Reads bytes into the buffer, like `recv`, and what comes with them before the producer has taken the ring. */
ssize_t source_receive_some(Source *source);
/* Closes the descriptor that came, if it was not taken. */
void source_forget_given(Source *source);
int source_is_knock(Source *source, const uint8_t *frame, uint32_t size);
void source_take_knock(Source *source, const uint8_t *frame);
/* Deals with the messages in the ring whose place has come. -1 with an exception. */
int source_drain(Source *source);

#endif
