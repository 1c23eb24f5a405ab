"""Explanation pages as data: the text of a code, and its examples as files and commands.

A page is `DFnnn.md` beside this module. Its format is told in CONTRIBUTING.md. Nothing here runs an example;
`docs/generate.py` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from doraflow.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Mapping

WRONG = "Wrong"
RIGHT = "Right"
DEFAULT_COMMAND = "doraflow check dataflow.yml --no-sources"
KEYS = ("also", "encoding", "fill", "not-run", "said-in")

_FENCE = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (.+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """A tree of files and the commands that are run on it; `printed` is what the last one says."""

    files: Mapping[str, str]
    commands: tuple[str, ...]
    printed: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `settings` is its front matter; `body` is Markdown without it and without a title."""

    code: str
    settings: Mapping[str, str]
    body: str

    @property
    def title(self) -> str:
        """The code and what it says."""
        return f"{self.code}: {CODES[self.code]}"

    @property
    def summary(self) -> str:
        """What the code means: all text before the first heading."""
        return _SECTION.split(self.body, maxsplit=1)[0].strip()

    def section(self, heading: str) -> str:
        """Give the text under a heading, empty if there is none."""
        parts = _SECTION.split(self.body)
        return dict(zip(parts[1::2], parts[2::2], strict=True)).get(heading, "")

    def example(self, heading: str) -> Example:
        """Read the example under a heading; the right one has the files of the wrong one, unless it has its own."""
        fences = _FENCE.findall(self.section(heading))
        files = dict(self.example(WRONG).files) if heading == RIGHT else {}
        files |= {path: text for _, path, text in fences if path}
        commands = [line for kind, _, text in fences if kind == "console" for line in text.splitlines()]
        printed = [text for kind, path, text in fences if kind == "text" and not path]
        return Example(files, tuple(commands) or (DEFAULT_COMMAND,), printed[0] if printed else "")


def page(code: str) -> Page | None:
    """Read the page of a code; None if there is none."""
    file = resources.files(__package__ or "").joinpath(f"{code}.md")
    return parse(code, file.read_text(encoding="utf-8")) if file.is_file() else None


def parse(code: str, text: str) -> Page:
    r"""Take a page apart.

    >>> parse("DF207", "---\nalso: DF404\n---\n\nNobody listens.\n").settings
    {'also': 'DF404'}
    """
    head, mark, rest = text.removeprefix("---\n").partition("\n---\n")
    if not text.startswith("---\n") or not mark:
        return Page(code, {}, text.strip() + "\n")
    pairs = (line.partition(":") for line in head.splitlines() if line.strip())
    return Page(code, {key.strip(): value.strip() for key, _, value in pairs}, rest.strip() + "\n")
