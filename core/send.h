/* What the files of the sending half share. Every object here is used under its node's lock (core/lock.c): holding the
 * GIL alone is not enough, since a thread may be in the middle of a method written in Python.
 *
 * The structs are the state that the runtime's Python works on too, through attributes; so a call that finds something
 * unusual can leave it to Python at any point at which nothing was changed yet.
 */
#ifndef DORAFLOW_CORE_SEND_H
#define DORAFLOW_CORE_SEND_H

#include "common.h"
#include "ring.h"

#include <structmember.h>
#include <sys/uio.h>

enum { FRAME_MESSAGE = 3, FRAME_RELEASE = 4, FRAME_CREDIT = 5, FRAME_SEEN = 7, FRAME_LEFT = 8, FRAME_RING = 9, FRAME_KNOCK = 10 };
enum {
    HEADER_SIZE = 12,
    MESSAGE_SIZE = 20,
    RELEASE_SIZE = 12,
    SLOT_SIZE = 28,
    FLAT_SIZE = 57,
    LARGEST_BODY = 4 * 1024 * 1024,
    LARGEST_INLINE = 4096,
    IN_SLOT = 1,
};

/* One life of a slot, as others name it. */
typedef struct {
    uint32_t segment, slot, generation;
} SlotKey;

/* A bell that wakes all readers of a node with one call. It is held by each line whose reader has it, and the shelf. */
typedef struct {
    int descriptor, holders;
} CommonBell;

/* The sending state of a connection; the base of the runtime's Connection. */
typedef struct {
    PyObject_HEAD
    int descriptor;
    char is_open, has_ended, has_waiting, is_pressed;
    struct ring *ring; /* NULL unless the peer has offered one */
    int bell; /* by which the peer is woken to look into it; -1 without one */
    CommonBell *common; /* that the peer was given; NULL for none */
    uint64_t position; /* bytes that were sent, or kept, since it was taken */
    char may_look; /* whether looking for a credit for a moment can be shorter than a sleep */
    int misses, passes; /* how often that found nothing of late, and how many waits it is left out for that */
} Line;

/* A link as its sender sees it. */
typedef struct {
    PyObject_HEAD
    PyObject *link, *held;
    Py_ssize_t queue_size, credits, dropped;
    char is_closing, may_drop, is_own;
    Line *giver; /* in the head of whose ring its credits stand; NULL for none */
    int place;
    uint64_t credited; /* as it was seen there */
} Lane;

typedef struct Shelf Shelf;
typedef struct Slot Slot;

/* A piece of the shared memory, cut into slots of one size. */
typedef struct {
    PyObject_HEAD
    uint32_t number, count;
    Py_ssize_t slot_size, offset, used, last_taken;
    uint32_t *generations;
    Slot **in_use;
} Segment;

/* A slot that is handed out. It exports its memory, which therefore lives as long as any view of it. */
struct Slot {
    PyObject_HEAD
    Shelf *shelf;
    Segment *segment;
    SlotKey key;
    Py_ssize_t offset, size, room, holders;
    unsigned long lent_by;
};

typedef struct {
    Segment *segment; /* borrowed: a segment that is taken from the shelf takes its places along */
    uint32_t index;
} Place;

typedef struct {
    Py_ssize_t slot_size, count, capacity;
    Place *places;
} Stack;

/* The slots of one node that are at hand, and those that are in use; the base of the runtime's Pool. */
struct Shelf {
    PyObject_HEAD
    Py_buffer memory;
    Stack *stacks;
    Py_ssize_t stack_count;
    Segment **segments; /* by rising number */
    Py_ssize_t segment_count, segment_capacity;
    Py_ssize_t limit, bytes_in_use, slots_in_use, taken, tidy_at;
    Py_ssize_t reader_count; /* accounts that were opened on it */
    CommonBell *common; /* of its readers; NULL without one */
};

typedef struct {
    uint64_t place;
    uint32_t generation, count; /* a count of 0: nothing is here */
} Holding;

/* What one consumer was sent and still holds, read or not; the base of the runtime's Consumer. */
typedef struct {
    PyObject_HEAD
    Line *connection;
    Shelf *pool;
    PyObject *lanes, *types;
    Py_ssize_t share, bytes_held, waiting;
    char has_left, has_returns; /* whether it gives slots back by the head of its ring */
    uint64_t seen, fetched; /* as they were seen there */
    int64_t heard_ns; /* when the connection was read last */
    Holding *holdings;
    Py_ssize_t holding_count, holding_capacity, held_slots;
    SlotKey *unread;
    Py_ssize_t unread_at, unread_count, unread_capacity;
    unsigned char *rest;
    Py_ssize_t rest_size, rest_capacity;
    int offered, offered_bell; /* descriptors of a ring; -1 for none */
} Account;

/* A type that was sent before. */
typedef struct {
    PyObject_HEAD
    PyObject *kind, *schema, *record, *parts, *laid;
    PyObject *recent; /* the object that was last found to be the same type; most arrays bring one of their own */
    Py_ssize_t number, width, length;
    long id; /* of a type that has no parameters, by which it is told from all others; -1 for any other */
    char is_plain;
} KnownType;

/* Arrow's numbers of types that have no parameters: integers and floats, and dates. */
enum { UINT8 = 2, FIRST_NUMBER = UINT8, LAST_NUMBER = 12, DATE32 = 16, DATE64 = 17 };

/* Gives the number of such a type; -1 for any other, or with an exception. */
long type_id(PyObject *kind);

extern PyTypeObject *line_type, *lane_type, *shelf_type, *slot_type, *segment_type, *account_type, *known_type;

/* Sends parts; what the peer cannot take yet is handed to the connection's `keep`. -1 with an exception. */
int line_send(Line *line, const struct iovec *parts, int count, Py_ssize_t total);

/* The peers that a message has still to wake, once it was written for all: either each by itself, or all by one bell. */
typedef struct {
    CommonBell *common; /* NULL if somebody has it who gets no message */
    Line *first; /* the first of them, if there are any; then `count` is how many */
    int count;
} Sleepers;

/* Sends a message the same way, or by the ring of a peer that looks there. If all peers are to be woken by one bell this
 * one is noted among the sleepers. */
int line_post(Line *line, const struct iovec *parts, int count, Py_ssize_t total, Sleepers *sleepers);
/* ---- send_bells.c: how all readers of a node are woken at once */

/* Gives the bell that the readers of a shelf have in common; NULL if there is none to be had, or a single reader. */
CommonBell *bell_in_common(Shelf *shelf);
void bell_let_go(CommonBell *bell);
/* Notes one more that sleeps. */
void sleepers_add(Sleepers *sleepers, Line *line);
/* Wakes all that were noted: to be called after each `line_post`, whatever has failed. 0 if the bell in common does not
 * ring, since one of those who have it has filled it: each has to be woken by its own then. */
int sleepers_wake(Sleepers *sleepers);
/* Takes a ring that the peer has offered; 0 if it cannot be used, -1 with an exception. A bell that is fit is kept, and
 * -1 left in its place. `number` is the answer, and with it goes the bell in common, unless it is NULL. */
int line_take_ring(Line *line, int descriptor, int *bell, uint32_t number, CommonBell *common);

/* ---- send_returns.c: what the consumer gives by the head of its ring */

/* Notes in which order the credits of links stand there; 0 if they are not the account's. */
int account_join_returns(Account *account, const unsigned char *links, Py_ssize_t size);
/* Takes new credits: whether there were any; -1 without an exception if they are more than can be. */
int lane_refresh(Lane *lane);
/* The same for a sender that is going to wait: it looks for a moment, and then asks to be woken. */
int lane_await(Lane *lane);
/* Takes slots back: 1 if there were any, 0 if not, -1 with an exception. */
int account_fetch(Account *account);
/* The same for all that is told there. */
int account_look(Account *account);
/* The same for a sender that is going to wait for it: the consumer tells of what it gives from here on. */
int account_await(Account *account);
/* As `account_hear`, for a sender that waits for nothing: a connection that should be silent is read now and then. */
int account_overhear(Account *account);
/* Raises the error for nonsense from a consumer, and gives -1. */
int account_refuse(const char *format, unsigned long first, unsigned long second);

/* Hands out a slot that is at hand; NULL without an exception if there is none. */
Slot *shelf_reuse(Shelf *shelf, Py_ssize_t size);
/* A segment whose slots are all free, and on no stack yet. */
Segment *segment_new(uint32_t number, Py_ssize_t slot_size, Py_ssize_t offset, uint32_t count);

Slot *shelf_find(Shelf *shelf, SlotKey key);
void shelf_free(Shelf *shelf, Slot *slot);
void shelf_let_go(Shelf *shelf, Slot *slot);

/* Notes that the consumer was sent a slot. -1 with an exception, and nothing noted. */
int account_charge(Account *account, Slot *slot);

/* Reads what the consumer has sent: 1 if there was something, 0 if not or if the connection has ended, -1 with an
 * exception. */
int account_hear(Account *account);

/* Tells whether the exception is one that the consumer has caused. */
int account_is_refused(void);

int send_line_exec(PyObject *module);
int send_slot_exec(PyObject *module);
int send_shelf_exec(PyObject *module);
int send_account_exec(PyObject *module);
int send_call_exec(PyObject *module);
int send_grip_exec(PyObject *module);
int send_loan_exec(PyObject *module);

/* Adds a type made of `spec`, once for the process, and leaves it in `*type`. */
int send_add_type(PyObject *module, PyTypeObject **type, PyType_Spec *spec);

#endif
