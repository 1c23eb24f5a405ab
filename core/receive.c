/* The receiving half of the module: its types. */
#include "desk.h"
#include "inbound.h"
#include "zeromq.h"

int receive_exec(PyObject *module)
{
    if (PyType_Ready(&QueueType) < 0 || PyType_Ready(&StreamType) < 0 || PyType_Ready(&PartType) < 0
        || PyType_Ready(&PayloadType) < 0)
        return -1;
    PyTypeObject *const types[] = {&LockType, &DeadlinesType,    &QueuesType, &SourceType,
                                   &GateType, &InboundStateType, &DeskType,   &ZeroMqSocketType};
    for (size_t at = 0; at < sizeof types / sizeof *types; at++)
        if (PyModule_AddType(module, types[at]) < 0)
            return -1;
    return 0;
}
