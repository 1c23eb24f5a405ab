"""Syntax tree to model: one validation, with every fault told at the place that it concerns.

pydantic judges each value by the model; `doraflow.parser.faults` puts its findings into words. After faults the rest is
read without what was wrong, so that later stages find what is wrong with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import ValidationError

from doraflow.parser.causes import judged
from doraflow.parser.faults import Fault, code_of
from doraflow.parser.keys import Keys
from doraflow.parser.recovery import NO_GAPS, Cut, Gaps, gaps_of, shortened, without
from doraflow.parser.syntax import MappingNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from doraflow.diagnostics import Sink
    from doraflow.parser.recovery import Location
    from doraflow.parser.syntax import SyntaxNode

Model = TypeVar("Model", bound=Keys)

MOST_ROUNDS = 8
MOST_FAULTS = 1_000
"""How many faults are told of one file; after more of them no one can say what the rest is to be."""

MOST_DETAILS = 50_000
NO_PLACES: frozenset[Location] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading(Generic[Model]):
    """A model, the syntax that it was read from, and what of the nodes is missing.

    `tree` is the syntax that was given, without what could not be read: its lists are as long as the model's. `faulty`
    are the keys at the top with a fault somewhere below.
    """

    model: Model
    tree: MappingNode
    gaps: Gaps = NO_GAPS
    faulty: frozenset[str] = frozenset()


def read_model(kind: type[Model], tree: MappingNode, sink: Sink) -> Reading[Model] | None:
    """Read a mapping as `kind`, as far as it can be read; None if a key is lacking without which there is nothing.

    All faults are reported, each once; what the recovery from one brings about is not.
    """
    gaps, faulty, renamed = NO_GAPS, frozenset[str](), NO_PLACES
    tree = _without_masses(tree)
    for round_number in range(MOST_ROUNDS):
        try:
            return Reading(kind.model_validate(_raw(tree), context=sink), tree, gaps, faulty)
        except ValidationError as error:
            details = _details(error, kind, tree)
        faults, cuts = judged([Fault(kind, tree, each, sink) for each in details[:MOST_FAULTS]])
        for fault in faults:
            if round_number == 0 or any(fault.location[: len(place)] == place for place in renamed):
                fault.report()
        if round_number == 0:
            for left in details[MOST_FAULTS:]:
                sink.leave_out(code_of(left))
        if len(details) > MOST_FAULTS or any(not cut.location for cut in cuts):
            return None
        renamed = _renamed(renamed, cuts)
        faulty |= {str(cut.location[0]) for cut in cuts}
        gaps = gaps.joined(gaps_of(tree, cuts))
        tree = without(tree, cuts)
    return None


def _renamed(places: frozenset[Location], cuts: Sequence[Cut]) -> frozenset[Location]:
    """Give the places that are read under another key, where what is wrong shows in the next round only.

    None once an entry of a list is left out, as others take its place then.
    """
    if any(isinstance(cut.location[-1], int) for cut in cuts):
        return frozenset()
    return places | {(*cut.location[:-1], cut.renamed) for cut in cuts if cut.renamed is not None}


def _without_masses(tree: MappingNode) -> MappingNode:
    """Cut a list of nodes off where more of them are no nodes than are told of anyway, before each costs its time."""
    nodes = tree.get("nodes")
    if not isinstance(nodes, SequenceNode) or len(nodes.items) <= MOST_FAULTS:
        return tree
    faulty = (at for at, item in enumerate(nodes.items, 1) if not isinstance(item, MappingNode) or not item.entries)
    end = next(islice(faulty, MOST_FAULTS, None), None)
    if end is None:
        return tree
    cut = replace(nodes, items=nodes.items[:end])
    return replace(
        tree, entries=tuple(replace(each, value=cut) if each.value is nodes else each for each in tree.entries)
    )


def _details(error: ValidationError, kind: type[Keys], tree: MappingNode) -> list[ErrorDetails]:
    """List what pydantic found. Very much of it would take all memory: then the first of each list is judged alone."""
    if error.error_count() > MOST_DETAILS:
        try:
            kind.model_validate(_raw(shortened(tree, MOST_DETAILS // 10)))
        except ValidationError as shorter:
            if MOST_FAULTS < shorter.error_count() <= MOST_DETAILS:
                error = shorter
    return error.errors(include_url=False, include_input=False)


def _raw(node: SyntaxNode) -> object:
    """Make what pydantic reads: maps and lists as such, nulls as None, every other scalar with its syntax."""
    if isinstance(node, MappingNode):
        return {entry.key.text: _raw(entry.value) for entry in node.entries}
    if isinstance(node, SequenceNode):
        return [_raw(item) for item in node.items]
    return None if node.value is None else node
