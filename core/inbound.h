/* How far an edge from another host is; core/inbound.c. */
#ifndef DORAFLOW_CORE_INBOUND_H
#define DORAFLOW_CORE_INBOUND_H

#include "common.h"

/* The base of the runtime's Inbound. */
typedef struct inbound_state {
    PyObject_HEAD
    uint64_t taken, told_taken, told_limit;
    Py_ssize_t queue_size, waiting;
    char is_bounded;
} InboundState;

extern PyTypeObject InboundStateType;

#endif
