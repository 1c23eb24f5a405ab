"""The ids of nodes in messages: what is near, what is listed, and what it costs."""

from __future__ import annotations

import time

import pytest

from doraflow.analysis.node_names import NodeNames
from doraflow.parser.suggest import Choices, choices_text, nearest

IDS = ("camera", "arm.motor", "arm.camera", "arm.hand.motor", "armour", "hand")


@pytest.mark.parametrize("scope", ["", "arm.", "arm.hand.", "nowhere."])
@pytest.mark.parametrize("wanted", ["camra", "motor", "hnd", "xyz"])
def test_names_beside_a_reference_come_first_as_they_are_written_there(wanted: str, scope: str) -> None:
    inside = [name.removeprefix(scope) for name in IDS if scope and name.startswith(scope)]
    choices = inside + [name for name in IDS if not scope or not name.startswith(scope)]
    names = NodeNames(Choices(IDS))
    near = names.near(wanted, scope)
    assert near == nearest(wanted, choices)
    assert names.text(near, scope) == choices_text(wanted, choices)


def test_without_nodes_there_is_nothing_to_list() -> None:
    assert NodeNames(Choices(())).text([]) == "none"


def test_ten_thousand_wrong_references_among_ten_thousand_nodes_cost_little() -> None:
    names = NodeNames(Choices(tuple(f"unit_{number}.node" for number in range(10_000))))
    began = time.process_time()
    for number in range(10_000):
        scope = f"unit_{number}."
        names.text(names.near("nod", scope), scope)
    assert time.process_time() - began < 3
    assert names.near("unit_17.nde")[0] == "unit_17.node"
