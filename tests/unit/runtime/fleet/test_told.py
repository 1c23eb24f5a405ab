"""What other hosts are told: their tables until they have them, and a trouble once in a while."""

from __future__ import annotations

import doctest

from doraflow_runtime.fleet import matters, tables
from doraflow_runtime.fleet.matters import MOST_MATTERS, SAME_MATTER, Matters
from doraflow_runtime.fleet.membership import Host
from doraflow_runtime.fleet.messages import Beat, NodeRow, Table
from doraflow_runtime.fleet.tables import Tables


def test_a_table_is_unread_until_a_host_that_is_there_and_hears_us_names_it() -> None:
    told, gpu = Tables(), Host("gpu", 0.0, "present")
    assert told.unread(gpu) is None
    first = told.renew("gpu", (NodeRow("camera", "there"),))
    assert first == told.unread(gpu) == Table(1, (NodeRow("camera", "there"),))
    gpu.beat, gpu.hears_us = Beat("running", seen=1), False
    assert told.unread(gpu) == first
    gpu.hears_us = True
    assert told.unread(gpu) is None
    second = told.renew("gpu", ())
    assert second == told.unread(gpu) == Table(2)
    gpu.presence = "lost"
    assert told.unread(gpu) is None


def test_a_trouble_is_told_again_after_a_while_and_what_is_remembered_is_bounded() -> None:
    troubles = Matters()
    assert [troubles.is_to_tell("gpu", "nonsense", at) for at in (0.0, SAME_MATTER - 1, SAME_MATTER)] == [
        True,
        False,
        True,
    ]
    for number in range(MOST_MATTERS):
        assert troubles.is_to_tell("gpu", str(number), SAME_MATTER)
    assert len(troubles._told) <= MOST_MATTERS


def test_the_examples_hold() -> None:
    assert doctest.testmod(matters).failed == doctest.testmod(tables).failed == 0
