"""Generated YAML: keys in the order given, lists below their key, texts quoted where a reader could take them amiss.

PyYAML's emitter decides what the bytes are. It takes many steps for each scalar, so what is simple is written here,
byte for byte as it would; what is not (a long text that is folded, an alias) is given to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLAIN = re.compile(r"(?!\.[0-9]|\.{3}\Z)[A-Za-z_/.][A-Za-z0-9_./$+-]*")
_WORDS_OF_YAML = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan", "~"}
_WIDTH = 120
_STEP = 2
_LONGEST_KEY = 100
"""Up to here a key is written on the line of its value, whatever its tag and its quotes add."""

_SIMPLE = re.compile(r"[ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\n\t]*")
"""What stands in quotes as it is, or with the escapes below."""
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"})


def yaml_text(value: object) -> str:
    r"""Write a value as YAML.

    >>> yaml_text({"name": "on", "ports": [80, "443"]})
    'name: "on"\nports:\n  - 80\n  - "443"\n'
    """
    if not isinstance(value, dict) or not value:
        return _by_pyyaml(value)
    writing = _Writing()
    try:
        writing.mapping(value, 0, "")
    except _NotSimpleError:
        return _by_pyyaml(value)
    return "".join(writing.lines)


class _NotSimpleError(Exception):
    """The value holds something that PyYAML alone knows how to write."""


class _Writing:
    """One text on its way."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._seen: set[int] = set()
        self._written: dict[str, str | None] = {}

    def mapping(self, table: Mapping[object, object], indent: int, lead: str) -> None:
        """Write a map that is not empty, `lead` before its first key."""
        margin = " " * indent
        for key, value in table.items():
            head = f"{lead}{self._key(key)}:"
            lead = margin
            if isinstance(value, dict | list | tuple) and value:
                self.lines.append(f"{head}\n")
                self._block(value, indent + _STEP, margin + " " * _STEP)
            else:
                self.lines.append(f"{head} {self._scalar(value, head, {key: value}, indent)}\n")

    def _sequence(self, items: Iterable[object], indent: int, lead: str) -> None:
        margin = " " * indent
        for item in items:
            head = f"{lead}-"
            lead = margin
            if isinstance(item, dict | list | tuple) and item:
                self._block(item, indent + _STEP, f"{head} ")
            else:
                self.lines.append(f"{head} {self._scalar(item, head, [item], indent)}\n")

    def _block(self, value: object, indent: int, lead: str) -> None:
        self._once(value)
        if isinstance(value, dict):
            self.mapping(value, indent, lead)
        elif isinstance(value, list | tuple):
            self._sequence(value, indent, lead)

    def _once(self, value: object) -> None:
        """Note what holds others: where it stands twice, the second is an alias."""
        if id(value) in self._seen:
            raise _NotSimpleError
        self._seen.add(id(value))

    def _key(self, key: object) -> str:
        if type(key) is not str or not 0 < len(key) <= _LONGEST_KEY or "\n" in key:
            raise _NotSimpleError
        written = self._text(key)
        if written is None or len(written) > _LONGEST_KEY:
            raise _NotSimpleError
        return written

    def _scalar(self, value: object, head: str, around: object, indent: int) -> str:
        """Write a value that has no others; `around` is the map or list of it alone, which begins at `indent`."""
        if type(value) is str:
            written = self._text(value)
            if written is not None and (written == value or len(head) + 1 + len(written) <= _WIDTH):
                return written
            return _folded(around, head, indent)
        if value is None:
            return "null"
        if type(value) is bool:
            return "true" if value else "false"
        if type(value) is int:
            return str(value)
        if type(value) is float and _DECIMAL.fullmatch(repr(value)):
            return repr(value)
        if isinstance(value, dict | list):  # with nothing in it
            self._once(value)
            return "{}" if isinstance(value, dict) else "[]"
        return _folded(around, head, indent)

    def _text(self, text: str) -> str | None:
        """Write a text on one line, as it is or in quotes; None if PyYAML has to."""
        if text in self._written:
            return self._written[text]
        written: str | None = None
        if _is_plain(text):
            written = text
        elif _SIMPLE.fullmatch(text):
            written = f'"{text.translate(_ESCAPES)}"'
        self._written[text] = written
        return written


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and text.lower() not in _WORDS_OF_YAML


def _folded(around: object, head: str, indent: int) -> str:
    """Let PyYAML write the one value of a map or list as it would `indent` deep, and give what follows `head`."""
    depth = indent // _STEP
    for _ in range(depth):
        around = {"a": around}
    return _by_pyyaml(around).split("\n", depth)[depth][len(head) + 1 :].removesuffix("\n")


def _by_pyyaml(value: object) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Indents lists below their key, and quotes a text that any version of YAML could read as something else."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
            super().increase_indent(flow, indentless=False)

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = None if _is_plain(text) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
