/* One bell for all readers of a node: what goes to all of them wakes them with one call, in one moment.
 *
 * Woken one by one, the first reader often takes the sender's processor before the others are rung for. A reader that
 * gets no message would be woken for nothing; so the bell is rung only for what goes to everyone who has it.
 */
#include "send.h"

#include <unistd.h>

CommonBell *bell_in_common(Shelf *shelf)
{
    if (shelf->common != NULL || shelf->reader_count < 2)
        return shelf->common;
    CommonBell *bell = PyMem_Malloc(sizeof *bell);
    int descriptor = bell == NULL ? -1 : ring_bell_make();
    if (descriptor < 0) {
        PyMem_Free(bell);
        return NULL;
    }
    *bell = (CommonBell){descriptor, 1};
    return shelf->common = bell;
}

void bell_let_go(CommonBell *bell)
{
    if (bell == NULL || --bell->holders)
        return;
    close(bell->descriptor);
    PyMem_Free(bell);
}

void sleepers_add(Sleepers *sleepers, Line *line)
{
    if (sleepers->count++ == 0)
        sleepers->first = (Line *)Py_NewRef(line);
}

int sleepers_wake(Sleepers *sleepers)
{
    if (sleepers->count == 0)
        return 1;
    int is_alone = sleepers->count == 1;
    int has_rung = ring_bell_toll(is_alone ? sleepers->first->bell : sleepers->common->descriptor);
    sleepers->count = 0;
    Py_CLEAR(sleepers->first);
    return has_rung || is_alone;
}
