/* What comes back by the head of a ring: credits, what was seen, and slots; see core/ring.h.
 *
 * The reader counts up totals, and the producer goes by what is new in them: nothing is ever reset, so neither side
 * waits for the other. Nothing here touches Python.
 */
#include "ring.h"

_Static_assert(sizeof(struct ring_head) == 4096, "the head of a ring has 4096 bytes");

/* ---- the reader's side */

void ring_credit(struct ring *ring, int place, uint64_t total)
{
    atomic_store_explicit(&ring->head->credits[place], total, memory_order_release);
}

void ring_see(struct ring *ring, uint64_t total)
{
    atomic_store_explicit(&ring->head->seen, total, memory_order_release);
}

size_t ring_return_room(const struct ring *ring, uint64_t returned)
{
    uint64_t left = returned - atomic_load_explicit(&ring->head->fetched, memory_order_acquire);
    return left < RING_RETURNS ? RING_RETURNS - (size_t)left : 0; /* none for one that took up what was not there */
}

void ring_write_return(struct ring *ring, uint64_t number, const uint32_t name[3])
{
    struct ring_slot *slot = &ring->head->slots[number % RING_RETURNS];
    for (int at = 0; at < 3; at++)
        atomic_store_explicit(&slot->name[at], name[at], memory_order_relaxed);
}

void ring_return(struct ring *ring, uint64_t total)
{
    atomic_store_explicit(&ring->head->returned, total, memory_order_release);
}

int ring_is_wanted(struct ring *ring)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&ring->head->wants, memory_order_relaxed))
        return 0;
    return atomic_exchange(&ring->head->wants, 0) != 0;
}

/* ---- the producer's side */

uint64_t ring_credits(const struct ring *ring, int place)
{
    return atomic_load_explicit(&ring->head->credits[place], memory_order_acquire);
}

uint64_t ring_seen(const struct ring *ring)
{
    return atomic_load_explicit(&ring->head->seen, memory_order_acquire);
}

uint64_t ring_returned(const struct ring *ring)
{
    return atomic_load_explicit(&ring->head->returned, memory_order_acquire);
}

void ring_read_return(const struct ring *ring, uint64_t number, uint32_t name[3])
{
    const struct ring_slot *slot = &ring->head->slots[number % RING_RETURNS];
    for (int at = 0; at < 3; at++)
        name[at] = atomic_load_explicit(&slot->name[at], memory_order_relaxed);
}

void ring_fetch(struct ring *ring, uint64_t number)
{
    atomic_store_explicit(&ring->head->fetched, number, memory_order_release);
}

void ring_want(struct ring *ring)
{
    atomic_store(&ring->head->wants, 1);
    atomic_thread_fence(memory_order_seq_cst);
}
