/* What the queues have counted, as dicts by input. */
#include "queues.h"

PyObject *queues_waiting(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *counts = PyDict_New();
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (counts != NULL && PyDict_Next(queues->by_name, &at, &name, &value)) {
        PyObject *number = PyLong_FromSsize_t(((Queue *)value)->count);
        if (number == NULL || PyDict_SetItem(counts, name, number) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(number);
    }
    return counts;
}

static PyObject *taken_from(Queue *queue)
{
    PyObject *delays = PyList_New(DELAY_BUCKETS);
    for (int at = 0; delays != NULL && at < DELAY_BUCKETS; at++) {
        PyObject *number = PyLong_FromUnsignedLongLong(queue->delays[at]);
        if (number == NULL)
            Py_CLEAR(delays);
        else
            PyList_SET_ITEM(delays, at, number);
    }
    if (delays == NULL)
        return NULL;
    return Py_BuildValue("KKN", (unsigned long long)queue->taken, (unsigned long long)queue->taken_bytes, delays);
}

PyObject *queues_taken(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *counts = PyDict_New();
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (counts != NULL && PyDict_Next(queues->by_name, &at, &name, &value)) {
        PyObject *counted = taken_from((Queue *)value);
        if (counted == NULL || PyDict_SetItem(counts, name, counted) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(counted);
    }
    return counts;
}

PyObject *queues_dropped(Queues *queues, PyObject *unused)
{
    (void)unused;
    PyObject *counts = PyDict_New();
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (counts != NULL && PyDict_Next(queues->by_name, &at, &name, &value)) {
        PyObject *number = PyLong_FromSsize_t(((Queue *)value)->dropped);
        if (number == NULL || PyDict_SetItem(counts, name, number) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(number);
    }
    return counts;
}
