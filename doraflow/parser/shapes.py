"""How to mend a value of the wrong shape: a map for a list, a map for a text, and what else slips in there.

Only the edit is put into words here; that the shape is wrong is told by `doraflow.parser.read`, and what was meant to
be a map is for `doraflow.parser.meant_maps`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, is_null

if TYPE_CHECKING:
    from doraflow.parser.syntax import SyntaxNode

LONGEST_SHOWN = 60

_NO_SPACE_AFTER_DASH = re.compile(r"-([^\s-]\S*).*")
WITH_IDS = frozenset({"nodes", "operators", "machines"})


def as_list(key: str, node: SyntaxNode) -> str | None:
    """Say how to write a list in the place of a single value or a map; None where there is nothing to go by."""
    if isinstance(node, ScalarNode):
        item = _item_without_space(node)
        if item is not None:
            return f"put a space after each `-`, as in `- {item}`" if can_be_shown(item) else None
        return f"write `{key}: [{node.text}]`" if can_be_shown(node.text) else None
    names = [entry.key.text for entry in node.entries] if isinstance(node, MappingNode) else []
    if not names:
        return "write a list, `- …` on each line"
    if key in WITH_IDS and "id" in names:
        return f"write `- ` before `{names[0]}`, and align its other keys with that"
    if key in WITH_IDS:
        return f"write a list, with `- id: {names[0]}` and its other keys below for the first entry"
    listed = ", ".join(names[:3])
    types = ", and the types of outputs under `output_types`" if key == "outputs" else ""
    return f"write a list, `{key}: [{listed}{', …' if len(names) > 3 else ''}]`{types}"


def list_in_place(node: SyntaxNode) -> str | None:
    """Write a single value as a list of one; None where it is not plain enough for that."""
    if not isinstance(node, ScalarNode) or not node.plain or node.span.line != node.span.end_line:
        return None
    if _item_without_space(node) is not None:
        return None
    return f"[{node.text}]" if node.text and "," not in node.text else None


def as_single(key: str, node: SyntaxNode, parent: str) -> str | None:
    """Say how to write a single value in the place of a list or map; `parent` is the key that holds `key`."""
    if isinstance(node, SequenceNode):
        if key == "build":
            return "write `build: |`, and the commands below it, one on each line and without `-`"
        if parent == "inputs":
            return "write one source, `node/output`; to read several, give each an input of its own"
        return "write one value, without a list around it"
    if not isinstance(node, MappingNode):
        return f"write a value after `{key}:`" if is_null(node) else None
    first = node.entries[0] if node.entries else None
    if key == "outputs" and (described := _described_output(node)) is not None:
        name, kind = described
        return f"write `- {name}` here" + (f", and `{name}: {kind}` under `output_types`" if kind else "")
    if key == "outputs" and first is not None and isinstance(first.value, ScalarNode):
        name = first.key.text
        return f"write `- {name}` here, and `{name}: {first.value.text}` under `output_types`"
    return "write one value, without keys below it"


def _described_output(node: MappingNode) -> tuple[str, str] | None:
    """Read the name and the type of an output that is a map with keys for them."""
    texts = {entry.key.text: entry.value.text for entry in node.entries if isinstance(entry.value, ScalarNode)}
    name, kind = texts.get("id") or texts.get("name"), texts.get("type") or texts.get("data_type")
    return (name, kind or "") if name else None


def _item_without_space(node: ScalarNode) -> str | None:
    """Give the first entry of a list whose dashes stand against their values, which YAML reads as one text."""
    match = _NO_SPACE_AFTER_DASH.fullmatch(node.text) if node.plain and isinstance(node.value, str) else None
    return match[1] if match is not None else None


def can_be_shown(text: str) -> bool:
    """Tell whether a text is short enough to be part of a help."""
    return bool(text) and len(text) <= LONGEST_SHOWN and "\n" not in text
