/* What outlives the objects of Python: the bell of a node, the memory of a producer with the slots that are to be given
 * back, and the parcels that arrays lie in.
 *
 * Arrow drops its last reference to an array in any thread, with or without the interpreter's lock, perhaps after the
 * node is gone. So nothing here touches Python, every structure counts its references atomically, and the list of
 * returned slots has a lock of its own.
 */
#ifndef DORAFLOW_CORE_LEDGER_H
#define DORAFLOW_CORE_LEDGER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* The eventfd that interrupts a waiting thread. It is closed with the last of those who may ring it, so that its number
 * is never another file's when it rings. */
struct bell {
    atomic_int references;
    atomic_int is_claimed; /* whether a thread waits */
    int descriptor;
};

struct bell *bell_new(void); /* NULL with errno */
void bell_drop(struct bell *bell);
void bell_ring(struct bell *bell); /* if a thread waits */

struct key {
    uint32_t segment, slot, generation;
};

/* A producer's memory, mapped read-only, and the slots in it that are no longer read. */
struct ledger {
    atomic_int references;
    pthread_mutex_t lock;
    struct bell *bell;
    const uint8_t *base;
    size_t size;
    int kept; /* a descriptor that is closed when the last array has died; -1 for none */
    struct key *keys;
    size_t room;
    atomic_size_t count; /* of keys; read without the lock to see whether there are any */
};

struct ledger *ledger_new(int descriptor, struct bell *bell); /* NULL with errno */
void ledger_drop(struct ledger *ledger);
void ledger_return(struct ledger *ledger, struct key key);
size_t ledger_take(struct ledger *ledger, struct key *taken, size_t most);
void ledger_keep(struct ledger *ledger, int descriptor);

/* The C data interface of Arrow, as its specification has it. */
struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

/* A payload: its own memory behind this header, or a slot. */
struct parcel {
    const void *buffers[2];
    struct ledger *ledger; /* of a slot; NULL for a payload that lies here */
    struct key key;
    int is_held; /* whether the slot has to be given back */
    uint8_t *payload; /* 64-byte aligned, NULL for a slot */
    size_t room; /* for the payload */
};

struct parcel *parcel_new(size_t size); /* NULL if there is no memory */
struct parcel *parcel_of(const void *payload, size_t size); /* copied; NULL if there is no memory */
struct parcel *parcel_of_slot(struct ledger *ledger, uint64_t offset);
void parcel_free(struct parcel *parcel);
void parcel_export(struct parcel *parcel, int64_t length, struct ArrowArray *array);

#endif
