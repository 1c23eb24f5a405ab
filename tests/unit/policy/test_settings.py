"""Settings: which file counts, and what is told of settings that cannot be used, at their line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.diagnostics import Severity, Sink
from doraflow.policy.settings import LARGEST_FILE, Settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path) -> tuple[Settings, list[str]]:
    sink = Sink()
    settings = read_settings(folder, sink, {})
    told = [
        f"{item.span.line}:{item.span.column} {item.code} {item.message}" for item in sink.diagnostics() if item.span
    ]
    assert len(told) == len(sink.found)
    return settings, told


def severities(settings: Settings) -> dict[str, Severity | None]:
    return {code: override.severity for code, override in settings.severities.items()}


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert read(tmp_path) == (Settings(), [])


def test_both_files_are_read_with_the_same_keys(tmp_path: Path) -> None:
    table = 'strict = true\nseverity = {DF207 = "warning", 404 = "off"}\n'
    (tmp_path / "pyproject.toml").write_text(f"[tool.doraflow]\n{table}")
    settings, told = read(tmp_path)
    assert (settings.strict, severities(settings), told) == (True, {"DF207": Severity.WARNING, "DF404": None}, [])
    (tmp_path / "doraflow.toml").write_text(table.replace("true", "false"))
    settings, told = read(tmp_path)
    assert (settings.strict, severities(settings), told) == (False, {"DF207": Severity.WARNING, "DF404": None}, [])


def test_the_nearest_file_counts_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "doraflow.toml").write_text("strict = true\n")
    inner = tmp_path / "repository/flows"
    inner.mkdir(parents=True)
    (tmp_path / "repository/pyproject.toml").write_text('[project]\ndependencies = ["doraflow"]\n')
    assert read(inner)[0].strict
    (tmp_path / "repository/.git").touch()
    assert read(inner) == (Settings(), [])
    (tmp_path / "repository/doraflow.toml").write_text("strict = true\n")
    assert read(inner)[0].strict


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("strict = \n", "1:10 DF020 not TOML: invalid value"),
        ("strict = true\nstrict = false\n", "2:15 DF020 not TOML: cannot overwrite a value"),
        ("strct = true\n", "1:1 DF021 doraflow has no setting `strct`"),
        ('strict = "yes"\n', "1:10 DF022 `strict` is a text, expected `true` or `false`"),
        (
            "severity = 3\n",
            "1:12 DF022 `severity` is a number, expected a table",
        ),
        ("[severity]\n[severty]\n", "2:2 DF021 doraflow has no setting `severty`"),
        (
            "[severity]\nDF207 = true\n",
            "2:9 DF024 the severity of `DF207` is `true`, expected one of `off`, `note`, `warning`, `error`",
        ),
        ('[severity]\nDF299 = "off"\n', "2:1 DF023 there is no code `DF299`, so nothing is set"),
        (
            '[severity]\nDF207 = "warn"\n',
            "2:9 DF024 the severity of `DF207` is `warn`, expected one of `warning`, `off`, `note`, `error`",
        ),
        (
            "[severity]\nDF207 = []\n",
            "2:9 DF024 the severity of `DF207` is no word, expected one of `off`, `note`, `warning`, `error`",
        ),
        (
            '[severity]\nDF204 = "note"\n',
            "2:9 DF025 `DF204` is an error that leaves no bundle, and cannot be made less grave",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_at_its_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "doraflow.toml").write_text(text)
    settings, found = read(tmp_path)
    assert found == [told]
    assert not settings.severities


def test_a_table_of_the_wrong_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\ndoraflow = 1\n")
    assert read(tmp_path)[1] == ["2:12 DF022 `doraflow` is a number, expected a table"]


def test_a_broken_pyproject_is_told_only_if_it_is_about_doraflow(tmp_path: Path) -> None:
    (tmp_path / ".git").touch()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "doraflow-user"\nbroken\n')
    assert read(tmp_path)[1] == []
    (tmp_path / "pyproject.toml").write_text("[tool.doraflow]\nbroken\n")
    assert read(tmp_path)[1] == ["2:7 DF020 not TOML: expected '=' after a key in a key/value pair"]


@pytest.mark.parametrize("content", [b"\xff", b"x = " + b"[" * 5000, b"#" * (LARGEST_FILE + 1)])
def test_hostile_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "doraflow.toml").write_bytes(content)
    sink = Sink()
    assert read_settings(tmp_path, sink, {}) == Settings()
    assert [item.code for item in sink.found] == ["DF020"]
