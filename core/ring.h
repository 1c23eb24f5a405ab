/* A ring of frames in shared memory, by which messages reach a reader that is awake without a system call.
 *
 * The reader makes the memory, one producer writes into it. Each side goes by its own count of bytes and believes the
 * other's no further than it must: nothing here reads or writes outside of the ring, whatever the peer has written.
 * Nothing here touches Python. docs/wire-format.md says what lies where.
 */
#ifndef DORAFLOW_CORE_RING_H
#define DORAFLOW_CORE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
    RING_LARGEST = 16 * 1024, /* bytes of a frame that may lie in a ring */
    RING_LINKS = 208,         /* links whose credits may stand in the head */
    RING_RETURNS = 128,       /* slots that may lie there */
};

struct ring_slot {
    _Atomic uint32_t name[4]; /* segment, slot, generation, and nothing */
};

struct ring_head {
    _Alignas(64) _Atomic uint64_t written; /* bytes, by the producer */
    _Alignas(64) _Atomic uint64_t taken;   /* bytes, by the reader */
    _Alignas(64) _Atomic uint32_t sleep;   /* one of `ring_sleep` */
    _Alignas(64) _Atomic uint32_t wants;   /* 1: the producer waits for what comes back */
    _Alignas(64) _Atomic uint64_t seen;    /* messages in slots, by the reader */
    _Atomic uint64_t returned;             /* slots, by the reader */
    _Alignas(64) _Atomic uint64_t fetched; /* slots, by the producer */
    _Alignas(64) _Atomic uint64_t credits[RING_LINKS]; /* by the reader */
    struct ring_slot slots[RING_RETURNS];
};

/* A reader that sleeps together hears the bell that all readers of its producer have in common, too. */
enum ring_sleep { RING_AWAKE, RING_ASLEEP, RING_LEFT, RING_ASLEEP_TOGETHER };

struct ring {
    struct ring_head *head;
    uint8_t *data; /* mapped twice, one after the other: what runs over the end goes on at the beginning */
    size_t size;
    uint64_t at; /* this side's own count */
    size_t ready; /* bytes of the data whose pages were asked for */
};

/* Lets the other thread of a core run between two looks at what another process writes. */
static inline void pause_a_little(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Makes a ring with room for `wanted` bytes as far as it goes, and the descriptor that its producer maps it by. NULL if
 * the system refuses. */
struct ring *ring_make(size_t wanted, int *descriptor);
/* Maps a ring that a reader has made. NULL if it is none. */
struct ring *ring_open(int descriptor);
void ring_close(struct ring *ring);
/* Has the pages that come next mapped, of a ring that is used: from cold, touching a new one takes longer than a
 * message. */
void ring_make_ready(struct ring *ring);

/* ---- bells: how a reader that sleeps is woken without the connection */

/* Makes a bell; -1 if there is none to be had, or if descriptors are needed for other things. */
int ring_bell_make(void);
/* Whether a descriptor that a reader has given is a bell, which never holds up whoever rings it. */
int ring_bell_is_fit(int descriptor);
/* Rings it; 0 if somebody has filled its counter, so that it does not ring again. */
int ring_bell_toll(int descriptor);

/* ---- the producer's side */

/* Writes a frame that goes after so many bytes of the connection; 0 if there is no room. */
int ring_put(struct ring *ring, uint64_t position, const struct iovec *parts, int count, size_t total);
/* How the reader sleeps, if this call is the one that has to wake it; RING_AWAKE if it need not be woken. */
enum ring_sleep ring_rouse(struct ring *ring);
/* Whether somebody reads from it, awake or not. */
int ring_is_read(struct ring *ring);

/* ---- the reader's side */

/* What `ring_next` finds. */
enum ring_record { RING_EMPTY, RING_LATER, RING_FRAME, RING_BROKEN };

/* Copies the next frame if it goes after just so many bytes of the connection; `end` is `ring_end` of before. */
enum ring_record ring_next(struct ring *ring, uint64_t end, uint64_t position, uint8_t *frame, uint32_t *total);
/* How far the producer has written. */
uint64_t ring_end(const struct ring *ring);
/* Lets the producer have the room of what was taken. */
void ring_give_back(struct ring *ring);
/* Notes how this side waits: one that sleeps looks at `ring_end` once more after that. */
void ring_set_sleep(struct ring *ring, enum ring_sleep sleep);

/* ---- ring_returns.c: what the reader tells by the head */

void ring_credit(struct ring *ring, int place, uint64_t total);
/* Says how many messages in slots were read; before one of them is returned. */
void ring_see(struct ring *ring, uint64_t total);
/* How many slots may be written behind those that were returned. */
size_t ring_return_room(const struct ring *ring, uint64_t returned);
void ring_write_return(struct ring *ring, uint64_t number, const uint32_t name[3]);
/* Returns the slots that were written, up to this total. */
void ring_return(struct ring *ring, uint64_t total);
/* Whether the producer waits for what comes back, and this call is the one that has to wake it. */
int ring_is_wanted(struct ring *ring);

/* ---- ring_returns.c: what the producer learns there, and has to check */

uint64_t ring_credits(const struct ring *ring, int place);
uint64_t ring_seen(const struct ring *ring);
uint64_t ring_returned(const struct ring *ring);
void ring_read_return(const struct ring *ring, uint64_t number, uint32_t name[3]);
/* Says how many were taken up. */
void ring_fetch(struct ring *ring, uint64_t number);
/* Asks to be woken: one that is going to wait looks once more after that. */
void ring_want(struct ring *ring);

#endif
