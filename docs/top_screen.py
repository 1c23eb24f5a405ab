"""Draws the picture of docs/ that shows `doraflow top`: `python -m docs.top_screen`.

What it shows is made up here, so that it is the same on every machine; the tests of the screen use it too.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.control.messages import Metrics, NodeMetrics, NodeState, PortMetrics, Status
from doraflow_runtime.control.places import RunFacts

from doraflow.operate.top.app import Top
from doraflow.operate.top.source import RunView

if TYPE_CHECKING:
    from doraflow_runtime.control.messages import Request

PICTURE = Path(__file__).with_name("top.svg")
SIZE = (132, 36)


class Shown:
    """A source with two runs that stand still; it remembers what it was asked to do."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Request]] = []
        self.views = (_vision(), _arm())
        self.is_closed = False

    def look(self) -> tuple[RunView, ...]:
        """Give the runs."""
        return self.views

    def act(self, run: str, request: Request, host: str = "") -> str:  # noqa: ARG002 - it has one host
        """Note a request."""
        self.asked.append((run, request))
        return "as you wish"

    def log(self, run: RunView, node: str, text: str, count: int) -> list[tuple[str, str]]:
        """Give lines of a log that fit."""
        lines = [
            ("info", f"09:00:0{at} {name} {line}")
            for at, (name, line) in enumerate(
                [
                    ("camera", "640x480 at 30 Hz"),
                    ("detector", "model loaded in 1.8 s"),
                    ("planner", "no map yet"),
                    ("detector", "3 faces"),
                    ("detector", "2 faces"),
                ]
            )
            if run.dataflow == "vision" and node in ("", name)
        ]
        lines.append(("warn", f"09:00:09 {node or 'camera'} a frame came late"))
        return [line for line in lines if text.casefold() in line[1].casefold()][-count:]

    def close(self) -> None:
        """Note the end."""
        self.is_closed = True


def _vision() -> RunView:
    facts = RunFacts("vision-0a1b2c3d", "vision", "local", 4711, "2026-01-01T09:00:00+00:00", "/logs", "/bundle", 4)
    states = (
        NodeState("camera", "running", 4712, 3_723_000, 0, 90_000, 41_943_040),
        NodeState("detector", "running", 4713, 3_723_000, 0, 2_900_000, 734_003_200),
        NodeState("planner", "paused", 4714, 3_723_000, 1, 12_000, 52_428_800),
        NodeState("recorder", "failed", 0, None, 3, 0, 0, 1),
    )
    image = PortMetrics("image", 111_690, 102_930_000_000, 30_000, 27_648_000, 12, 1, 0, 240, 4_166)
    boxes = PortMetrics("boxes", 111_678, 7_147_392, 29_900, 1_914)
    metrics = (
        NodeMetrics(
            "camera",
            200,
            24,
            None,
            None,
            (PortMetrics("tick", 111_690, 0, 30_000),),
            (PortMetrics("image", 111_690, 102_930_000_000, 30_000, 27_648_000),),
        ),
        NodeMetrics("detector", 200, 780, 240, 4_166, (image,), (boxes,)),
        NodeMetrics("planner", 900, 0, 1_300, 9_800, (PortMetrics("boxes", 90_001, 5_760_064, 0, 0, 0, 10, 0, 1_300),)),
        NodeMetrics("recorder"),
    )
    status = Status(facts, "running", 1000, states)
    return RunView(facts.name, "vision", facts.logs, 4, facts.started, status, Metrics(1000, metrics))


def _arm() -> RunView:
    facts = RunFacts("arm-4e5f6a7b", "arm", "local", 4811, "2026-01-01T09:12:00+00:00", "/logs", "/bundle", 1)
    status = Status(facts, "starting", 1000, (NodeState("gripper", "starting", 4812, 900),))
    return RunView(facts.name, "arm", facts.logs, 1, facts.started, status)


async def picture() -> str:
    """Draw the screen with the cursor on a node that works."""
    app = Top(Shown())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.3)
        await pilot.press("down")
        await pilot.pause(0.3)
        return app.export_screenshot(title="doraflow top")


if __name__ == "__main__":
    PICTURE.write_text(asyncio.run(picture()), encoding="utf-8")
