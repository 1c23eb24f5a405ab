"""Keys that are carried without shaping the graph: restarts, logs, names for people, and what later versions use.

Whether a key has an effect is judged in `doraflow.analysis.support`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.parser.syntax import MappingNode, is_null

if TYPE_CHECKING:
    from collections.abc import Collection

    from pydantic import BaseModel

    from doraflow.diagnostics import Span
    from doraflow.parser.syntax import SyntaxNode

LOG_SETTINGS = ("send_stdout_as", "send_logs_as", "min_log_level", "max_log_size", "max_rotated_files")
OPERATOR_SETTINGS = frozenset({"name", "description", "pattern", *LOG_SETTINGS})
PROCESS_SETTINGS = (
    "restart_policy",
    "max_restarts",
    "restart_delay",
    "max_restart_delay",
    "restart_window",
    "startup_timeout",
    "health_check_timeout",
    "finish_grace_secs",
)
"""What a launcher does with the processes that it starts."""
NODE_SETTINGS = OPERATOR_SETTINGS | {
    *PROCESS_SETTINGS,
    "data_format",
    "shared_memory_pool_size",
    "shared_memory_ready",
    "huge_pages",
    "spawn",
    "spin_us",
    "path_sha256",
    "branch",
    "tag",
    "rev",
    "hub",
    "ros2",
}
_WITH_DEFAULTS = frozenset({"ros2"})
DATAFLOW_SETTINGS = frozenset({"health_check_interval", "debug", "default_data_format", "communication"})
DEPLOYMENT_SETTINGS = frozenset({"labels", "cores", "memory", "distribute"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Values by key as JSON would hold them, and where each key stands; both in the order of the file."""

    values: dict[str, object] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)


def settings_of(keys: BaseModel | None, syntax: SyntaxNode | None, names: Collection[str]) -> Settings:
    """Collect those of `names` that are given a value; `syntax` is the mapping that `keys` was read from."""
    if keys is None or not isinstance(syntax, MappingNode):
        return Settings()
    given = [entry for entry in syntax.entries if entry.key.text in names and not is_null(entry.value)]
    if not given:
        return Settings()
    wanted = {entry.key.text for entry in given}
    values = keys.model_dump(mode="json", by_alias=True, exclude_unset=True, include=wanted)
    # What runs a bridge reads no other file, so its defaults are written out.
    whole = wanted & _WITH_DEFAULTS
    values |= keys.model_dump(mode="json", by_alias=True, exclude_none=True, include=whole) if whole else {}
    return Settings(
        {entry.key.text: values[entry.key.text] for entry in given},
        {entry.key.text: entry.key.span for entry in given},
    )
