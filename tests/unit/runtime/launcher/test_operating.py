"""Requests of the control socket for all nodes: each is asked, and those that are refused are told with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from doraflow_runtime.control.messages import Done, Refusal, Restart
from doraflow_runtime.launcher.operating import Operation
from doraflow_runtime.launcher.status import NodeStatus, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow_runtime.control.messages import Reply


class FakeSupervisor:
    """A run of which some nodes have ended."""

    def __init__(self, nodes: list[str], ended: list[str]) -> None:
        self.nodes, self.ended = nodes, ended
        self.restarted: list[str] = []

    def answer_others_with(self, answer: object) -> None:
        """Nobody else asks."""

    def states(self) -> tuple[NodeStatus, ...]:
        return tuple(NodeStatus(node, "ended" if node in self.ended else "running") for node in self.nodes)

    def restart(self, node: str) -> None:
        if node in self.ended:
            raise Refused(f"`{node}` has ended")
        self.restarted.append(node)


@pytest.mark.parametrize(
    ("nodes", "ended", "reply"),
    [
        ("abc", "", Done("3 nodes are restarted")),
        ("abc", "a", Refusal("`a` has ended; 2 of 3 nodes are restarted")),
        ("abc", "bc", Refusal("`b` has ended; `c` has ended; 1 of 3 nodes are restarted")),
        (
            "abcdefgh",
            "bcdefgh",
            Refusal(
                "`b` has ended; `c` has ended; `d` has ended; `e` has ended; `f` has ended; 2 more are refused; "
                "1 of 8 nodes are restarted"
            ),
        ),
    ],
)
def test_a_restart_of_all_nodes_passes_over_those_that_cannot_and_names_them(
    tmp_path: Path, nodes: str, ended: str, reply: Reply
) -> None:
    nothing: Any = None
    supervisor: Any = FakeSupervisor(list(nodes), list(ended))
    said: list[Reply] = []
    Operation(supervisor, nothing, tmp_path, nothing, nothing).on_request(Restart(""), said.append)
    assert said == [reply]
    assert supervisor.restarted == [node for node in nodes if node not in ended]
