"""`python -m doraflow_runtime.operators`: what the launcher starts for a node of operators."""

from doraflow_runtime.operators.host import serve

serve()
