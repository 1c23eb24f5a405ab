"""The settings of the screen: read, or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from doraflow.diagnostics import Sink
from doraflow.operate.top.columns import NAMES
from doraflow.operate.top.settings import TopSettings, read_settings, settings_file

LISTED = ", ".join(f"`{name}`" for name in NAMES)


def read(tmp_path: Path, text: str) -> tuple[TopSettings | None, list[tuple[str, str | None]]]:
    path = tmp_path / "top.toml"
    path.write_text(text)
    sink = Sink()
    settings = read_settings(path, sink)
    assert {found.code for found in sink.found} <= {"DF848"}
    return settings, [(found.message.replace(f"`{path}`", "FILE"), found.help) for found in sink.found]


def test_every_setting_is_read(tmp_path: Path) -> None:
    text = """
        theme = "nord"
        columns = ["node", "cpu"]
        sort = "cpu"
        descending = false
        refresh_seconds = 2
        log_lines = 50
    """
    expected = TopSettings("nord", ("node", "cpu"), "cpu", descending=False, refresh_seconds=2.0, log_lines=50)
    assert read(tmp_path, text) == (expected, [])


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == (TopSettings(), [])


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ("colour = 1", "`colour` in FILE is no setting", None),
        ("columns = []", "`columns` in FILE has a value of the wrong kind", None),
        ('columns = ["x"]', "`columns` in FILE names a column `x` that there is not", f"choose from {LISTED}"),
        ('sort = "x"', "`sort` in FILE names a column `x` that there is not", f"choose from {LISTED}"),
        ("theme = 7", "`theme` in FILE has a value of the wrong kind", None),
        ("refresh_seconds = 0", "`refresh_seconds` in FILE has a value of the wrong kind", None),
        ("refresh_seconds = true", "`refresh_seconds` in FILE has a value of the wrong kind", None),
        ("log_lines = 0.5", "`log_lines` in FILE has a value of the wrong kind", None),
        ('descending = "no"', "`descending` in FILE has a value of the wrong kind", "write `true` or `false`"),
    ],
)
def test_what_is_no_setting_is_told(tmp_path: Path, text: str, message: str, mend: str | None) -> None:
    settings, told = read(tmp_path, text)
    assert settings is None
    assert told[0][0] == message
    assert mend is None or told[0][1] == mend


def test_what_is_no_toml_is_told(tmp_path: Path) -> None:
    settings, told = read(tmp_path, "=")
    assert settings is None
    assert told[0][0].startswith("the settings FILE are not TOML: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    sink = Sink()
    assert read_settings(tmp_path / "none.toml", sink) is None
    assert "cannot be read: no such file or directory" in sink.found[0].message


def test_the_file_lies_among_the_users_settings() -> None:
    assert settings_file({"XDG_CONFIG_HOME": "/c"}) == Path("/c/doraflow/top.toml")
    assert settings_file({"HOME": "/home/me"}) == Path("/home/me/.config/doraflow/top.toml")


def test_the_page_shows_settings_that_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/operating.md").read_text()
    (block,) = [part.split("```")[0] for part in page.split("```toml\n")[1:]]
    settings, told = read(tmp_path, block)
    assert told == []
    assert settings is not None
    assert settings != TopSettings()
