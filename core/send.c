/* The sending half: the types of the files beside this one. */
#include "outbox.h"

int send_exec(PyObject *module)
{
    int (*const parts[])(PyObject *) = {send_line_exec, send_slot_exec, send_shelf_exec, send_account_exec,
                                        send_call_exec, send_grip_exec, send_loan_exec,  outbox_exec};
    for (size_t at = 0; at < sizeof parts / sizeof *parts; at++)
        if (parts[at](module) < 0)
            return -1;
    return 0;
}
