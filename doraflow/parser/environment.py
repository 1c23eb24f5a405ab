"""Environment variables of nodes: which ones they may be given, and which are not what they look like.

What the values mean is the launcher's affair.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doraflow.parser.loaders import check_loader
from doraflow.parser.secrets import check_values
from doraflow.parser.syntax import MappingNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import SyntaxNode

_RESERVED = frozenset(
    {
        "DORAFLOW_CONFIG",
        "DORA_NODE_CONFIG",
        "DORA_RUNTIME_CONFIG",
        "DORA_RUN_PARENT_PID",
        "DORA_AUTH_TOKEN",
        "DORA_ALLOW_SHELL_NODES",
        "ZENOH_CONFIG",
        "LD_PRELOAD",
        "LD_AUDIT",
        "LD_LIBRARY_PATH",
        "DYLD_INSERT_LIBRARIES",
        "DYLD_LIBRARY_PATH",
    }
)
_RESERVED_PREFIX = "DORA_ZENOH_"
_MALFORMED = re.compile(r"[=\s\0]")


def is_reserved(name: str) -> bool:
    """Tell whether a variable belongs to the launcher or the loader, so that a dataflow's value for it is dropped.

    >>> is_reserved("LD_PRELOAD"), is_reserved("CAPTURE_PATH")
    (True, False)
    """
    return name in _RESERVED or name.startswith(_RESERVED_PREFIX)


def allowed(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out the reserved names."""
    return {name: value for name, value in environment.items() if not is_reserved(name)}


def check_environment(syntax: SyntaxNode | None, sink: Sink) -> None:
    """Judge an `env` map."""
    if not isinstance(syntax, MappingNode):
        return
    check_values(syntax, sink)
    for entry in syntax.entries:
        name = entry.key.text
        if is_reserved(name):
            sink.warning(
                "DF114",
                f"`{name}` is reserved, so this value is dropped",
                entry.key.span,
                help=f"remove it; to give nodes a value for `{name}`, set it where the dataflow is started",
            )
        elif not name or _MALFORMED.search(name):
            found = "is empty" if not name else "holds `=`, white space or a NUL character"
            sink.error(
                "DF114",
                f"`{name}` cannot be the name of an environment variable: it {found}",
                entry.key.span,
                help="write a name of letters, digits and `_`",
            )
        else:
            check_loader(entry, sink)
