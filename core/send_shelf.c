/* The slots of a node's shared memory: which are at hand, which are in use, and who is still counted on each.
 *
 * Where memory for them comes from is the business of the runtime's Pool, which adds and removes segments.
 */
#include "send.h"

PyTypeObject *shelf_type;

enum { SMALLEST_SLOT = 8 * 1024, STEPS = 2 };

/* Rounds up to one of four sizes for each power of two. */
static Py_ssize_t slot_size_of(Py_ssize_t size)
{
    if (size <= SMALLEST_SLOT)
        return SMALLEST_SLOT;
    int bits = 64 - __builtin_clzll((unsigned long long)(size - 1));
    Py_ssize_t step = (Py_ssize_t)1 << (bits - 1 - STEPS);
    return (size + step - 1) & -step;
}

static Stack *stack_of(Shelf *shelf, Py_ssize_t slot_size)
{
    for (Py_ssize_t at = 0; at < shelf->stack_count; at++)
        if (shelf->stacks[at].slot_size == slot_size)
            return &shelf->stacks[at];
    return NULL;
}

static Segment *segment_of(Shelf *shelf, uint32_t number)
{
    Py_ssize_t low = 0, high = shelf->segment_count;
    while (low < high) {
        Py_ssize_t middle = (low + high) / 2;
        if (shelf->segments[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < shelf->segment_count && shelf->segments[low]->number == number ? shelf->segments[low] : NULL;
}

static Slot *hand_out(Shelf *shelf, Stack *stack, Py_ssize_t size)
{
    Slot *slot = (Slot *)slot_type->tp_alloc(slot_type, 0);
    if (slot == NULL)
        return NULL;
    Place place = stack->places[--stack->count];
    Segment *segment = place.segment;
    segment->used += 1;
    segment->last_taken = ++shelf->taken;
    shelf->bytes_in_use += segment->slot_size;
    shelf->slots_in_use += 1;
    slot->shelf = (Shelf *)Py_NewRef(shelf);
    slot->segment = (Segment *)Py_NewRef(segment);
    slot->key = (SlotKey){segment->number, place.index, segment->generations[place.index]};
    slot->offset = segment->offset + (Py_ssize_t)place.index * segment->slot_size;
    slot->size = size;
    slot->room = segment->slot_size;
    segment->in_use[place.index] = (Slot *)Py_NewRef(slot);
    return slot;
}

Slot *shelf_reuse(Shelf *shelf, Py_ssize_t size)
{
    Stack *stack = stack_of(shelf, slot_size_of(size));
    return stack == NULL || stack->count == 0 ? NULL : hand_out(shelf, stack, size);
}

Slot *shelf_find(Shelf *shelf, SlotKey key)
{
    Segment *segment = segment_of(shelf, key.segment);
    Slot *slot = segment == NULL || key.slot >= segment->count ? NULL : segment->in_use[key.slot];
    return slot != NULL && slot->key.generation == key.generation ? slot : NULL;
}

void shelf_free(Shelf *shelf, Slot *slot)
{
    Segment *segment = slot->segment;
    if (slot->shelf != shelf || segment->in_use[slot->key.slot] != slot)
        return;
    segment->in_use[slot->key.slot] = NULL;
    segment->used -= 1;
    shelf->bytes_in_use -= slot->room;
    shelf->slots_in_use -= 1;
    segment->generations[slot->key.slot] = slot->key.generation + 1;
    Stack *stack = stack_of(shelf, segment->slot_size); /* has room for every place of its segments */
    stack->places[stack->count++] = (Place){segment, slot->key.slot};
    Py_DECREF(slot);
}

void shelf_let_go(Shelf *shelf, Slot *slot)
{
    slot->holders -= 1;
    if (slot->holders <= 0)
        shelf_free(shelf, slot);
}

/* ---- the type */

static int shelf_init(Shelf *self, PyObject *arguments, PyObject *names)
{
    (void)names;
    PyObject *memory;
    if (self->memory.obj != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a shelf is made once");
        return -1;
    }
    if (!PyArg_ParseTuple(arguments, "Onn", &memory, &self->limit, &self->tidy_at))
        return -1;
    return PyObject_GetBuffer(memory, &self->memory, PyBUF_WRITABLE);
}

/* Makes room for `more` places of one size. */
static Stack *stack_for(Shelf *self, Py_ssize_t slot_size, Py_ssize_t more)
{
    Stack *stack = stack_of(self, slot_size);
    if (stack == NULL) {
        Stack *stacks = PyMem_Realloc(self->stacks, sizeof(Stack) * (size_t)(self->stack_count + 1));
        if (stacks == NULL)
            return NULL;
        self->stacks = stacks;
        stack = &stacks[self->stack_count++];
        *stack = (Stack){.slot_size = slot_size};
    }
    Place *places = PyMem_Realloc(stack->places, sizeof(Place) * (size_t)(stack->capacity + more));
    if (places == NULL)
        return NULL;
    stack->places = places;
    stack->capacity += more;
    return stack;
}

static PyObject *shelf_add(Shelf *self, PyObject *arguments)
{
    unsigned int number, count;
    Py_ssize_t slot_size, offset;
    if (!PyArg_ParseTuple(arguments, "InnI", &number, &slot_size, &offset, &count))
        return NULL;
    Py_ssize_t end = slot_size > 0 && count > 0 ? slot_size * (Py_ssize_t)count + offset : -1;
    int is_later = self->segment_count == 0 || self->segments[self->segment_count - 1]->number < number;
    if (slot_size <= 0 || offset < 0 || end < 0 || end > self->memory.len || !is_later) {
        PyErr_SetString(PyExc_ValueError, "a segment outside the memory, or of a number that was used");
        return NULL;
    }
    if (self->segment_count == self->segment_capacity) {
        Py_ssize_t capacity = self->segment_capacity * 2 + 8;
        Segment **segments = PyMem_Realloc(self->segments, sizeof(Segment *) * (size_t)capacity);
        if (segments == NULL)
            return PyErr_NoMemory();
        self->segments = segments;
        self->segment_capacity = capacity;
    }
    Stack *stack = stack_for(self, slot_size, count);
    Segment *segment = stack == NULL ? NULL : segment_new(number, slot_size, offset, count);
    if (segment == NULL)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    for (uint32_t left = count; left > 0; left--)
        stack->places[stack->count++] = (Place){segment, left - 1};
    self->segments[self->segment_count++] = segment;
    return Py_NewRef(segment);
}

static PyObject *shelf_remove(Shelf *self, PyObject *number)
{
    unsigned long wanted = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred())
        return NULL;
    Py_ssize_t at = 0;
    while (at < self->segment_count && self->segments[at]->number != wanted)
        at++;
    if (at == self->segment_count || self->segments[at]->used) {
        PyErr_Format(PyExc_ValueError, "segment %lu is not there, or in use", wanted);
        return NULL;
    }
    Segment *segment = self->segments[at];
    memmove(&self->segments[at], &self->segments[at + 1], sizeof(Segment *) * (size_t)(--self->segment_count - at));
    Stack *stack = stack_of(self, segment->slot_size);
    Py_ssize_t kept = 0;
    for (Py_ssize_t place = 0; place < stack->count; place++)
        if (stack->places[place].segment != segment)
            stack->places[kept++] = stack->places[place];
    stack->count = kept;
    stack->capacity -= segment->count;
    Py_DECREF(segment);
    Py_RETURN_NONE;
}

static PyObject *shelf_reuse_method(Shelf *self, PyObject *size)
{
    Py_ssize_t wanted = PyLong_AsSsize_t(size);
    if (wanted == -1 && PyErr_Occurred())
        return NULL;
    Slot *slot = shelf_reuse(self, wanted);
    if (slot == NULL && !PyErr_Occurred())
        Py_RETURN_NONE;
    return (PyObject *)slot;
}

static Slot *as_slot(PyObject *object)
{
    if (Py_IS_TYPE(object, slot_type))
        return (Slot *)object;
    PyErr_Format(PyExc_TypeError, "a slot is wanted, got %s", Py_TYPE(object)->tp_name);
    return NULL;
}

static PyObject *shelf_hold(Shelf *self, PyObject *object)
{
    (void)self;
    Slot *slot = as_slot(object);
    if (slot == NULL)
        return NULL;
    slot->holders += 1;
    Py_RETURN_NONE;
}

static PyObject *shelf_let_go_method(Shelf *self, PyObject *object)
{
    Slot *slot = as_slot(object);
    if (slot == NULL)
        return NULL;
    shelf_let_go(self, slot);
    Py_RETURN_NONE;
}

static PyObject *shelf_free_method(Shelf *self, PyObject *object)
{
    Slot *slot = as_slot(object);
    if (slot == NULL)
        return NULL;
    shelf_free(self, slot);
    Py_RETURN_NONE;
}

static PyObject *shelf_release(Shelf *self, PyObject *key)
{
    SlotKey wanted;
    if (!PyArg_ParseTuple(key, "III", &wanted.segment, &wanted.slot, &wanted.generation))
        return NULL;
    Slot *slot = shelf_find(self, wanted);
    if (slot != NULL)
        shelf_let_go(self, slot);
    return PyBool_FromLong(slot != NULL);
}

static PyObject *shelf_room(Shelf *self, PyObject *key)
{
    SlotKey wanted;
    if (!PyArg_ParseTuple(key, "III", &wanted.segment, &wanted.slot, &wanted.generation))
        return NULL;
    Slot *slot = shelf_find(self, wanted);
    return PyLong_FromSsize_t(slot == NULL ? 0 : slot->room);
}

static PyObject *shelf_slots(Shelf *self, void *closure)
{
    (void)closure;
    PyObject *slots = PyList_New(0);
    for (Py_ssize_t at = 0; slots != NULL && at < self->segment_count; at++)
        for (uint32_t index = 0; slots != NULL && index < self->segments[at]->count; index++) {
            Slot *slot = self->segments[at]->in_use[index];
            if (slot != NULL && PyList_Append(slots, (PyObject *)slot) < 0)
                Py_CLEAR(slots);
        }
    return slots;
}

static int shelf_traverse(Shelf *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t at = 0; at < self->segment_count; at++)
        Py_VISIT(self->segments[at]);
    return 0;
}

static int shelf_clear(Shelf *self)
{
    for (Py_ssize_t at = 0; at < self->stack_count; at++)
        self->stacks[at].count = 0;
    while (self->segment_count > 0)
        Py_DECREF(self->segments[--self->segment_count]);
    return 0;
}

static void shelf_dealloc(Shelf *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    shelf_clear(self);
    for (Py_ssize_t at = 0; at < self->stack_count; at++)
        PyMem_Free(self->stacks[at].places);
    PyMem_Free(self->stacks);
    PyMem_Free(self->segments);
    PyBuffer_Release(&self->memory);
    bell_let_go(self->common);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef shelf_methods[] = {
    {"add", (PyCFunction)shelf_add, METH_VARARGS, "Add a segment, and give it."},
    {"remove", (PyCFunction)shelf_remove, METH_O, "Remove a segment of which nothing is in use."},
    {"reuse", (PyCFunction)shelf_reuse_method, METH_O, "Hand out a slot that is at hand; None if there is none."},
    {"hold", (PyCFunction)shelf_hold, METH_O, "Count one more consumer that holds the slot."},
    {"let_go", (PyCFunction)shelf_let_go_method, METH_O, "Count one holder less; the last one frees the slot."},
    {"free", (PyCFunction)shelf_free_method, METH_O, "Take a slot back, whoever holds it."},
    {"room", (PyCFunction)shelf_room, METH_O, "Say how many bytes of the pool a slot takes; 0 if it is not in use."},
    {"release", (PyCFunction)shelf_release, METH_O, "Count one holder less, by key; False if it is not in use."},
    {0},
};

static PyGetSetDef shelf_properties[] = {
    {"slots", (getter)shelf_slots, NULL, "The slots in use.", NULL},
    {0},
};

static PyMemberDef shelf_members[] = {
    {"limit", T_PYSSIZET, offsetof(Shelf, limit), 0, NULL},
    {"bytes_in_use", T_PYSSIZET, offsetof(Shelf, bytes_in_use), READONLY, NULL},
    {"slots_in_use", T_PYSSIZET, offsetof(Shelf, slots_in_use), READONLY, NULL},
    {"taken", T_PYSSIZET, offsetof(Shelf, taken), READONLY, NULL},
    {"tidy_at", T_PYSSIZET, offsetof(Shelf, tidy_at), 0, NULL},
    {0},
};

static PyType_Slot shelf_slots_of_type[] = {
    {Py_tp_doc, "The slots of one node that are at hand, and those that are in use."},
    {Py_tp_init, shelf_init},
    {Py_tp_traverse, shelf_traverse},
    {Py_tp_clear, shelf_clear},
    {Py_tp_dealloc, shelf_dealloc},
    {Py_tp_methods, shelf_methods},
    {Py_tp_getset, shelf_properties},
    {Py_tp_members, shelf_members},
    {0, NULL},
};

static PyType_Spec shelf_spec = {
    "doraflow_core.Shelf",
    sizeof(Shelf),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    shelf_slots_of_type,
};

int send_shelf_exec(PyObject *module)
{
    return send_add_type(module, &shelf_type, &shelf_spec);
}
