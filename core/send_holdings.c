/* What a consumer was sent in slots: a count for each life of a slot, and the ones it has not read, in order. */
#include "send_holdings.h"

/* ---- the table: open addressing, whose capacity is a power of two and at most half full */

static uint64_t place_of(SlotKey key)
{
    return (uint64_t)key.segment << 32 | key.slot;
}

static Py_ssize_t home_of(const Account *account, uint64_t place)
{
    uint64_t mixed = place * UINT64_C(0x9E3779B97F4A7C15);
    return (Py_ssize_t)(mixed >> 32) & (account->holding_capacity - 1);
}

static Holding *find(const Account *account, uint64_t place)
{
    if (account->holding_capacity == 0)
        return NULL;
    Py_ssize_t at = home_of(account, place);
    while (account->holdings[at].count && account->holdings[at].place != place)
        at = (at + 1) & (account->holding_capacity - 1);
    return &account->holdings[at];
}

static int grow(Account *account)
{
    Py_ssize_t old_capacity = account->holding_capacity;
    Holding *old = account->holdings;
    Py_ssize_t capacity = old_capacity ? old_capacity * 2 : 32;
    Holding *made = PyMem_Calloc((size_t)capacity, sizeof(Holding));
    if (made == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    account->holdings = made;
    account->holding_capacity = capacity;
    for (Py_ssize_t at = 0; at < old_capacity; at++)
        if (old[at].count)
            *find(account, old[at].place) = old[at];
    PyMem_Free(old);
    return 0;
}

/* Closes the gap that an entry leaves: those behind it may have been put there because of it. */
static void erase(Account *account, Holding *gone)
{
    Py_ssize_t mask = account->holding_capacity - 1;
    Py_ssize_t gap = gone - account->holdings;
    for (Py_ssize_t at = (gap + 1) & mask; account->holdings[at].count; at = (at + 1) & mask) {
        Py_ssize_t home = home_of(account, account->holdings[at].place);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            account->holdings[gap] = account->holdings[at];
            gap = at;
        }
    }
    account->holdings[gap].count = 0;
    account->holding_count -= 1;
}

/* ---- what was not read */

static int note_unread(Account *account, SlotKey key)
{
    if (account->unread_count == account->unread_capacity) {
        Py_ssize_t capacity = account->unread_capacity ? account->unread_capacity * 2 : 32;
        SlotKey *made = PyMem_Calloc((size_t)capacity, sizeof(SlotKey));
        if (made == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        for (Py_ssize_t at = 0; at < account->unread_count; at++)
            made[at] = account->unread[(account->unread_at + at) & (account->unread_capacity - 1)];
        PyMem_Free(account->unread);
        account->unread = made;
        account->unread_at = 0;
        account->unread_capacity = capacity;
    }
    Py_ssize_t end = (account->unread_at + account->unread_count) & (account->unread_capacity - 1);
    account->unread[end] = key;
    account->unread_count += 1;
    return 0;
}

int holdings_see(Account *account, uint64_t count)
{
    if (count > (uint64_t)account->unread_count)
        return 0;
    if (count) {
        account->unread_at = (account->unread_at + (Py_ssize_t)count) & (account->unread_capacity - 1);
        account->unread_count -= (Py_ssize_t)count;
    }
    return 1;
}

/* ---- both */

int account_charge(Account *account, Slot *slot)
{
    if (2 * (account->holding_count + 1) > account->holding_capacity && grow(account) < 0)
        return -1;
    if (note_unread(account, slot->key) < 0)
        return -1;
    Holding *holding = find(account, place_of(slot->key));
    if (holding->count == 0) {
        *holding = (Holding){place_of(slot->key), slot->key.generation, 0};
        account->holding_count += 1;
    }
    holding->count += 1;
    account->held_slots += 1;
    account->bytes_held += slot->room;
    return 0;
}

int holdings_release(Account *account, SlotKey key)
{
    Holding *holding = find(account, place_of(key));
    if (holding == NULL || holding->count == 0 || holding->generation != key.generation)
        return 0;
    holding->count -= 1;
    account->held_slots -= 1;
    if (holding->count == 0) {
        holding->count = 1; /* an entry of its own until it is erased */
        erase(account, holding);
    }
    Slot *slot = shelf_find(account->pool, key);
    if (slot != NULL) {
        account->bytes_held -= slot->room;
        shelf_let_go(account->pool, slot);
    }
    return 1;
}

int holdings_forget_unread(Account *account)
{
    while (account->unread_count > 0) {
        SlotKey key = account->unread[account->unread_at];
        if (!holdings_release(account, key))
            return 0;
        holdings_see(account, 1);
    }
    return 1;
}

void holdings_drain(Account *account)
{
    for (Py_ssize_t at = 0; at < account->holding_capacity; at++) {
        Holding *holding = &account->holdings[at];
        SlotKey key = {(uint32_t)(holding->place >> 32), (uint32_t)holding->place, holding->generation};
        for (; holding->count; holding->count--) {
            Slot *slot = shelf_find(account->pool, key);
            if (slot != NULL)
                shelf_let_go(account->pool, slot);
        }
    }
    account->holding_count = account->held_slots = account->bytes_held = account->unread_count = 0;
}

void holdings_free(Account *account)
{
    PyMem_Free(account->holdings);
    PyMem_Free(account->unread);
    account->holdings = NULL;
    account->unread = NULL;
    account->holding_capacity = account->unread_capacity = 0;
}
