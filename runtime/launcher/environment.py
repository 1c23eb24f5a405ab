"""The environment that a node's process gets: the host's, the dataflow's `env`, and what the runtime itself sets."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.leftovers import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Mapping

BYTECODE = "PYTHONPYCACHEPREFIX"
_NOT_FOR_NODES = ("DORA_NODE_CONFIG", CONFIGURATION)
_REFERENCE = re.compile(r"\$(?:(?P<escape>\$)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)\})")


class UndefinedError(LookupError):
    """A value refers to a variable that the host's environment has not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Fill in `$NAME` and `${NAME}`; `$$` is a dollar sign, and a `$` before anything else stays as it is.

    Raises UndefinedError for a name without a value.

    >>> expand("${HOME}/models, $$5", {"HOME": "/root"})
    '/root/models, $5'
    """

    def value(found: re.Match[str]) -> str:
        if found["escape"]:
            return "$"
        name = found["name"] or found["braced"]
        if name not in environment:
            raise UndefinedError(name)
        return environment[name]

    return _REFERENCE.sub(value, text)


def inherited(environment: Mapping[str, str], bundle: Path) -> dict[str, str]:
    """Make what all nodes share from the environment of the host.

    Their compiled bytecode goes to the user's cache, so that the bundle stays as it was built. Forbidding bytecode
    instead would compile a package again at each start wherever its installer has not done so (uv does not).
    """
    shared = {name: value for name, value in environment.items() if name not in _NOT_FOR_NODES}
    path = [str(bundle), str(bundle / "runtime"), *filter(None, [shared.get("PYTHONPATH")])]
    shared |= {"PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
    if not shared.get("PYTHONDONTWRITEBYTECODE") and not shared.get(BYTECODE):
        cache = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME", "/"), ".cache"))
        shared[BYTECODE] = str(Path(cache, "doraflow", "bytecode"))
    return shared
