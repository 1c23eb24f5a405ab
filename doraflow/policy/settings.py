"""The settings of a project: `doraflow.toml`, or `[tool.doraflow]` in `pyproject.toml`.

The nearest file counts, from the dataflow's folder upwards to the root of the repository or of the file system. A
setting that cannot be used is a finding at its line; it is then as if it were not given.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from doraflow import disk
from doraflow.codes import code_of, nearest_codes
from doraflow.diagnostics import Severity, Span
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.text import Lines
from doraflow.policy.gravity import FATAL

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

    from doraflow.diagnostics import Sink
    from doraflow.policy.toml_places import KeyPath, Place

OWN_FILE = "doraflow.toml"
SHARED_FILE = "pyproject.toml"
LARGEST_FILE = 2**20
OFF = "off"

_SHARED_TABLE = ("tool", "doraflow")
_KEYS = ("strict", "severity")
_WORDS = (OFF, *(str(severity) for severity in reversed(Severity)))
_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")

Value: TypeAlias = object
"""A value as tomllib gives it, not judged yet."""


@dataclass(frozen=True, slots=True)
class Override:
    """How grave findings of a code are to be, None for not to be told, and where the setting stands."""

    severity: Severity | None
    span: Span


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project sets; `file` is the path that messages show, None without a file."""

    strict: bool = False
    severities: Mapping[str, Override] = field(default_factory=dict)
    file: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The file that holds a project's settings, as it stands on disk; it may be malformed."""

    path: Path
    content: bytes


def find_settings(folder: Path) -> SettingsFile | None:
    """Find the settings for a dataflow in `folder`; None if there are none.

    A `pyproject.toml` without `[tool.doraflow]` is passed over. Raises OSError for a file that cannot be read.
    """
    here = disk.resolved(folder)
    for level in (here, *here.parents):
        for name in (OWN_FILE, SHARED_FILE):
            path = level / name
            if disk.is_file(path):
                content = disk.read(path, LARGEST_FILE + 1)
                if name == OWN_FILE or _concerns_doraflow(content):
                    return SettingsFile(path, content)
        if disk.exists(level / ".git"):
            break
    return None


def read_settings(folder: Path, sink: Sink, texts: MutableMapping[str, str]) -> Settings:
    """Read the settings for a dataflow in `folder`; `texts` gets the text of the file, for messages about it."""
    try:
        found = find_settings(folder)
    except OSError as error:
        sink.error("DF020", f"`{error.filename}` cannot be read: {(error.strerror or str(error)).lower()}")
        return Settings()
    if found is None:
        return Settings()
    display = _display(found.path, folder)
    text = _decoded(found.content, display, sink)
    if text is None:
        return Settings()
    texts[display] = text
    table = _parsed(text, display, sink)
    if table is None:
        return Settings()
    return _Reader(text, display, sink).settings(table, () if found.path.name == OWN_FILE else _SHARED_TABLE)


def _concerns_doraflow(content: bytes) -> bool:
    """Tell whether a `pyproject.toml` has settings for doraflow, as far as it can be read."""
    if b"doraflow" not in content:
        return False
    import tomllib

    try:
        tool = tomllib.loads(content.decode()).get("tool")
    except (ValueError, RecursionError):
        return b"tool.doraflow" in content
    return isinstance(tool, dict) and "doraflow" in tool


def _display(path: Path, folder: Path) -> str:
    """Give the path that messages show: absolute where the dataflow's is, else from here."""
    return path.as_posix() if folder.is_absolute() else os.path.relpath(path)


def _decoded(content: bytes, display: str, sink: Sink) -> str | None:
    if len(content) > LARGEST_FILE:
        sink.error("DF020", f"`{display}` is larger than {LARGEST_FILE // 2**20} MiB, the bound for settings")
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        sink.error("DF020", f"`{display}` is not UTF-8", Span(display, 1, 1, 1, 1), help="save the file as UTF-8")
        return None


def _parsed(text: str, display: str, sink: Sink) -> Mapping[str, Value] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        sink.error("DF020", f"`{display}` nests too deeply to be read", Span(display, 1, 1, 1, 1))
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _TOML_PLACE.search(message)
        line, column = (int(place[1]), int(place[2])) if place else (1, 1)
        reason = _TOML_PLACE.sub("", message)
        span = Span(display, line, column, line, column + 1)
        help_text = "mend this line: none of the settings counts until the file can be read"
        sink.error("DF020", f"not TOML: {reason[:1].lower()}{reason[1:]}", span, help=help_text)
    return None


class _Reader:
    """Judges the values of one file."""

    def __init__(self, text: str, file: str, sink: Sink) -> None:
        self._lines = Lines(text, file)
        self._file = file
        self._sink = sink
        self._places: dict[KeyPath, Place] | None = None

    def settings(self, whole: Mapping[str, Value], path: KeyPath) -> Settings:
        """Read the table at `path`."""
        table: Value = whole
        for at, step in enumerate(path):
            table = table.get(step, {}) if isinstance(table, dict) else table
            if not isinstance(table, dict):
                self._wrong_kind(path[: at + 1], table, "a table", f"write `[{'.'.join(path)}]`")
                return Settings(file=self._file)
        if not isinstance(table, dict):
            return Settings(file=self._file)
        for key in table:
            if key not in _KEYS:
                self._unknown_key((*path, key))
        strict = table.get("strict", False)
        if not isinstance(strict, bool):
            self._wrong_kind((*path, "strict"), strict, "`true` or `false`", "write `strict = true`")
        severities = table.get("severity", {})
        if not isinstance(severities, dict):
            self._wrong_kind((*path, "severity"), severities, "a table", 'write `severity = {DF207 = "off"}`')
            severities = {}
        overrides = (self._override((*path, "severity"), key, value) for key, value in severities.items())
        return Settings(strict is True, {code: override for code, override in overrides if override}, self._file)

    def _override(self, path: KeyPath, key: str, value: Value) -> tuple[str, Override | None]:
        path = (*path, key)
        code = code_of(key)
        if code is None:
            near = nearest_codes(key)
            mend = (
                f"write one such as {', '.join(f'`{each}`' for each in near)}" if near else "write one such as `DF207`"
            )
            self._sink.error("DF023", f"there is no code `{key}`, so nothing is set", self._key_span(path), help=mend)
            return "", None
        if value not in _WORDS:
            shown = f"`{_as_written(value)}`" if isinstance(value, str | int | float) else "no word"
            near = nearest(str(value), _WORDS)
            self._sink.error(
                "DF024",
                f"the severity of `{code}` is {shown}, expected one of {choices_text(str(value), _WORDS)}",
                self._value_span(path),
                help=f'write `"{near[0]}"`' if near else None,
            )
            return code, None
        override = Override(None if value == OFF else Severity(str(value)), self._value_span(path))
        if code in FATAL and override.severity is not Severity.ERROR:
            message = f"`{code}` is an error that leaves no bundle, and cannot be made less grave"
            self._sink.error("DF025", message, override.span, help=f"remove the setting of `{code}`")
            return code, None
        return code, override

    def _unknown_key(self, path: KeyPath) -> None:
        near = nearest(path[-1], _KEYS)
        mend = f"write `{near[0]}`" if near else f"the settings are {choices_text(path[-1], _KEYS)}"
        message = f"doraflow has no setting `{path[-1]}`"
        replacement = near[0] if near else None
        self._sink.error("DF021", message, self._key_span(path), help=mend, replacement=replacement)

    def _wrong_kind(self, path: KeyPath, value: Value, wanted: str, mend: str) -> None:
        message = f"`{path[-1]}` is {_kind(value)}, expected {wanted}"
        self._sink.error("DF022", message, self._value_span(path), help=mend)

    def _key_span(self, path: KeyPath) -> Span:
        place = self._place(path)
        return self._lines.span(place.key_start, place.key_end) if place else self._lines.span(0, 0)

    def _value_span(self, path: KeyPath) -> Span:
        place = self._place(path)
        return self._lines.span(place.value_start, place.value_end) if place else self._lines.span(0, 0)

    def _place(self, path: KeyPath) -> Place | None:
        from doraflow.policy.toml_places import places

        if self._places is None:
            self._places = places(self._lines.text)
        return self._places.get(path)


def _as_written(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(value: Value) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (str, "a text"),
        (int, "a number"),
        (float, "a number"),
        (list, "a list"),
        (dict, "a table"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "a time")
