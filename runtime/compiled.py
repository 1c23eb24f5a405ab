"""The choice between the compiled core of the message path and its twin in Python.

The core is the extension module `doraflow_core`. It is used if it can be imported and was built for this runtime, so
a bundle's own copy of the runtime may meet a core of another version, and then does without. The environment variable
DORAFLOW_CORE says otherwise: `off` for Python alone, `on` for an error if the core is missing. Nothing here knows
what the core does.
"""

from __future__ import annotations

import functools
import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

CORE_VERSION = 15
"""Of what the runtime calls in the core; raised together with core/common.h."""

SWITCH = "DORAFLOW_CORE"
CHOICES = ("auto", "on", "off")
MODULE = "doraflow_core"


@functools.cache
def is_compiled() -> bool:
    """Tell whether this process uses the compiled core; then `import doraflow_core` works.

    Raises RuntimeError if DORAFLOW_CORE asks for a core that cannot be had, or for something else.
    """
    return choose(os.environ.get(SWITCH) or CHOICES[0])


def choose(wanted: str, module: str = MODULE) -> bool:
    """Decide by the value of DORAFLOW_CORE. Raises RuntimeError like `is_compiled`."""
    if wanted not in CHOICES:
        raise RuntimeError(f"{SWITCH} is `{wanted}`; write one of {', '.join(CHOICES)}")
    if wanted == "off":
        return False
    fault = _fault(module)
    if fault and wanted == "on":
        raise RuntimeError(f"{SWITCH} is `on`, but {fault}")
    return not fault


def _fault(module: str) -> str:
    """Say why the core cannot be used; an empty text if it can."""
    try:
        core: ModuleType = importlib.import_module(module)
    except ImportError as error:
        return f"the compiled core cannot be imported: {error}"
    version = getattr(core, "VERSION", None)
    if version == CORE_VERSION:
        return ""
    return f"the compiled core is of version {version} and this runtime needs {CORE_VERSION}: install both together"
