"""The page of the command line says what the commands say, and every command says what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import command_line
from doraflow.cli.main import RUN, TOOLS, WRITE, app

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMANDS = [command for command in app.registered_commands if command.callback is not None]


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / "cli.md").read_text() == command_line.page(), "run `doit docs`"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_a_command_stands_in_a_group_and_has_an_example(command: object) -> None:
    assert command.rich_help_panel in (WRITE, RUN, TOOLS)  # type: ignore[attr-defined]
    text = command.callback.__doc__  # type: ignore[attr-defined]
    assert f"doraflow {command.name}" in text.partition("Example: ")[2]  # type: ignore[attr-defined]


def test_every_option_is_explained() -> None:
    for line in command_line.page().splitlines():
        if line.startswith("| `"):
            assert not line.startswith("| `` "), line
            assert line.count(" | ") == 1, line
            assert not line.endswith("|  |"), line


@pytest.mark.parametrize(("picture", "text"), [("wizard", "Begin with"), ("failed-build", "cv2_contrib")])
def test_the_pictures_show_what_they_are_about(picture: str, text: str) -> None:
    shown = (DOCS / f"{picture}.svg").read_text().replace("&#160;", " ")
    assert shown.startswith("<svg")
    assert text in shown
