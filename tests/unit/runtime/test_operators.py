"""Operators: events reach the right one, what they return is obeyed, and a chain of them ends from its start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from doraflow_runtime.contract import OperatorWiring

if TYPE_CHECKING:
    import subprocess

    from conftest import Run

SERVE = "import runpy; runpy.run_module('doraflow_runtime.operators', run_name='__main__')"
NOTE = """
class Operator:
    def __init__(self):
        self.total = 0

    def on_event(self, event, send_output):
        print("{name}", event["type"], event.get("id"), flush=True)
        if event["type"] == "INPUT":
            value = event["value"].to_pylist()[0]
            self.total += value
            {on_input}
        if event["type"] == "STOP":
            {on_stop}
        return 0
"""


def operator(run: Run, name: str, on_input: str = "pass", on_stop: str = "pass") -> OperatorWiring:
    (run.directory / f"{name}.py").write_text(NOTE.format(name=name, on_input=on_input, on_stop=on_stop))
    return OperatorWiring(name, "python", f"{name}.py")


def start(run: Run, *operators: OperatorWiring, policy: str = "backpressure") -> subprocess.Popen[str]:
    """A source whose numbers go to the first operator; each operator's `out` goes to the next; the last's to `b`."""
    names = [one.id for one in operators]
    run.node("a", ("out",))
    run.node("o", tuple(f"{name}/out" for name in names), operators)
    run.node("b")
    sources = ["a/out", *(f"o/{name}/out" for name in names)]
    for source, target in zip(sources, [*(f"o/{name}/in" for name in names), "b/in"], strict=True):
        run.link(source, target, 3, policy)
    run.listen(3)
    return run.spawn("o", SERVE)


def values(run: Run, count: int) -> list[object]:
    """Send some numbers, and give what comes out at the end."""
    a, b = run.join("a", "b")
    for number in range(count):
        a.send_output("out", pa.array([number]))
    a.close()
    return [event.value.to_pylist()[0] if event.value else (event.type, event.id) for event in b]


END = [("INPUT_CLOSED", "in"), ("STOP", "ALL_INPUTS_CLOSED")]


def test_a_chain_of_operators_in_one_process_ends_when_its_source_does(run: Run) -> None:
    send = "send_output('out', event['value'], event['metadata'])"
    process = start(
        run,
        operator(run, "first", "[send_output('out', event['value']) for _ in range(5)]"),
        operator(run, "second", send),
    )
    assert values(run, 3) == [*([0] * 5), *([1] * 5), *([2] * 5), *END]
    told = run.finish(process).splitlines()
    for name, count in (("first", 3), ("second", 15)):
        own = [line for line in told if line.startswith(name)]
        assert own == [f"{name} INPUT in"] * count + [f"{name} INPUT_CLOSED in", f"{name} STOP ALL_INPUTS_CLOSED"]


def test_an_operator_may_send_its_last_word_when_its_inputs_are_closed(run: Run) -> None:
    last_word = "import pyarrow; send_output('out', pyarrow.array([self.total]))"
    process = start(run, operator(run, "sum", on_stop=last_word), operator(run, "again", on_stop=last_word))
    assert values(run, 5) == [10, *END]
    run.finish(process)


def test_an_operator_that_stops_closes_its_outputs_and_gets_no_more_events(run: Run) -> None:
    process = start(run, operator(run, "one", "return 1"))
    assert values(run, 1) == END
    assert run.finish(process).splitlines() == ["one INPUT in"]


def test_stop_all_is_told_to_the_launcher(run: Run) -> None:
    process = start(run, operator(run, "one", "return 2"))
    assert values(run, 1) == END
    run.finish(process)
    with run.connections["o"].makefile("rb") as lines:
        assert lines.readline() == b'{"type": "stop_all"}\n', "what the node has counted comes after it"


def test_a_stop_reaches_every_operator(run: Run) -> None:
    process = start(run, operator(run, "one"), operator(run, "two"))
    run.join("a", "b")
    run.tell("o", type="stop")
    assert run.finish(process).splitlines() == ["one STOP MANUAL", "two STOP MANUAL"]


def last_words(process: subprocess.Popen[str]) -> str:
    """Read the record of the exception that ended a process."""
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    record = json.loads(out.splitlines()[-1])
    assert record["fields"]["traceback"].startswith("Traceback")
    assert record["fields"]["traceback"].rstrip().endswith(record["message"])
    assert record["level"] == "error"
    return str(record["message"])


@pytest.mark.parametrize(
    ("on_input", "error"),
    [
        ("raise KeyError('lost')", "KeyError: 'lost'"),
        ("return 'fine'", "TypeError: operator `one` returned 'fine' from `on_event`; return a DoraStatus"),
        ("send_output('uot', b'')", "ValueError: node `o` has no output `one/uot`; its outputs are: `one/out`"),
    ],
)
def test_an_exception_ends_the_process_with_its_traceback(run: Run, on_input: str, error: str) -> None:
    process = start(run, operator(run, "one", on_input))
    assert values(run, 1) == END
    assert last_words(process) == error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("class Operators: pass", "ImportError: operator `one`: {path} has no class `Operator`"),
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
    ],
)
def test_a_file_that_is_no_operator_ends_the_process(run: Run, text: str, error: str) -> None:
    process = start(run, operator(run, "one"))
    (run.directory / "one.py").write_text(text)
    assert values(run, 0) == END
    assert last_words(process) == error.format(path=run.directory / "one.py")


def test_an_operator_imports_what_lies_beside_it(run: Run) -> None:
    (run.directory / "beside_it.py").write_text("NUMBER = 42")
    process = start(run, operator(run, "one", "import beside_it, pyarrow; send_output('out', pyarrow.array([42]))"))
    assert values(run, 1) == [42, *END]
    run.finish(process)
