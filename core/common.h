/* What the files of the compiled core share: the entry points that core/module.c calls.
 *
 * Each file of the core is one half of the message path and knows nothing of the other. docs/wire-format.md specifies
 * every byte that is read or written here.
 */
#ifndef DORAFLOW_CORE_COMMON_H
#define DORAFLOW_CORE_COMMON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>

/* Raised with every change of what the runtime calls; runtime/compiled.py holds the other half of the comparison. */
#define DORAFLOW_CORE_VERSION 15

/* The lock of a node; whoever uses it in C holds the interpreter's lock, which waiting for it lets go of. */
extern PyTypeObject LockType;
void lock_acquire(PyObject *lock);
int lock_try(PyObject *lock); /* 1 if it was taken, 0 if another thread has it */
int lock_release(PyObject *lock); /* -1 with an exception if this thread has not taken it */

/* The values of an array that was received. */
struct received {
    PyObject *array, *kind; /* the first is no reference */
    const void *start;
    Py_ssize_t length;
};

/* Whether `data` is the value of the event that was handed out last; then where its values lie, without asking it. What
 * is given is borrowed. */
int gate_recall(PyObject *gate, PyObject *data, struct received *received);

/* Adds the types of the receiving half to the module. -1 with an exception on failure. */
int receive_exec(PyObject *module);

/* Adds the types of the sending half to the module. -1 with an exception on failure. */
int send_exec(PyObject *module);

#endif
