"""Dora's Python module, so that nodes written for dora run unchanged."""

from doraflow_runtime.node_api.dora import *  # noqa: F403
from doraflow_runtime.node_api.dora import __all__, __getattr__  # noqa: F401
