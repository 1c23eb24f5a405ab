"""`doraflow run` in a terminal: interrupted once and twice, and left alone when the terminal goes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World

ROOT = Path(__file__).resolve().parents[2]
FLOW = "nodes:\n  - {id: stubborn, path: stubborn.py, inputs: {tick: dora/timer/millis/50}}\n"
STUBBORN = """
import signal, time
from dora import Node
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for event in Node():
    print(event["type"], flush=True)
    if event["type"] == "STOP":
        time.sleep(SECONDS)
"""


def written(world: World, seconds: int) -> dict[str, str]:
    (world.folder / "flow.yml").write_text(FLOW)
    (world.folder / "stubborn.py").write_text(STUBBORN.replace("SECONDS", str(seconds)))
    path = f"{world.environment['PYTHONPATH']}:{ROOT}"
    return {**world.environment, "PYTHONPATH": path, "XDG_CACHE_HOME": str(world.folder / "cache"), "COLUMNS": "200"}


def test_one_interruption_stops_cleanly(world: World) -> None:
    with terminal("run", "flow.yml", cwd=world.folder, **written(world, 0)) as shown:
        shown.expect("stubborn | INPUT")
        shown.type("\x03")
        shown.expect("stubborn | STOP")
        assert shown.wait() == 0, shown.shown
    assert "Traceback" not in shown.shown
    assert world.runs() == []


def test_a_second_interruption_kills_what_is_left_at_once(world: World) -> None:
    with terminal("run", "flow.yml", "--grace", "600", cwd=world.folder, **written(world, 600)) as shown:
        shown.expect("stubborn | INPUT")
        shown.type("\x03")
        shown.expect("stubborn | STOP")
        time.sleep(1)  # a second one that comes at once counts as the same, as it does where two programs pass it on
        shown.type("\x03")
        shown.expect("killing what is left")
        assert shown.wait() == 130, shown.shown
    assert "Traceback" not in shown.shown
    assert world.runs() == []


def test_nothing_is_left_of_a_run_whose_terminal_was_closed(world: World, eventually: Callable[..., None]) -> None:
    with terminal("run", "flow.yml", "--grace", "0.5", cwd=world.folder, **written(world, 600)) as shown:
        shown.expect("stubborn | INPUT")
        shown.hang_up()
        eventually(lambda: not world.processes(), f"processes are left: {world.processes()}")
    assert world.runs() == []
