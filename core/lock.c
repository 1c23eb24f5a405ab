/* A reentrant lock like `threading.RLock`, but cheap from cold: a node takes and leaves its lock twice for each message.
 *
 * The interpreter's lock guards the fields, so a lock that is free is taken without any other instruction. Only a
 * thread that finds it taken waits, without the interpreter's lock, for `news`.
 */
#include "common.h"

#include <pythread.h>

typedef struct {
    PyObject_HEAD
    unsigned long owner;
    unsigned long depth; /* how often the owner holds it; 0 if it is free */
    unsigned long waiting;
    int is_told; /* that `news` was released and nobody has taken it up yet */
    PyThread_type_lock news; /* held, except for a moment when the lock has become free */
} Lock;

void lock_acquire(PyObject *object)
{
    Lock *lock = (Lock *)object;
    unsigned long self = PyThread_get_thread_ident();
    while (lock->depth && lock->owner != self) {
        lock->waiting++;
        Py_BEGIN_ALLOW_THREADS
        PyThread_acquire_lock(lock->news, WAIT_LOCK);
        Py_END_ALLOW_THREADS
        lock->waiting--;
        lock->is_told = 0;
    }
    lock->owner = self;
    lock->depth++;
}

int lock_try(PyObject *object)
{
    Lock *lock = (Lock *)object;
    if (lock->depth && lock->owner != PyThread_get_thread_ident())
        return 0;
    lock_acquire(object);
    return 1;
}

static void leave(Lock *lock)
{
    lock->depth = 0;
    if (lock->waiting && !lock->is_told) {
        lock->is_told = 1;
        PyThread_release_lock(lock->news);
    }
}

int lock_release(PyObject *object)
{
    Lock *lock = (Lock *)object;
    if (!lock->depth || lock->owner != PyThread_get_thread_ident()) {
        PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
        return -1;
    }
    if (lock->depth == 1)
        leave(lock);
    else
        lock->depth--;
    return 0;
}

static PyObject *lock_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) || (kwargs != NULL && PyDict_GET_SIZE(kwargs))) {
        PyErr_SetString(PyExc_TypeError, "Lock takes no arguments");
        return NULL;
    }
    Lock *lock = (Lock *)type->tp_alloc(type, 0);
    if (lock == NULL)
        return NULL;
    lock->news = PyThread_allocate_lock();
    if (lock->news == NULL) {
        Py_DECREF(lock);
        return PyErr_NoMemory();
    }
    PyThread_acquire_lock(lock->news, NOWAIT_LOCK);
    return (PyObject *)lock;
}

static void lock_dealloc(Lock *lock)
{
    if (lock->news != NULL) {
        PyThread_release_lock(lock->news);
        PyThread_free_lock(lock->news);
    }
    Py_TYPE(lock)->tp_free(lock);
}

static PyObject *lock_acquire_method(PyObject *lock, PyObject *unused)
{
    (void)unused;
    lock_acquire(lock);
    Py_RETURN_TRUE;
}

static PyObject *lock_release_method(PyObject *lock, PyObject *unused)
{
    (void)unused;
    if (lock_release(lock) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *lock_exit(PyObject *lock, PyObject *const *args, Py_ssize_t count)
{
    (void)args;
    (void)count;
    return lock_release_method(lock, NULL);
}

static PyObject *lock_is_owned(Lock *lock, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(lock->depth && lock->owner == PyThread_get_thread_ident());
}

static PyObject *lock_release_save(Lock *lock, PyObject *unused)
{
    (void)unused;
    unsigned long depth = lock->depth;
    if (!depth || lock->owner != PyThread_get_thread_ident()) {
        PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
        return NULL;
    }
    leave(lock);
    return PyLong_FromUnsignedLong(depth);
}

static PyObject *lock_acquire_restore(Lock *lock, PyObject *saved)
{
    unsigned long depth = PyLong_AsUnsignedLong(saved);
    if (depth == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    lock_acquire((PyObject *)lock);
    lock->depth += depth - 1;
    Py_RETURN_NONE;
}

static PyMethodDef lock_methods[] = {
    {"acquire", lock_acquire_method, METH_NOARGS, "Take the lock, waiting for it."},
    {"release", lock_release_method, METH_NOARGS, "Leave the lock. Raises RuntimeError for who has not taken it."},
    {"__enter__", lock_acquire_method, METH_NOARGS, "Take the lock, waiting for it."},
    {"__exit__", (PyCFunction)(void (*)(void))lock_exit, METH_FASTCALL, "Leave the lock."},
    {"_is_owned", (PyCFunction)lock_is_owned, METH_NOARGS, "Tell whether this thread has the lock."},
    {"_release_save", (PyCFunction)lock_release_save, METH_NOARGS, "Leave the lock however often it was taken."},
    {"_acquire_restore", (PyCFunction)lock_acquire_restore, METH_O, "Take the lock as often as it was taken before."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject LockType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "doraflow_core.Lock",
    .tp_doc = "A reentrant lock, like threading.RLock.",
    .tp_basicsize = sizeof(Lock),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = lock_new,
    .tp_dealloc = (destructor)lock_dealloc,
    .tp_methods = lock_methods,
};
