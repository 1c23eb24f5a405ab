from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check, Checked

FLOW = """\
hosts:
  robot: {{{robot}}}
nodes:
  - id: arm
    path: arm.py
    cpu_affinity: [{cores}]
    deploy: {{machine: robot}}
    outputs: [state, log]
    output_types: {{state: own/State}}
  - id: view
    path: view.py
    deploy: {{machine: robot}}
    inputs:
      state: {{source: arm/state, queue_size: {queue}}}
      log: arm/log
"""
TYPES = "types:\n  State:\n    arrow: Struct\n    fields:\n" + "".join(
    f"      - {{name: m{number}, type: Float64}}\n" for number in range(100)
)


def budget(checked: Checked) -> list[str]:
    return [f"{found.severity} {found.code} {found.message}" for found in checked.findings if "DF50" in found.code]


def text(robot: str, *, cores: str = "0", queue: int = 10) -> str:
    return FLOW.format(robot=robot, cores=cores, queue=queue)


@pytest.mark.parametrize(
    ("cores", "said"),
    [("1", "only core 0"), ("4", "4 cores, 0 to 3")],
)
def test_a_core_that_the_machine_has_not_is_an_error(check: Check, cores: str, said: str) -> None:
    checked = check(text(f"cores: {cores}", cores="0, 7"), {"types/own.yml": TYPES})
    assert budget(checked) == [
        f"error DF505 `arm` is bound to core 7, and `robot` has {said}: the node would not start there"
    ]
    finding = checked.only("DF505")
    assert str(finding.span).startswith("flow.yml:6:19")
    assert [(str(label.span), label.text) for label in finding.related] == [
        ("flow.yml:2:3", "`robot` is described here")
    ]


@pytest.mark.parametrize("robot", ["cores: 8", "memory: 8GB", ""])
def test_what_fits_or_is_not_written_down_is_fine(check: Check, robot: str) -> None:
    assert budget(check(text(robot, cores="7"), {"types/own.yml": TYPES})) == []


def test_messages_that_can_take_more_than_a_machine_has_are_a_warning(check: Check) -> None:
    checked = check(text("memory: 8MB"), {"types/own.yml": TYPES})
    assert budget(checked) == ["warning DF503 messages on `robot` can take 8.5 MiB, and it has 8 MiB of memory"]
    finding = checked.only("DF503")
    assert str(finding.span) == "flow.yml:2:3"
    assert finding.notes == (
        (
            "8.5 MiB in shared memory and nothing in queues, if all are full; outputs without a fixed size (1) are not "
            "counted"
        ),
    )
    assert [(str(label.span), label.text) for label in finding.related] == [
        ("flow.yml:8:15", "`arm/state` can take 8.5 MiB: 6400 bytes a message")
    ]


def test_a_very_long_queue_is_told_with_its_size(check: Check) -> None:
    checked = check(text("memory: 512MB", queue=10**9), {"types/own.yml": TYPES})
    assert budget(checked) == ["warning DF503 messages on `robot` can take 1 GiB, and it has 512 MiB of memory"]


@pytest.mark.parametrize(
    ("keys", "bound", "ready"),
    [
        ("shared_memory_pool_size: 1MB", "its `shared_memory_pool_size` of 1 MiB", "2MB"),
        ("spawn: exec", "the 1 GiB of every node", "2GB"),
    ],
)
def test_no_more_memory_can_be_ready_than_a_node_may_have(check: Check, keys: str, bound: str, ready: str) -> None:
    flow = "nodes:\n  - id: a\n    path: a.py\n    {keys}\n    shared_memory_ready: {ready}\n"
    (told,) = check(flow.format(keys=keys, ready=ready)).told
    asked = f"`a` asks for {ready[0]} {ready[1]}iB of shared memory at its start"
    assert told == f"error DF104 5:5 {asked}, and may have no more than {bound}"
