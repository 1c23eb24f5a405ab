"""What a user answers of a dataflow that is to be, and the dataflow written from it.

Nothing is asked here; the command line does that. Whether the answers make sense is judged by the compiler, which reads
what is written here like any other dataflow.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE_FOLDER = "nodes"

_PLAIN = re.compile(r"[A-Za-z][\w./-]*(?:\[[\w.=,-]+\])?")
_WORDS_THAT_MEAN_OTHERWISE = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """A port: what an input reads, or the type of an output; empty where an output has none."""

    id: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """A node that is to be; `machine` is empty where the dataflow names none."""

    id: str
    inputs: tuple[PortAnswer, ...] = ()
    outputs: tuple[PortAnswer, ...] = ()
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """A dataflow that is to be; `hosts` are its machines."""

    name: str
    nodes: tuple[NodeAnswer, ...]
    hosts: tuple[str, ...] = ()


def dataflow_text(answers: Answers) -> str:
    r"""Write the dataflow.

    >>> print(dataflow_text(Answers("demo", (NodeAnswer("a", (), (PortAnswer("x"),)),))), end="")
    name: demo
    nodes:
      - id: a
        path: nodes/a.py
        outputs: [x]
    """
    lines = [f"name: {quoted(answers.name)}"]
    if answers.hosts:
        lines += ["hosts:", *(f"  {quoted(host)}: {{}}" for host in answers.hosts)]
    lines.append("nodes:")
    for position, node in enumerate(answers.nodes):
        lines += [""] if position else []
        lines += node_lines(node, f"{NODE_FOLDER}/{file_name(node.id)}", "  ")
    return "\n".join(lines) + "\n"


def node_lines(node: NodeAnswer, path: str, indent: str) -> list[str]:
    """Write a node as an item of the list of nodes."""
    body = [f"id: {quoted(node.id)}", f"path: {quoted(path)}"]
    if node.inputs:
        body += ["inputs:", *(f"  {quoted(port.id)}: {quoted(port.value)}" for port in node.inputs)]
    body += _outputs(node)
    if node.machine:
        body.append(f"deploy: {{machine: {quoted(node.machine)}}}")
    return [f"{indent}{'- ' if position == 0 else '  '}{line}" for position, line in enumerate(body)]


def _outputs(node: NodeAnswer) -> Iterator[str]:
    if not node.outputs:
        return
    yield f"outputs: [{', '.join(quoted(port.id) for port in node.outputs)}]"
    typed = [port for port in node.outputs if port.value]
    if typed:
        yield "output_types:"
        yield from (f"  {quoted(port.id)}: {quoted(port.value)}" for port in typed)


def file_name(node: str) -> str:
    """Name the script of a node.

    >>> file_name("front-camera")
    'front_camera.py'
    """
    return f"{re.sub(r'[^A-Za-z0-9]+', '_', node).strip('_') or 'node'}.py"


def quoted(text: str) -> str:
    """Write a text as a YAML scalar that is read as this very text, in a line of its own or in brackets.

    >>> quoted("camera/image"), quoted("on"), quoted("1:30")
    ('camera/image', '"on"', '"1:30"')
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_THAT_MEAN_OTHERWISE and "," not in text:
        return text
    return json.dumps(text)
