/* The event that was handed out last, kept a little longer than its user keeps it.
 *
 * `for event in node` lets go of an event when the next one is there. From cold, taking an array of Arrow apart takes 10
 * to 20 us, and all of that would lie between a message and the code that waits for it. So the gate holds an event on,
 * and lets go of it when the node waits again. What nobody else holds when a wait begins is let go of before that, so
 * its slot goes back as early as ever.
 */
#include "gate.h"

#define KEPT_NS (100 * MILLISECOND) /* of a wait: a library's own thread may let go of the value meanwhile */

/* Whether no thread but this one can let go of anything while this one waits. */
static int is_alone(void)
{
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    return thread != NULL && PyThreadState_Next(thread) == NULL;
}

void gate_keep(Gate *gate, PyObject *event)
{
    if (Py_REFCNT(event) == 1 && PyTuple_Check(event) && PyTuple_GET_SIZE(event) == 4 && is_alone())
        gate->handed = Py_NewRef(event);
}

int gate_recall(PyObject *object, PyObject *data, struct received *received)
{
    Gate *gate = (Gate *)object;
    if (!Py_IS_TYPE(object, &GateType) || gate->handed == NULL || gate->queues->last.array != data
        || PyTuple_GET_ITEM(gate->handed, 2) != data)
        return 0;
    *received = gate->queues->last;
    return 1;
}

void gate_let_go(Gate *gate)
{
    Py_CLEAR(gate->kept);
    Py_CLEAR(gate->handed);
}

void gate_pass_on(Gate *gate)
{
    Py_CLEAR(gate->kept);
    PyObject *event = gate->handed, *held = event;
    gate->handed = NULL;
    if (event == NULL)
        return;
    if (Py_REFCNT(event) == 1) /* of the event, at most its value is in use */
        held = PyTuple_GET_ITEM(event, 2);
    if (held != event) {
        Py_INCREF(held);
        Py_DECREF(event);
    }
    if (Py_REFCNT(held) == 1 || !is_alone()) {
        Py_DECREF(held);
        return;
    }
    gate->kept = held;
    gate->kept_until_ns = monotonic_ns() + KEPT_NS;
}
