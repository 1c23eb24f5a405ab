"""Old forms of `env`: the key `envs`, a list of maps, and `__dora_env` for the value of a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.dialects.custom import environment_edits
from doraflow.parser.dialects.edits import Join, Rename, Write
from doraflow.parser.dialects.finding import Found
from doraflow.parser.syntax import MappingNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Span

_LIST = (
    "`env` as a list of maps is an old spelling: it is one map",
    "write a map, `NAME: value` on each line, without `-`",
)
_MESSAGES = {
    Rename: ("`envs` is an old spelling of `env`", "write `env`"),
    Write: (
        "`__dora_env` is an old spelling of a reference to a variable",
        "write `NAME: $OTHER`, with the name of the other variable",
    ),
}


def find_environment_list(holder: MappingNode) -> Iterator[Found]:
    """Find an `env` that is a list. Only the oldest files have it; in a modern one it is a mistake."""
    span = holder.key_span("env")
    for edit in environment_edits(holder, ()):
        if isinstance(edit, Join) and span is not None:
            yield Found(*_LIST, span, (edit,))


def find_environment(holder: MappingNode) -> Iterator[Found]:
    """Find the key `envs`, and values that name another variable in the old way."""
    if isinstance(holder.get("env"), SequenceNode):
        return
    for edit in environment_edits(holder, ()):
        span = _old_reference(holder, edit) if isinstance(edit, Write) else holder.key_span("envs")
        if span is not None and type(edit) in _MESSAGES:
            yield Found(*_MESSAGES[type(edit)], span, (edit,))


def _old_reference(holder: MappingNode, edit: Write) -> Span:
    """Find the key `__dora_env` of the value that an edit rewrites."""
    env = holder.get("env") or holder.get("envs")
    value = env.get(edit.key) if isinstance(env, MappingNode) else None
    span = value.key_span("__dora_env") if isinstance(value, MappingNode) else None
    return span or edit.span
