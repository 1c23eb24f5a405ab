/* The ring that a reader offers to its producer: messages that come beside the connection, each in its place.
 *
 * The ring is optional. A producer that takes the offer answers with KNOCK, and from there on both sides count the bytes
 * of the connection: a message in the ring goes after just as many of them as it says.
 */
#include "source.h"

#include <sys/socket.h>
#include <unistd.h>

#define KIND_RING 9
#define MOST_OFFERED 2 /* descriptors: the memory, and the bell */
#define HAS_RETURNS 2 /* the number of an offer, and of an answer, by which credits and slots come back in the head */
#define RECORD_AT_MOST 4200 /* bytes of a message that lies in its frame, but for its metadata */

/* What the queues behind a producer's links may hold, if every message lies in its frame. */
static size_t most_unread(const Source *source)
{
    size_t count = 0;
    for (Py_ssize_t at = 0; at < source->inlet_count; at++)
        count += source->inlets[at].queue->size > 0 ? (size_t)source->inlets[at].queue->size : 0;
    return count < SIZE_MAX / RECORD_AT_MOST ? count * RECORD_AT_MOST : SIZE_MAX;
}

/* Gives each link that is held back a place in the head, and writes their numbers. */
static uint32_t write_links(Source *source, uint8_t *to)
{
    int place = 0;
    for (Py_ssize_t at = 0; at < source->inlet_count && place < RING_LINKS; at++) {
        struct inlet *inlet = &source->inlets[at];
        if (!inlet->is_held_back || inlet->lane != NULL)
            continue;
        uint16_t link = htole16(inlet->link);
        memcpy(to + 2 * place, &link, sizeof link);
        inlet->place = place++;
    }
    return 2 * (uint32_t)place;
}

static int send_offer(Source *source, const int *descriptors, size_t count)
{
    uint8_t frame[HEADER + 2 * RING_LINKS];
    uint32_t size = write_links(source, frame + HEADER);
    write_header(frame, size, KIND_RING, 0, HAS_RETURNS);
    struct iovec part = {frame, HEADER + size};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(MOST_OFFERED * sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    return sendmsg(source->descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)part.iov_len;
}

static void drop_bell(Source *source, int *bell)
{
    if (*bell < 0)
        return;
    gate_remove_bell(source->gate, *bell);
    close(*bell);
    *bell = -1;
}

void source_forget_given(Source *source)
{
    if (source->given >= 0)
        close(source->given);
    source->given = -1;
}

void source_offer_ring(Source *source)
{
    source->process = getpid();
    int descriptors[MOST_OFFERED];
    struct ring *ring = ring_make(most_unread(source), &descriptors[0]);
    if (ring == NULL)
        return;
    int bell = ring_bell_make();
    if (bell >= 0 && gate_add_bell(source->gate, source, bell) < 0) {
        close(bell);
        bell = -1;
    }
    source->bell = descriptors[1] = bell;
    int is_sent = send_offer(source, descriptors, bell >= 0 ? 2 : 1);
    close(descriptors[0]);
    if (is_sent) {
        source->ring = ring;
        return;
    }
    drop_bell(source, &source->bell); /* nothing was sent yet, so there is room, or the peer is gone */
    ring_close(ring);
}

void source_leave_ring(Source *source)
{
    if (source->process != getpid())
        return;
    if (source->ring != NULL)
        ring_set_sleep(source->ring, RING_LEFT);
    drop_bell(source, &source->bell);
    drop_bell(source, &source->common);
    source_forget_given(source);
}

static void take_given(Source *source, struct msghdr *message)
{
    struct cmsghdr *found = CMSG_FIRSTHDR(message);
    if (found == NULL || found->cmsg_level != SOL_SOCKET || found->cmsg_type != SCM_RIGHTS)
        return;
    source_forget_given(source);
    memcpy(&source->given, CMSG_DATA(found), sizeof source->given);
}

ssize_t source_receive_some(Source *source)
{
    struct iovec part = {source->buffer + source->have, source->room - source->have};
    if (source->ring == NULL || source->is_ringing)
        return recv(source->descriptor, part.iov_base, part.iov_len, MSG_DONTWAIT);
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t got = recvmsg(source->descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got > 0)
        take_given(source, &message);
    return got;
}

int source_is_knock(Source *source, const uint8_t *frame, uint32_t size)
{
    return source->ring != NULL && frame[4] == KIND_KNOCK && size == 0;
}

void source_take_knock(Source *source, const uint8_t *frame)
{
    if (source->is_ringing)
        return;
    source->is_ringing = 1;
    if (source->given >= 0 && ring_bell_is_fit(source->given)
        && gate_add_bell(source->gate, source, source->given) == 0) {
        source->common = source->given;
        source->given = -1;
    }
    source_forget_given(source);
    if (read32(frame + 8) == HAS_RETURNS)
        source_begin_returns(source);
    source->position = 0;
}

static int is_refused(Source *source, enum ring_record found, const uint8_t *frame)
{
    if (found == RING_BROKEN)
        PyErr_SetString(source->wire_error, "a malformed ring");
    else if (frame[4] != KIND_MESSAGE)
        PyErr_Format(source->wire_error, "a frame of kind %d in a ring", (int)frame[4]);
    else
        return 0;
    return 1;
}

int source_drain(Source *source)
{
    struct ring *ring = source->ring;
    if (!source->is_ringing || source->is_behind)
        return 0;
    uint64_t end = ring_end(ring);
    if (end == ring->at)
        return 0;
    uint8_t frame[RING_LARGEST];
    int status = 0;
    while (status == 0 && source->descriptor >= 0) {
        uint32_t total;
        enum ring_record found = ring_next(ring, end, source->position, frame, &total);
        source->is_behind = found == RING_LATER;
        if (found == RING_EMPTY || found == RING_LATER)
            break;
        if (is_refused(source, found, frame))
            status = -1;
        else
            status = source_deal(source, frame, total - HEADER);
    }
    ring_give_back(ring);
    return status;
}

int source_hear(Source *source)
{
    if (source->descriptor < 0 || source->error != NULL || source->has_ended)
        return 1;
    return source_drain(source) < 0 ? source_note_error(source) : 1;
}

int source_has_news(Source *source)
{
    int can_have = source->is_ringing && !source->is_behind && source->descriptor >= 0;
    return can_have && ring_end(source->ring) != source->ring->at;
}

int source_doze(Source *source)
{
    if (!source->is_ringing || source->descriptor < 0)
        return 0;
    ring_set_sleep(source->ring, source->common >= 0 ? RING_ASLEEP_TOGETHER : RING_ASLEEP);
    return source_has_news(source) && source->error == NULL;
}

void source_make_ready(Source *source)
{
    if (source->is_ringing)
        ring_make_ready(source->ring);
}

void source_wake(Source *source)
{
    if (source->is_ringing && source->descriptor >= 0)
        ring_set_sleep(source->ring, RING_AWAKE);
}
