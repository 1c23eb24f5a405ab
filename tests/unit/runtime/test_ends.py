"""How nodes part: nothing that was sent is lost, and only the process that joined can leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.shm import connection

if TYPE_CHECKING:
    from conftest import Run


def test_a_reader_that_cannot_answer_any_more_still_reads_what_was_sent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CHUNK", 1000)
    run.pair(1000, "drop_oldest")
    a, b = run.join("a", "b")
    for number in range(100):
        a.send_output("out", b"x" * 5000, {"number": number})
    a.close()
    assert [event.metadata["number"] for event in b if event.type == "INPUT"] == list(range(100))


FORK = """
import os
from doraflow_runtime.node_api.node import Node
node = Node()
print(node.next().type)
child = os.fork()
if child == 0:
    raise SystemExit  # with all that is done at an ordinary exit
os.waitpid(child, 0)
print("forked", flush=True)
print([event.type for event in node])
"""


def test_a_forked_child_does_not_leave_the_run_of_its_parent(run: Run) -> None:
    run.pair()
    receiver = run.spawn("b", FORK)
    (sender,) = run.join("a")
    sender.send_output("out", b"who are you?")
    assert receiver.stdout is not None
    assert [receiver.stdout.readline() for _ in range(2)] == ["INPUT\n", "forked\n"]
    sender.next(0)
    sender.send_output("out", b"still there?")
    sender.close()
    assert run.finish(receiver) == "['INPUT', 'INPUT_CLOSED', 'STOP']\n"


def test_the_memory_of_a_loan_cannot_be_written_once_it_is_sent(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    with a.loan("out", 5000) as memory:
        memory[:] = b"x" * 5000
    with pytest.raises(ValueError, match="released"):
        memory[0] = 1
    with pytest.raises(KeyError), a.loan("out", 5000) as memory:
        raise KeyError
    with pytest.raises(ValueError, match="released"):
        memory[0] = 1
    assert b.next(5) is not None
