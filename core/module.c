/* The extension module `doraflow_core`: the version, and the types of the files beside this one. */
#include "common.h"

static int module_exec(PyObject *module)
{
    if (PyModule_AddIntConstant(module, "VERSION", DORAFLOW_CORE_VERSION) < 0)
        return -1;
    return receive_exec(module) < 0 ? -1 : send_exec(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "doraflow_core",
    .m_doc = "The compiled core of doraflow_runtime's message path; used by the runtime alone.",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_doraflow_core(void)
{
    return PyModuleDef_Init(&definition);
}
