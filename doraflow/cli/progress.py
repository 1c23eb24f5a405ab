"""Progress of a build: a line for each stage and each node's build step as it begins and ends, on standard error.

As text, where a person looks at it as bars that move, or as JSON lines; `News` is what all of them tell. Nothing here
decides what is done.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

import typer

from doraflow.cli.arguments import ProgressForm
from doraflow.cli.loudness import Loudness, loudness
from doraflow.cli.report import has_colour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.ir import BuildStep

_STEP_WORDS = {"started": "building", "done": "built", "failed": "failed", "unchanged": "unchanged"}
_STAGE_WORDS = {
    "loading": "loaded",
    "generating": "generated",
    "locking": "locked",
    "starting": "started",
    "connecting": "connected",
    "opening": "opened",
    "comparing": "compared",
    "copying": "copied",
    "preparing": "prepared",
    "checking": "checked",
    "switching": "switched",
    "stopping": "stopped",
    "asking": "asked",
}
COLOURS = {"started": "blue", "done": "green", "failed": "red", "unchanged": "bright_black"}


@dataclass(frozen=True, slots=True)
class News:
    """What has happened: `subject` began, ended well, failed or needed nothing, in a stage; `seconds` it took."""

    stage: str
    state: str
    subject: str
    detail: str = ""
    seconds: float | None = None

    def line(self, *, coloured: bool) -> str:
        """Write the news as a line, the word first."""
        word = _STEP_WORDS[self.state]
        if self.stage in _STAGE_WORDS and self.state != "failed":
            word = self.stage if self.state == "started" else _STAGE_WORDS[self.stage]
        took = f" ({self.seconds:.1f} s)" if self.seconds is not None else ""
        shown = typer.style(f"{word:>9}", fg=COLOURS[self.state]) if coloured else f"{word:>9}"
        return f"{shown} {self.subject}{self.detail}{took}"


class Teller(Protocol):
    """Shows news; `tells_stages` is false where only build steps are told."""

    tells_stages: bool

    def tell(self, news: News) -> None:
        """Show what has happened."""

    def finish(self) -> None:
        """Leave the terminal as it was."""


@dataclass(slots=True)
class Stage:
    """A stage that goes on: what is said of it at its end, and whether it failed."""

    detail: str = ""
    failed: bool = False


class Progress:
    """Tells of stages and build steps as they happen. Thread-safe: steps run in parallel."""

    def __init__(self, teller: Teller | None = None) -> None:
        self._teller = teller or PlainTeller(sys.stderr, tells_stages=False)
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}

    @property
    def tells_stages(self) -> bool:
        """Whether stages are told, or only build steps."""
        return self._teller.tells_stages

    @contextmanager
    def stage(self, stage: str, subject: str) -> Iterator[Stage]:
        """Tell that a stage begins, and at the end of the block how it went."""
        began = time.monotonic()
        going = Stage()
        self._tell(News(stage, "started", subject))
        try:
            yield going
        except BaseException:
            going.failed = True
            raise
        finally:
            state = "failed" if going.failed else "done"
            self._tell(News(stage, state, subject, going.detail, time.monotonic() - began))

    @contextmanager
    def steps(self) -> Iterator[None]:
        """Leave the terminal as it was when the build steps in the block are over."""
        try:
            yield
        finally:
            with self._lock:
                self._teller.finish()

    def notice(self, step: BuildStep, event: str) -> None:
        """Tell of an event of a step: `started`, `done`, `failed` or `unchanged`."""
        now = time.monotonic()
        with self._lock:
            began = self._began.setdefault(step.owner, now) if event == "started" else self._began.get(step.owner)
            seconds = None if event == "started" or began is None else now - began
            self._teller.tell(News("building", event, step.owner, seconds=seconds))

    def _tell(self, news: News) -> None:
        with self._lock:
            self._teller.tell(news)


class PlainTeller:
    """Writes a line for each event, that of a stage only at its end."""

    def __init__(self, stream: TextIO, *, tells_stages: bool) -> None:
        self._stream = stream
        self.tells_stages = tells_stages

    def tell(self, news: News) -> None:
        """Write the line."""
        if news.stage == "building" or (self.tells_stages and news.state != "started"):
            typer.echo(news.line(coloured=has_colour(self._stream)), file=self._stream)

    def finish(self) -> None:
        """Do nothing: every line is whole."""


class JsonTeller:
    """Writes an object on a line for each event; see docs/cli.md."""

    tells_stages = True

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def tell(self, news: News) -> None:
        """Write the object."""
        seconds = None if news.seconds is None else round(news.seconds, 3)
        content = {
            "type": "stage",
            "stage": news.stage,
            "state": news.state,
            "subject": news.subject,
            "detail": news.detail.lstrip(": ") or None,
            "seconds": seconds,
        }
        self._stream.write(f"{json.dumps(content, ensure_ascii=False)}\n")
        self._stream.flush()

    def finish(self) -> None:
        """Do nothing: every line is whole."""


class SilentTeller:
    """Says nothing, not even what a command says where stages are not told."""

    tells_stages = True

    def tell(self, news: News) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Do nothing."""


def progress_as(form: ProgressForm) -> Progress:
    """Choose how progress is told: as asked for, or as the terminal allows.

    The stream is the one of now: doit puts others in its place while a step runs.
    """
    stream = sys.stderr
    if form is ProgressForm.JSON:
        return Progress(JsonTeller(stream))
    if loudness() is Loudness.QUIET:
        return Progress(SilentTeller())
    is_watched = stream.isatty()
    if form is ProgressForm.AUTO and has_colour(stream):
        from doraflow.cli.bars import BarTeller

        return Progress(BarTeller(stream))
    return Progress(PlainTeller(stream, tells_stages=is_watched or loudness() is Loudness.VERBOSE))
