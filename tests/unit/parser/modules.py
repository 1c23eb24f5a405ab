"""What the tests of modules share: a chain of nodes as a module, a dataflow that includes it, and short forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from doraflow.diagnostics import Diagnostic
from doraflow.parser.document import Document

if TYPE_CHECKING:
    from doraflow.parser.model import Node

Project = Callable[[dict[str, str]], tuple[Document | None, tuple[Diagnostic, ...]]]

CHAIN = """\
module:
  name: chain
  inputs: [raw]
  inputs_optional: [config]
  outputs: [clean]
build: pip install filters
nodes:
  - id: first
    path: first.py
    args: --speed $PARAM_SPEED
    inputs:
      data: {source: _mod/raw, queue_size: 3}
      config: _mod/config
      tick: dora/timer/millis/10
    outputs: [middle]
  - id: last
    path: ../shared/last.py
    env: {MODE: inner}
    inputs: {data: first/middle}
    outputs: [clean]
"""

FLOW = """\
nodes:
  - id: camera
    path: camera.py
    outputs: [image]
  - id: stage
    module: modules/chain.yml
    inputs:
      raw: {source: camera/image, queue_size: 7, queue_policy: backpressure}
    params: {speed: 2.0}
    env: {MODE: outer, LEVEL: 3}
    deploy: {machine: gpu}
  - id: sink
    path: sink.py
    inputs: {clean: stage/clean}
"""


def nodes(document: Document | None) -> dict[str, Node]:
    assert document is not None
    return {declared.node.id: declared.node for declared in document.nodes}


def sources(node: Node) -> dict[str, str]:
    return {port: options.source for port, options in node.inputs.items()}


def told(found: tuple[Diagnostic, ...]) -> list[str]:
    """Write findings as `CODE file:line:column message <- label, …`."""
    lines = []
    for diagnostic in found:
        span = diagnostic.span
        assert span is not None
        labels = ", ".join(
            f"{_name(label.span.file)}:{label.span.line}:{label.span.column}" for label in diagnostic.related
        )
        place = f"{_name(span.file)}:{span.line}:{span.column}"
        lines.append(f"{diagnostic.code} {place} {diagnostic.message}" + (f" <- {labels}" if labels else ""))
    return lines


def _name(file: str) -> str:
    return file.rsplit("/", 1)[-1]


def flow_with(module_line: str, rest: str = "") -> str:
    return f"nodes:\n  - id: m\n    module: {module_line}\n{rest}"
