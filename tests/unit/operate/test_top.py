"""The operators' screen, driven by keys; what it shows and what it asks."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.control.messages import Pause, Restart, Resume, Stop
from textual.widgets import DataTable, Input, RichLog

from docs.top_screen import PICTURE, Shown, picture
from doraflow.operate.top.app import Top
from doraflow.operate.top.settings import TopSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from textual.pilot import Pilot

SIZE = (132, 36)


class Screen:
    """The screen under test."""

    def __init__(self, app: Top, pilot: Pilot[None], source: Shown) -> None:
        self.app = app
        self.source = source
        self._pilot = pilot

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        await self.app.workers.wait_for_complete()
        await self._pilot.pause()

    def column(self, table: str, at: int) -> list[str]:
        found = self.app.query_one(f"#{table}", DataTable)
        return [found.get_row_at(row)[at].plain for row in range(found.row_count)]

    def title(self, name: str) -> str:
        return str(self.app.query_one(f"#{name}").border_title)

    def log(self) -> list[str]:
        return [line.text.rstrip() for line in self.app.query_one("#log", RichLog).lines]


@asynccontextmanager
async def screen(settings: TopSettings | None = None, source: Shown | None = None) -> AsyncIterator[Screen]:
    shown = source or Shown()
    app = Top(shown, settings or TopSettings(refresh_seconds=3600))
    async with app.run_test(size=SIZE) as pilot:
        made = Screen(app, pilot, shown)
        await made.settle()
        yield made
    assert shown.is_closed


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(test())


def test_it_shows_runs_nodes_ports_and_a_log() -> None:
    async def test() -> None:
        async with screen() as shown:
            assert shown.column("runs", 0) == ["vision-0a1b2c3d", "arm-4e5f6a7b"]
            assert shown.column("runs", 3) == ["1", "0"]
            assert shown.column("nodes", 0) == ["camera", "detector", "planner", "recorder"]
            assert shown.column("nodes", 1) == ["running", "running", "paused", "failed"]
            assert shown.title("nodes") == "Nodes of vision-0a1b2c3d"
            await shown.press("down")
            assert shown.title("ports") == "Ports of detector"
            assert shown.column("ports", 0) == ["image", "boxes"]
            assert shown.column("ports", 6) == ["1", "-"]
            assert shown.title("talk") == "Log of detector"
            assert "09:00:03 detector 3 faces" in shown.log()

    run(test)


def test_keys_act_on_the_node_under_the_cursor() -> None:
    async def test() -> None:
        async with screen() as shown:
            await shown.press("p")
            await shown.press("down", "r")
            await shown.press("down", "p")
            name = "vision-0a1b2c3d"
            assert shown.source.asked == [
                (name, Pause("camera")),
                (name, Restart("detector")),
                (name, Resume("planner")),
            ]

    run(test)


@pytest.mark.parametrize(("key", "asked"), [("y", [("vision-0a1b2c3d", Stop())]), ("n", []), ("escape", [])])
def test_a_run_is_stopped_after_a_question(key: str, asked: list[tuple[str, Stop]]) -> None:
    async def test() -> None:
        async with screen() as shown:
            await shown.press("x")
            assert shown.source.asked == []
            await shown.press(key)
            assert shown.source.asked == asked

    run(test)


def test_nodes_are_filtered_while_the_text_is_written() -> None:
    async def test() -> None:
        async with screen() as shown:
            await shown.press("slash", "e", "r")
            assert shown.column("nodes", 0) == ["camera", "planner", "recorder"]
            await shown.press("enter", "escape")
            assert len(shown.column("nodes", 0)) == 4

    run(test)


def test_the_log_is_searched_while_the_text_is_written() -> None:
    async def test() -> None:
        async with screen() as shown:
            await shown.press("a")
            assert shown.title("talk") == "Log of all nodes"
            assert len(shown.log()) == 6
            await shown.press("l", *"faces")
            assert shown.log() == ["09:00:03 detector 3 faces", "09:00:04 detector 2 faces"]
            assert shown.app.query_one("#search", Input).has_class("shown")

    run(test)


def test_nodes_are_sorted_by_the_column_that_is_chosen() -> None:
    async def test() -> None:
        async with screen(TopSettings(sort="cpu", refresh_seconds=3600)) as shown:
            assert shown.column("nodes", 0) == ["detector", "camera", "planner", "recorder"]
            assert shown.title("nodes") == "Nodes of vision-0a1b2c3d by cpu ↓"
            await shown.press("d")
            assert shown.column("nodes", 0) == ["planner", "camera", "detector", "recorder"]
            await shown.press("s", "s")
            assert shown.column("nodes", 0) == ["camera", "detector", "planner", "recorder"]

    run(test)


def test_only_the_columns_of_the_settings_are_shown() -> None:
    async def test() -> None:
        async with screen(TopSettings(columns=("node", "memory"), refresh_seconds=3600)) as shown:
            assert shown.column("nodes", 1) == ["40.0 MiB", "700.0 MiB", "50.0 MiB", "-"]

    run(test)


def test_another_run_is_chosen_in_the_table_of_runs() -> None:
    async def test() -> None:
        async with screen() as shown:
            await shown.press("shift+tab", "down")
            assert shown.title("nodes") == "Nodes of arm-4e5f6a7b"
            assert shown.column("nodes", 0) == ["gripper"]

    run(test)


def test_the_cursor_stays_with_its_node_when_others_come_and_go() -> None:
    async def test() -> None:
        async with screen() as shown:
            await shown.press("down", "down")
            assert shown.title("ports") == "Ports of planner"
            view = shown.source.views[0]
            assert view.status is not None
            shown.source.views = (replace(view, status=replace(view.status, nodes=view.status.nodes[1:])),)
            shown.app.look()
            await shown.settle()
            assert shown.column("nodes", 0) == ["detector", "planner", "recorder"]
            assert shown.title("ports") == "Ports of planner"
            assert shown.app.query_one("#nodes", DataTable).cursor_row == 1

    run(test)


def test_a_run_that_does_not_answer_is_shown_as_such() -> None:
    async def test() -> None:
        source = Shown()
        source.views = (replace(source.views[0], status=None, metrics=None, trouble="it did not answer"),)
        async with screen(source=source) as shown:
            assert shown.column("runs", 1) == ["no answer"]
            assert shown.column("nodes", 0) == []
            await shown.press("p", "r")
            assert shown.source.asked == []

    run(test)


def test_a_trouble_that_is_over_is_shown_no_longer() -> None:
    async def test() -> None:
        async with screen() as shown:
            well = shown.source.views
            shown.source.views = tuple(replace(view, trouble="no answer within 2 s") for view in well)
            shown.app.look()
            await shown.settle()
            assert shown.app.query_one("#nodes").border_subtitle == "no answer within 2 s"
            shown.source.views = well
            shown.app.look()
            await shown.settle()
            assert not shown.app.query_one("#nodes").border_subtitle

    run(test)


def test_nothing_runs() -> None:
    async def test() -> None:
        source = Shown()
        source.views = ()
        async with screen(source=source) as shown:
            assert shown.app.sub_title == "nothing runs"
            await shown.press("p", "r", "x", "s", "a")
            assert shown.source.asked == []

    run(test)


def test_an_unknown_theme_is_told() -> None:
    async def test() -> None:
        async with screen(TopSettings(theme="pink", refresh_seconds=3600)) as shown:
            assert shown.app.theme == "textual-dark"

    run(test)


def test_the_picture_in_docs_can_be_drawn_and_shows_the_screen() -> None:
    for text in (asyncio.run(picture()), PICTURE.read_text(encoding="utf-8")):
        assert text.startswith("<svg")
        for word in ("vision-0a1b2c3d", "detector", "26.4&#160;MiB", "Restart"):
            assert word in text, "draw it again: `python -m docs.top_screen`"
