/* The values of what is sent, read in place; core/send_values.c. */
#ifndef DORAFLOW_CORE_SEND_VALUES_H
#define DORAFLOW_CORE_SEND_VALUES_H

#include "send_call.h"

/* The values of a flat array without nulls. `view` holds the memory until it is released; it is empty if the array
 * itself does. */
typedef struct {
    Py_buffer view;
    const char *start;
    Py_ssize_t length, size;
} Values;

/* Gives the values of the array that was sent last on a route, and its type, borrowed; NULL if it is another one. */
KnownType *read_recent(const Route *route, PyObject *data, Values *values);

/* Notes what was read, if the array is the one of the time before. */
void note_recent(Route *route, PyObject *data, KnownType *known, const Values *values);

/* Gives the values of the array that was received last, and a reference to its type, if it is the last one of the
 * output; NULL if not. */
KnownType *read_received(Dispatch *self, PyObject *output, PyObject *data, Values *values);

/* DONE if `data` is of a known type and lies ready, and `values->view` has to be released. */
int read_values(Dispatch *self, PyObject *data, KnownType *known, Values *values);

#endif
