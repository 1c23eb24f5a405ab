"""The environment that a node's process gets: the host's, the dataflow's `env`, and what the runtime itself sets."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from doraflow_runtime.contract import PATH_VARIABLES
from doraflow_runtime.warm.variables import start_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(
    rf"\$(?:(?P<escape>\$)|(?P<name>{_NAME})|\{{(?P<braced>{_NAME})(?::-(?P<default>[^{{}}]*))?\}})"
)


class UndefinedError(LookupError):
    """A value refers to a variable that the host's environment has not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Fill in `$NAME`, `${NAME}` and `${NAME:-default}`; `$$` is a dollar sign, and any other `$` stays as it is.

    Raises UndefinedError for a name without a value or a default.

    >>> expand("${HOME}/models, $$5, ${LEVEL:-3}", {"HOME": "/root"})
    '/root/models, $5, 3'
    """
    return _REFERENCE.sub(lambda found: "$" if found["escape"] else _value(found, environment), text)


def expand_path(path: str, environment: Mapping[str, str]) -> str:
    """Fill in the variables that a path may hold, and leave all others as they are.

    Raises UndefinedError for a name without a value or a default.

    >>> expand_path("$HOME/${ROBOT}/a.py", {"HOME": "/root"})
    '/root/${ROBOT}/a.py'
    """

    def value(found: re.Match[str]) -> str:
        is_known = (found["name"] or found["braced"]) in PATH_VARIABLES
        return _value(found, environment) if is_known else found[0]

    return _REFERENCE.sub(value, path)


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    name, default = found["name"] or found["braced"], found["default"]
    if name in environment:
        return environment[name]
    if default is None:
        raise UndefinedError(name)
    return default


def inherited(environment: Mapping[str, str], bundle: Path) -> dict[str, str]:
    """Make what all nodes share from the environment of the host."""
    shared = start_environment(environment)
    path = [str(bundle), str(bundle / "runtime"), *filter(None, [shared.get("PYTHONPATH")])]
    return shared | {"PYTHONPATH": os.pathsep.join(path)}
