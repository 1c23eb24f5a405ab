"""The settings of the screen, from a TOML file: theme, columns, order, and how often it looks."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.operate.top.columns import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Sink

_CODE = "DF848"
MOST_LINES = 10_000


@dataclass(frozen=True, slots=True)
class TopSettings:
    """How the screen looks; an empty `sort` keeps the order of the dataflow, `refresh_seconds` is between looks."""

    theme: str = "textual-dark"
    columns: tuple[str, ...] = NAMES
    sort: str = ""
    descending: bool = True
    refresh_seconds: float = 1.0
    log_lines: int = 200


def settings_file(environment: Mapping[str, str]) -> Path:
    """Name the file that is read where no other is given; it need not exist."""
    base = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "/"), ".config"))
    return Path(base, "doraflow", "top.toml")


def read_settings(path: Path, sink: Sink) -> TopSettings | None:
    """Read the settings; None after a finding."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        sink.error(_CODE, f"the settings `{path}` cannot be read: {reason}", help="name another file with `--config`")
        return None
    except ValueError as error:
        sink.error(_CODE, f"the settings `{path}` are not TOML: {error}", help="mend that line")
        return None
    settings = TopSettings()
    for key, value in said.items():
        fault = _fault(key, value)
        if fault:
            sink.error(_CODE, f"`{key}` in `{path}` {fault[0]}", help=fault[1])
        else:
            settings = _with(settings, key, value)
    return None if sink.has_errors else settings


def _with(settings: TopSettings, key: str, value: object) -> TopSettings:
    match key, value:
        case "theme", str(theme):
            return replace(settings, theme=theme)
        case "columns", [*names]:
            return replace(settings, columns=tuple(map(str, names)))
        case "sort", str(name):
            return replace(settings, sort=name)
        case "descending", bool(descending):
            return replace(settings, descending=descending)
        case "refresh_seconds", int(seconds) | float(seconds):
            return replace(settings, refresh_seconds=float(seconds))
        case "log_lines", int(lines):
            return replace(settings, log_lines=lines)
    return settings


def _fault(key: str, value: object) -> tuple[str, str] | None:
    """Say what is wrong with a setting and what mends it; None if nothing is."""
    listed = ", ".join(f"`{name}`" for name in NAMES)
    match key, value:
        case "theme", str():
            return None
        case "columns", [_, *_]:
            wrong = [name for name in value if name not in NAMES] if isinstance(value, list) else []
            return (f"names a column `{wrong[0]}` that there is not", f"choose from {listed}") if wrong else None
        case "sort", "":
            return None
        case "sort", str(name):
            return None if name in NAMES else (f"names a column `{name}` that there is not", f"choose from {listed}")
        case "descending", bool():
            return None
        case "refresh_seconds", int(seconds) | float(seconds) if 0.1 <= seconds <= 3600 and seconds is not True:
            return None
        case "log_lines", int(lines) if 0 < lines <= MOST_LINES and lines is not True:
            return None
    return _misfit(key)


def _misfit(key: str) -> tuple[str, str]:
    wanted = {
        "theme": 'the name of a theme, such as `theme = "nord"`',
        "columns": 'a list of columns, such as `columns = ["node", "state"]`',
        "sort": 'the name of a column, such as `sort = "cpu"`',
        "descending": "`true` or `false`",
        "refresh_seconds": "a number from 0.1 to 3600",
        "log_lines": f"a whole number from 1 to {MOST_LINES}",
    }
    if key in wanted:
        return "has a value of the wrong kind", f"write {wanted[key]}"
    return "is no setting", f"the settings are {', '.join(f'`{name}`' for name in wanted)}"
