/* The sending half: the types of the files beside this one. */
#include "send.h"

int send_exec(PyObject *module)
{
    if (send_line_exec(module) < 0 || send_shelf_exec(module) < 0 || send_account_exec(module) < 0)
        return -1;
    return send_call_exec(module) < 0 || send_loan_exec(module) < 0 ? -1 : 0;
}
