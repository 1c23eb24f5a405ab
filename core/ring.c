/* Rings; see core/ring.h. */
#define _GNU_SOURCE
#include "ring.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_SIZE = 4096, SMALLEST = 64 * 1024, LARGEST = 16 * 1024 * 1024 };
enum { LEAST_MADE = 1024 * 1024, MOST_MADE = 4 * 1024 * 1024 };
enum { PREFIX = 8, FRAME_HEADER = 12 };
enum { PAGE = 4096, AHEAD = 32 * 1024, POPULATE_WRITE = 23 }; /* the last of Linux 5.14 */

/* Maps the head, and behind it the data twice. */
static struct ring *ring_map(int descriptor, size_t size)
{
    struct ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL)
        return NULL;
    uint8_t *base = mmap(NULL, HEAD_SIZE + 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        free(ring);
        return NULL;
    }
    const int access = PROT_READ | PROT_WRITE, way = MAP_SHARED | MAP_FIXED;
    if (mmap(base, HEAD_SIZE + size, access, way, descriptor, 0) == MAP_FAILED
        || mmap(base + HEAD_SIZE + size, size, access, way, descriptor, HEAD_SIZE) == MAP_FAILED) {
        munmap(base, HEAD_SIZE + 2 * size);
        free(ring);
        return NULL;
    }
    ring->head = (struct ring_head *)base;
    ring->data = base + HEAD_SIZE;
    ring->size = size;
    return ring;
}

struct ring *ring_make(size_t wanted, int *descriptor)
{
    size_t size = LEAST_MADE;
    while (size < wanted && size < MOST_MADE)
        size *= 2;
    int made = memfd_create("doraflow-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0)
        return NULL;
    struct ring *ring = NULL;
    if (ftruncate(made, (off_t)(HEAD_SIZE + size)) == 0 && fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
        ring = ring_map(made, size);
    if (ring == NULL)
        close(made);
    else
        *descriptor = made;
    return ring;
}

struct ring *ring_open(int descriptor)
{
    struct stat status;
    int seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(descriptor, &status) < 0)
        return NULL; /* writing into memory that was cut short would kill this process */
    off_t size = status.st_size - HEAD_SIZE;
    if (size < SMALLEST || size > LARGEST || (size & (size - 1)))
        return NULL;
    return ring_map(descriptor, (size_t)size);
}

void ring_close(struct ring *ring)
{
    if (ring == NULL)
        return;
    munmap(ring->head, HEAD_SIZE + 2 * ring->size);
    free(ring);
}

void ring_make_ready(struct ring *ring)
{
    if (ring->at == 0 || ring->ready == ring->size || ring->at + AHEAD <= ring->ready)
        return;
    uint64_t end = (ring->at + 2 * AHEAD) & ~(uint64_t)(PAGE - 1);
    size_t from = ring->ready;
    ring->ready = end < ring->size ? (size_t)end : ring->size;
    /* A kernel that cannot gives each page when it is touched. */
    (void)madvise(ring->data + from, ring->ready - from, POPULATE_WRITE);
}

static size_t record_size(size_t total)
{
    return (PREFIX + total + 7) & ~(size_t)7;
}

int ring_put(struct ring *ring, uint64_t position, const struct iovec *parts, int count, size_t total)
{
    uint64_t used = ring->at - atomic_load_explicit(&ring->head->taken, memory_order_acquire);
    size_t needed = record_size(total);
    if (total > RING_LARGEST || used > ring->size || needed > ring->size - used)
        return 0;
    uint8_t *to = ring->data + (ring->at & (ring->size - 1));
    position = htole64(position);
    memcpy(to, &position, PREFIX);
    to += PREFIX;
    for (int at = 0; at < count; at++) {
        memcpy(to, parts[at].iov_base, parts[at].iov_len);
        to += parts[at].iov_len;
    }
    ring->at += needed;
    atomic_store(&ring->head->written, ring->at);
    return 1;
}

static int is_asleep(uint32_t sleep)
{
    return sleep == RING_ASLEEP || sleep == RING_ASLEEP_TOGETHER;
}

enum ring_sleep ring_rouse(struct ring *ring)
{
    uint32_t sleep = atomic_load(&ring->head->sleep);
    if (is_asleep(sleep))
        sleep = atomic_exchange(&ring->head->sleep, RING_AWAKE);
    return sleep == RING_AWAKE || is_asleep(sleep) ? sleep : RING_LEFT;
}

int ring_is_read(struct ring *ring)
{
    uint32_t sleep = atomic_load(&ring->head->sleep);
    return sleep == RING_AWAKE || is_asleep(sleep);
}

static int is_scarce(int descriptor)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) < 0 || (rlim_t)descriptor >= limit.rlim_cur / 2;
}

int ring_bell_make(void)
{
    int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (bell < 0 || !is_scarce(bell))
        return bell;
    close(bell);
    return -1;
}

int ring_bell_is_fit(int descriptor)
{
    static const char NAME[] = "anon_inode:[eventfd]";
    char path[32], name[sizeof NAME];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(path, name, sizeof name);
    if (size != sizeof NAME - 1 || memcmp(name, NAME, sizeof NAME - 1) != 0 || is_scarce(descriptor))
        return 0;
    int flags = fcntl(descriptor, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK);
}

int ring_bell_toll(int descriptor)
{
    uint64_t one = 1;
    return write(descriptor, &one, sizeof one) == sizeof one;
}

uint64_t ring_end(const struct ring *ring)
{
    return atomic_load(&ring->head->written);
}

enum ring_record ring_next(struct ring *ring, uint64_t end, uint64_t position, uint8_t *frame, uint32_t *total)
{
    uint64_t left = end - ring->at;
    if (left == 0)
        return RING_EMPTY;
    if (left > ring->size || left < PREFIX + FRAME_HEADER)
        return RING_BROKEN;
    const uint8_t *from = ring->data + (ring->at & (ring->size - 1));
    uint64_t after;
    uint32_t body;
    memcpy(&after, from, sizeof after);
    memcpy(&body, from + PREFIX, sizeof body);
    after = le64toh(after);
    if (after > position)
        return RING_LATER;
    uint64_t size = (uint64_t)FRAME_HEADER + le32toh(body);
    if (after < position || size > RING_LARGEST || record_size(size) > left)
        return RING_BROKEN;
    memcpy(frame, from + PREFIX, size);
    memcpy(frame, &body, sizeof body); /* as it was checked, whatever the producer has written since */
    *total = (uint32_t)size;
    ring->at += record_size(size);
    return RING_FRAME;
}

void ring_give_back(struct ring *ring)
{
    atomic_store_explicit(&ring->head->taken, ring->at, memory_order_release);
}

void ring_set_sleep(struct ring *ring, enum ring_sleep sleep)
{
    atomic_store(&ring->head->sleep, sleep);
}
