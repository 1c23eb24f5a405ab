"""Answers as people type them, read: names of nodes, `NAME=SOURCE` of inputs, `NAME:TYPE` of outputs.

What is wrong with one is told in words of the compiler, so that a wizard can ask again and a flag can be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.standard_types import SCALAR_TYPES, STRUCT_TYPES
from doraflow.diagnostics import Sink, Span
from doraflow.ir import PortReference
from doraflow.parser.identifiers import judge_node_id, judge_port_id
from doraflow.parser.sources import parse_source
from doraflow.parser.suggest import choices_text, nearest
from doraflow.scaffold.answers import PortAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doraflow.parser.identifiers import Illegal

KNOWN_TYPES = (*SCALAR_TYPES, *STRUCT_TYPES)
_NOWHERE = Span("", 1, 1, 1, 1)


class AnswerError(ValueError):
    """An answer that means nothing; the message says why, and what to write."""


def read_name(text: str) -> str:
    """Read the name of a dataflow, which is also the beginning of that of a Python package. Raises AnswerError."""
    name = text.strip()
    if not name.isidentifier() or not name.isascii():
        raise AnswerError(f"`{name}` is not a name: write letters, digits and `_`, with a letter first")
    return name


def read_nodes(text: str) -> tuple[str, ...]:
    """Read the ids of nodes, separated by spaces or commas. Raises AnswerError."""
    ids = tuple(text.replace(",", " ").split())
    if not ids:
        raise AnswerError("a dataflow needs a node: write its id, such as `camera`")
    for position, node in enumerate(ids):
        _judge(node, judge_node_id)
        if node in ids[:position]:
            raise AnswerError(f"there are two nodes `{node}`: write each once")
    return ids


def read_outputs(text: str) -> tuple[PortAnswer, ...]:
    """Read outputs, `NAME` or `NAME:TYPE`, separated by spaces. Raises AnswerError.

    >>> read_outputs("image:Image raw")
    (PortAnswer(id='image', value='std/media/v1/Image'), PortAnswer(id='raw', value=''))
    """
    ports = []
    for word in text.split():
        name, _, kind = word.partition(":")
        _judge(name, judge_port_id)
        ports.append(PortAnswer(name, type_named(kind) if kind else ""))
    return _distinct(tuple(ports), "output")


def read_inputs(text: str, outputs: Sequence[str] | None = None) -> tuple[PortAnswer, ...]:
    """Read inputs, `NAME=SOURCE`, separated by spaces; `outputs` are those that may be read. Raises AnswerError."""
    ports = []
    for word in text.split():
        name, equals, source = word.partition("=")
        if not equals or not source:
            raise AnswerError(f"`{word}` is not an input: write `NAME=NODE/OUTPUT` or `NAME=dora/timer/hz/10`")
        _judge(name, judge_port_id)
        ports.append(PortAnswer(name, _source(source, outputs)))
    return _distinct(tuple(ports), "input")


def type_named(text: str) -> str:
    """Give the full name of a standard type, which may be given by its last part; other names as they are.

    Raises AnswerError for a name without slashes that is none of theirs.

    >>> type_named("Float64"), type_named("my/v1/Thing")
    ('std/core/v1/Float64', 'my/v1/Thing')
    """
    bare, bracket, parameters = text.partition("[")
    if "/" in bare:
        if bare.startswith("std/") and bare not in KNOWN_TYPES:
            raise AnswerError(f"there is no type `{bare}`: write one of {choices_text(bare, KNOWN_TYPES)}")
        return text
    for known in KNOWN_TYPES:
        if known.rpartition("/")[2] == bare:
            return known + bracket + parameters
    short = [known.rpartition("/")[2] for known in KNOWN_TYPES]
    raise AnswerError(f"there is no type `{bare}`: write one of {choices_text(bare, short)}")


def _source(text: str, outputs: Sequence[str] | None) -> str:
    sink = Sink()
    read = parse_source(text, _NOWHERE, sink)
    if read is None:
        found = sink.found[0]
        raise AnswerError(f"{found.message}: {found.help}" if found.help else found.message)
    if isinstance(read, PortReference) and outputs is not None and text not in outputs:
        near = nearest(text, outputs)
        choices = f"write `{near[0]}`" if near else f"write one of {choices_text(text, outputs)}"
        raise AnswerError(f"no node has the output `{text}`: {choices}")
    return text


def _distinct(ports: tuple[PortAnswer, ...], what: str) -> tuple[PortAnswer, ...]:
    seen: set[str] = set()
    for port in ports:
        if port.id in seen:
            raise AnswerError(f"there are two {what}s `{port.id}`: write each once")
        seen.add(port.id)
    return ports


def _judge(text: str, judge: Callable[[str], Illegal | None]) -> None:
    illegal = judge(text)
    if illegal is not None:
        raise AnswerError(f"{illegal.message}: write `{illegal.legal}`" if illegal.legal else illegal.message)
