"""Types that follow from the other end of an edge.

An output's type holds for all its readers. Readers tell the type of an output without one only if they agree; one that
takes bytes takes anything, and tells nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.annotations import Annotations
from doraflow.analysis.standard_types import ANY_SINK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.analysis.type_names import TypeName
    from doraflow.ir import Edge


def infer(edges: Sequence[Edge], given: Annotations) -> Annotations:
    """Add the types that follow from `given`; a port whose annotation was reported gets none."""
    outputs = {**_from_readers(edges, given), **given.outputs}
    inputs = dict(given.inputs)
    for edge in edges:
        inputs.setdefault((edge.consumer, edge.input), outputs.get((edge.producer, edge.output)))
    return Annotations(inputs, outputs)


def _from_readers(edges: Sequence[Edge], given: Annotations) -> dict[tuple[str, str], TypeName | None]:
    expected: dict[tuple[str, str], dict[str, TypeName]] = {}
    for edge in edges:
        name = given.inputs.get((edge.consumer, edge.input))
        if name is not None and name.base != ANY_SINK:
            expected.setdefault((edge.producer, edge.output), {}).setdefault(name.base, name)
    return {start: next(iter(names.values())) for start, names in expected.items() if len(names) == 1}
