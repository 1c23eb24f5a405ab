"""The environment with which every interpreter of a run starts, and the variables that matter for that.

The first lines of a launch script read this: nothing may be imported here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

BYTECODE = "PYTHONPYCACHEPREFIX"
CONFIGURATION = "DORAFLOW_CONFIG"
SOCKET_VARIABLE = "NOTIFY_SOCKET"
WATCHDOG_VARIABLE = "WATCHDOG_USEC"
WATCHDOG_PROCESS_VARIABLE = "WATCHDOG_PID"

FOR_ONE_PROCESS = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "PYTHONPROFILEIMPORTTIME", "PYTHONINSPECT")
"""Variables that watch an interpreter from its start to its end, and would watch the warm process instead."""

# A node that speaks to the service manager would speak for the launcher.
_NOT_FOR_NODES = ("DORA_NODE_CONFIG", CONFIGURATION, SOCKET_VARIABLE, WATCHDOG_VARIABLE, WATCHDOG_PROCESS_VARIABLE)


def start_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Make what all interpreters start with, but for the folders of the bundle, from the environment of the host.

    Their compiled bytecode goes to the user's cache, so that the bundle stays as it was built. Forbidding bytecode
    instead would compile a package again at each start wherever its installer has not done so (uv does not).
    """
    shared = {name: value for name, value in environment.items() if name not in _NOT_FOR_NODES}
    shared["PYTHONUNBUFFERED"] = "1"
    if not shared.get("PYTHONDONTWRITEBYTECODE") and not shared.get(BYTECODE):
        cache = environment.get("XDG_CACHE_HOME") or environment.get("HOME", "/").rstrip("/") + "/.cache"
        shared[BYTECODE] = cache.rstrip("/") + "/doraflow/bytecode"
    return shared


def has_relative_entries(environment: Mapping[str, str]) -> bool:
    """Tell whether entries of PYTHONPATH depend on the folder that an interpreter starts in."""
    return not all(entry.startswith("/") for entry in environment.get("PYTHONPATH", "/").split(":"))
