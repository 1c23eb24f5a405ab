/* What a consumer gives back by the head of its ring: credits, what it has seen, and slots; docs/wire-format.md.
 *
 * The head is memory that the consumer writes, so each total is checked against what it was sent before it counts.
 */
#define _GNU_SOURCE
#include "send_holdings.h"

#include <time.h>

enum { LOOK_NS = 10000, LOOKS = 16, MOST_MISSES = 6, SILENT_NS = 100000000 };

int account_join_returns(Account *account, const unsigned char *links, Py_ssize_t size)
{
    if (size % 2 || size > 2 * RING_LINKS)
        return 0;
    for (Py_ssize_t at = 0; at < size; at += 2) {
        PyObject *number = PyLong_FromLong(links[at] | (long)links[at + 1] << 8);
        PyObject *found = number == NULL ? NULL : PyDict_GetItemWithError(account->lanes, number);
        Py_XDECREF(number);
        Lane *lane = (Lane *)found;
        if (lane == NULL || lane->giver != NULL)
            return PyErr_Occurred() ? -1 : 0;
        lane->giver = (Line *)Py_NewRef(account->connection);
        lane->place = (int)(at / 2);
    }
    account->has_returns = 1;
    return 1;
}

/* ---- credits */

int lane_refresh(Lane *lane)
{
    if (lane->giver == NULL)
        return 0;
    uint64_t more = ring_credits(lane->giver->ring, lane->place) - lane->credited;
    if (more == 0)
        return 0;
    if (more > (uint64_t)(lane->queue_size - lane->credits)) /* also a total that went back */
        return -1;
    lane->credited += more;
    lane->credits += (Py_ssize_t)more;
    return 1;
}

static int64_t now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A reader that keeps up gives a credit sooner than a sleep takes. Where that proves wrong, it is tried less and less. */
static int look_for_credits(Lane *lane)
{
    Line *line = lane->giver;
    if (!line->may_look)
        return 0;
    if (line->passes > 0) {
        line->passes--;
        return 0;
    }
    int found = 0;
    for (int64_t limit = now() + LOOK_NS; !found && now() < limit;)
        for (int at = 0; !found && at < LOOKS; at++) {
            found = lane_refresh(lane);
            pause_a_little();
        }
    line->misses = found ? 0 : line->misses < MOST_MISSES ? line->misses + 1 : MOST_MISSES;
    line->passes = found ? 0 : (1 << line->misses) - 1;
    return found;
}

int lane_await(Lane *lane)
{
    int found = lane_refresh(lane);
    if (found > 0 || lane->giver == NULL)
        return found;
    found = look_for_credits(lane);
    if (found > 0)
        return found;
    ring_want(lane->giver->ring);
    return lane_refresh(lane);
}

/* ---- slots */

static int see(Account *account)
{
    uint64_t more = ring_seen(account->connection->ring) - account->seen;
    if (!holdings_see(account, more))
        return account_refuse("more messages seen than were sent", 0, 0);
    account->seen += more;
    return more != 0;
}

static int take_back(Account *account, uint64_t end)
{
    struct ring *ring = account->connection->ring;
    if (end - account->fetched > RING_RETURNS)
        return account_refuse("a malformed ring", 0, 0);
    for (; account->fetched != end; account->fetched++) {
        uint32_t name[3];
        ring_read_return(ring, account->fetched, name);
        if (!holdings_release(account, (SlotKey){name[0], name[1], name[2]}))
            return account_refuse(NOT_HELD, 0, 0);
    }
    ring_fetch(ring, end);
    return 1;
}

int account_fetch(Account *account)
{
    if (!account->has_returns)
        return 0;
    int has_news = 0;
    for (uint64_t end; (end = ring_returned(account->connection->ring)) != account->fetched; has_news = 1)
        if (see(account) < 0 || take_back(account, end) < 0)
            return -1;
    return has_news;
}

int account_look(Account *account)
{
    if (!account->has_returns)
        return 0;
    int has_news = account_fetch(account);
    if (has_news < 0 || see(account) < 0)
        return -1;
    Py_ssize_t at = 0;
    PyObject *lane;
    while (PyDict_Next(account->lanes, &at, NULL, &lane)) {
        int found = lane_refresh((Lane *)lane);
        if (found < 0)
            return account_refuse("more credits than messages were sent", 0, 0);
        has_news |= found;
    }
    return has_news;
}

int account_await(Account *account)
{
    if (!account->has_returns)
        return 0;
    ring_want(account->connection->ring);
    return account_look(account);
}

int account_overhear(Account *account)
{
    int64_t time = now();
    if (account->has_returns && time - account->heard_ns < SILENT_NS)
        return account_look(account);
    account->heard_ns = time;
    return account_hear(account);
}
