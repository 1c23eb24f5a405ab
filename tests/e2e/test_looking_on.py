"""An output of a run is looked at while the run goes on: `doraflow inspect`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.operated import counting, doraflow


@pytest.mark.parametrize(("output", "kind"), [("small", "int64"), ("large", "uint8")])
def test_an_output_is_looked_at_while_the_run_goes_on(world: Any, eventually: Any, output: str, kind: str) -> None:
    launch = counting(world)
    before = world.processes().keys()
    done = doraflow(world, "inspect", f"source/{output}", "--count", "5", "--output", "json")
    assert done.returncode == 0, done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert seen[0] == {"kind": "schema", "type": kind}
    messages = [line for line in seen if line["kind"] == "message"]
    assert [message["number"] for message in messages] == [1, 2, 3, 4, 5]
    assert all(message["latency_us"] < 5_000_000 for message in messages)
    if output == "small":
        numbers = [message["metadata"]["number"] for message in messages]
        assert numbers == list(range(numbers[0], numbers[0] + 5))
        assert messages[0]["value"] == f"[{numbers[0]}]"
    else:
        assert messages[0]["size"] == 100_000
    again = doraflow(world, "inspect", f"source/{output}", "--seconds", "1.5", "--shown", "0")
    assert "messages/s" in again.stderr
    assert again.stdout == ""
    assert [path.name for path in (world.base / world.runs()[0]).glob("tap-*")] == []
    eventually(lambda: world.processes().keys() <= before, "a process is left")
    assert doraflow(world, "stop").returncode == 0
    assert launch.wait() == 0


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("source", "DF849", "`source` names no output"),
        ("source/smal", "DF843", "`source` has no output `smal`; its outputs are: `small`, `large`, `unread`"),
        ("sorce/small", "DF843", "there is no node `sorce` in this run; its nodes are: `source`, `reader`"),
        ("source/unread", "DF849", "nothing came on `source/unread` within 0.5 s"),
    ],
)
def test_what_cannot_be_looked_at_is_told(shared_counting: Any, source: str, code: str, message: str) -> None:
    done = doraflow(shared_counting, "inspect", source, "--silence", "0.5")
    assert done.returncode == 1
    assert f"error[{code}]: {message}" in done.stderr


@pytest.fixture(scope="module")
def shared_counting(shared_world: Any) -> Any:
    launch = counting(shared_world)
    yield shared_world
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 0


def test_one_who_looks_and_takes_nothing_holds_nobody_up(world: Any, eventually: Any) -> None:
    launch = counting(world)
    looker = subprocess.Popen(
        [sys.executable, "-m", "doraflow", "inspect", "source/large", "--output", "json"],
        env={**world.environment, "XDG_CACHE_HOME": str(world.folder / "cache")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert looker.stdout is not None
    assert looker.stdout.readline()
    looker.send_signal(signal.SIGSTOP)
    count = launch.out.count("reader | INPUT")
    eventually(lambda: launch.out.count("reader | INPUT") > count + 200, "the reader gets nothing more")
    looker.kill()
    looker.communicate()
    eventually(lambda: launch.out.count("reader | INPUT") > count + 250, "the reader gets nothing more")
    assert doraflow(world, "stop").returncode == 0
    assert launch.wait() == 0
