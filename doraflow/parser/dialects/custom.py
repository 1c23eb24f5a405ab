"""`custom`: how the keys of a node with a program of its own stood one level deeper, up to dora 0.3.

Its `source`, and before that `run` with the whole command, are `path` and `args` today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.dialects.edits import Join, Lift, Rename, Write
from doraflow.parser.dialects.finding import Found
from doraflow.parser.rules import IMPLEMENTATIONS
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.parser.dialects.edits import Edit
    from doraflow.parser.recovery import Location


def find_custom(node: MappingNode) -> Iterator[Found]:
    """Find a node's `custom`. What stands both in it and in the node is left alone, and is then an unknown key."""
    span = node.key_span("custom")
    custom = node.get("custom")
    if span is None or not isinstance(custom, MappingNode) or any(node.get(key) is not None for key in IMPLEMENTATIONS):
        return
    edits = [*_implementation(custom, ("custom",)), *environment_edits(custom, ("custom",))]
    names = {"envs": "env", "source": "path", "run": "path"}
    if any(node.get(names.get(entry.key.text, entry.key.text)) is not None for entry in custom.entries):
        return
    yield Found(
        "`custom` is an old spelling: the keys of a node stand in the node itself",
        "move its keys up into the node, with `path` for `source` and `run`, and `env` for `envs`",
        span,
        (*edits, Lift((), "custom")),
    )


def find_run(node: MappingNode) -> Iterator[Found]:
    """Find a node's own `run`, of the first dialect of all."""
    span = node.key_span("run")
    if span is None or any(node.get(key) is not None for key in (*IMPLEMENTATIONS, "custom")):
        return
    edits = tuple(_implementation(node, ()))
    if edits:
        message = "`run` is an old spelling: the program of a node is its `path`, and what follows its `args`"
        yield Found(message, "write `path`, and the arguments under `args`", span, edits)


def _implementation(holder: MappingNode, path: Location) -> Iterator[Edit]:
    source, run = holder.get("source"), holder.get("run")
    if source is not None and run is None and holder.get("path") is None:
        yield Rename(path, "source", "path")
    elif isinstance(run, ScalarNode) and source is None and holder.get("path") is None:
        program, _, arguments = run.text.strip().partition(" ")
        if not arguments.strip():
            yield Rename(path, "run", "path")
        elif holder.get("args") is None:
            yield Write(path, "run", program, run.span)
            yield Rename(path, "run", "path")
            yield Write(path, "args", arguments.strip(), run.span, after="path")


def environment_edits(holder: MappingNode, path: Location) -> Iterator[Edit]:
    """List what makes the old forms of an environment one map under `env`."""
    if holder.get("envs") is not None and holder.get("env") is None:
        yield Rename(path, "envs", "env")
    env = holder.get("env") or holder.get("envs")
    if _is_list_of_maps(env):
        yield Join(path, "env")
    maps = [env] if isinstance(env, MappingNode) else env.items if isinstance(env, SequenceNode) else ()
    for entries in (each.entries for each in maps if isinstance(each, MappingNode)):
        for entry in entries:
            variable = entry.value.get("__dora_env") if isinstance(entry.value, MappingNode) else None
            if isinstance(variable, ScalarNode):
                yield Write((*path, "env"), entry.key.text, f"${variable.text}", variable.span)


def _is_list_of_maps(env: object) -> bool:
    if not isinstance(env, SequenceNode) or not all(isinstance(item, MappingNode) for item in env.items):
        return False
    names = [entry.key.text for item in env.items if isinstance(item, MappingNode) for entry in item.entries]
    return len(names) == len(set(names))
