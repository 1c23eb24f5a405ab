/* Bells, ledgers and parcels; see core/ledger.h. Nothing here touches Python. */
#define _GNU_SOURCE
#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT 64
#define FIRST_ROOM 64

struct bell *bell_new(void)
{
    struct bell *bell = malloc(sizeof *bell);
    if (bell == NULL)
        return NULL;
    bell->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (bell->descriptor < 0) {
        free(bell);
        return NULL;
    }
    atomic_init(&bell->references, 1);
    atomic_init(&bell->is_claimed, 0);
    return bell;
}

void bell_drop(struct bell *bell)
{
    if (atomic_fetch_sub(&bell->references, 1) == 1) {
        close(bell->descriptor);
        free(bell);
    }
}

void bell_ring(struct bell *bell)
{
    if (atomic_load(&bell->is_claimed)) {
        uint64_t one = 1;
        int before = errno;
        /* A full counter is a bell that rings already. */
        ssize_t written = write(bell->descriptor, &one, sizeof one);
        (void)written;
        errno = before;
    }
}

struct ledger *ledger_new(int descriptor, struct bell *bell)
{
    struct stat status;
    if (fstat(descriptor, &status) < 0)
        return NULL;
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    ledger->size = (size_t)status.st_size;
    void *base = mmap(NULL, ledger->size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (base == MAP_FAILED) {
        free(ledger);
        return NULL;
    }
    ledger->base = base;
    ledger->kept = -1;
    ledger->bell = bell;
    atomic_fetch_add(&bell->references, 1);
    atomic_init(&ledger->references, 1);
    atomic_init(&ledger->count, 0);
    pthread_mutex_init(&ledger->lock, NULL);
    return ledger;
}

void ledger_drop(struct ledger *ledger)
{
    if (atomic_fetch_sub(&ledger->references, 1) != 1)
        return;
    if (ledger->kept >= 0)
        close(ledger->kept);
    munmap((void *)ledger->base, ledger->size);
    bell_drop(ledger->bell);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger->keys);
    free(ledger);
}

void ledger_return(struct ledger *ledger, struct key key)
{
    pthread_mutex_lock(&ledger->lock);
    size_t count = atomic_load_explicit(&ledger->count, memory_order_relaxed);
    if (count == ledger->room) {
        size_t room = ledger->room ? 2 * ledger->room : FIRST_ROOM;
        struct key *keys = realloc(ledger->keys, room * sizeof *keys);
        if (keys == NULL) { /* the slot stays held until the connection ends: memory is lost, nothing else */
            pthread_mutex_unlock(&ledger->lock);
            return;
        }
        ledger->keys = keys;
        ledger->room = room;
    }
    ledger->keys[count] = key;
    atomic_store(&ledger->count, count + 1);
    pthread_mutex_unlock(&ledger->lock);
    bell_ring(ledger->bell);
}

size_t ledger_take(struct ledger *ledger, struct key *taken, size_t most)
{
    pthread_mutex_lock(&ledger->lock);
    size_t count = atomic_load_explicit(&ledger->count, memory_order_relaxed);
    size_t some = count < most ? count : most;
    for (size_t at = 0; at < some; at++)
        taken[at] = ledger->keys[at];
    for (size_t at = some; at < count; at++)
        ledger->keys[at - some] = ledger->keys[at];
    atomic_store(&ledger->count, count - some);
    pthread_mutex_unlock(&ledger->lock);
    return some;
}

void ledger_keep(struct ledger *ledger, int descriptor)
{
    ledger->kept = descriptor;
}

struct parcel *parcel_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct parcel) - ALIGNMENT)
        return NULL;
    struct parcel *parcel = malloc(sizeof *parcel + ALIGNMENT + size);
    if (parcel == NULL)
        return NULL;
    uintptr_t begin = (uintptr_t)(parcel + 1);
    parcel->payload = (uint8_t *)((begin + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
    parcel->room = size;
    parcel->ledger = NULL;
    parcel->is_held = 0;
    parcel->buffers[0] = NULL;
    parcel->buffers[1] = parcel->payload;
    return parcel;
}

struct parcel *parcel_of(const void *payload, size_t size)
{
    struct parcel *parcel = parcel_new(size);
    if (parcel != NULL)
        memcpy(parcel->payload, payload, size);
    return parcel;
}

struct parcel *parcel_of_slot(struct ledger *ledger, uint64_t offset)
{
    struct parcel *parcel = malloc(sizeof *parcel);
    if (parcel == NULL)
        return NULL;
    atomic_fetch_add(&ledger->references, 1);
    parcel->ledger = ledger;
    parcel->is_held = 0;
    parcel->payload = NULL;
    parcel->room = 0;
    parcel->buffers[0] = NULL;
    parcel->buffers[1] = ledger->base + offset;
    return parcel;
}

void parcel_free(struct parcel *parcel)
{
    if (parcel->ledger != NULL) {
        if (parcel->is_held)
            ledger_return(parcel->ledger, parcel->key);
        ledger_drop(parcel->ledger);
    }
    free(parcel);
}

static void release(struct ArrowArray *array)
{
    parcel_free(array->private_data);
    array->release = NULL;
}

void parcel_export(struct parcel *parcel, int64_t length, struct ArrowArray *array)
{
    *array = (struct ArrowArray){
        .length = length,
        .n_buffers = 2,
        .buffers = parcel->buffers,
        .release = release,
        .private_data = parcel,
    };
}
