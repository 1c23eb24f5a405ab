"""The launcher's side of the warm start: the warm process, and the nodes that are forked from it.

The warm process may fail or die at any time: then `fork` gives no process, and its caller executes the node instead.
Which nodes are forked is decided in `forkable`.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import TYPE_CHECKING, TypeAlias

from doraflow_runtime.contract import Process
from doraflow_runtime.launcher.commands import Command
from doraflow_runtime.launcher.spawn import Spawned, spawn
from doraflow_runtime.warm.early import Warming, command_line
from doraflow_runtime.warm.request import READY, Request, read_answer
from doraflow_runtime.warm.variables import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.spawn import FileLimit

NAME = "warm"
_AT_ONCE = 32
_LAST_WORDS_SECONDS = 2.0
_ANSWER_SECONDS = 10.0
_NEWS = 4096

Outcome: TypeAlias = Spawned | OSError | None
"""A process, the reason why the system has no room for one, or None where the warm process cannot help."""

Asked: TypeAlias = tuple[Command, Outcome]


def start_late(environment: Mapping[str, str], folder: Path, run: Path, limit: FileLimit) -> Warming:
    """Start a warm process in `folder`, as part of the run in directory `run`. Raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        command = Command(Process(NAME, "python"), command_line(os.getpid(), theirs.fileno()), folder, environment)
        spawned = spawn(command, run / NAME, limit, (theirs.fileno(),))
        warming = Warming(spawned.number, environment, ours.detach(), spawned.stdout, spawned.stderr)
    warming.go(())
    return warming


class WarmStart:
    """The warm process. `is_warming` until it is known whether it can be used; `trouble` says why not."""

    __slots__ = ("_line", "_loop", "_warming", "is_warming", "trouble")

    def __init__(self, warming: Warming, loop: Loop) -> None:
        """Take over the warm process, which was told to go."""
        self.is_warming = True
        self.trouble = ""
        self._warming = warming
        self._loop = loop
        self._line = socket.socket(fileno=os.dup(warming.line))
        self._line.settimeout(_ANSWER_SECONDS)
        loop.on_readable(self._line.fileno(), self._on_news)

    @property
    def process(self) -> int:
        """The number of the warm process, which leads a process group."""
        return self._warming.process

    @property
    def is_usable(self) -> bool:
        """Whether nodes can be forked."""
        return not self.is_warming and not self.trouble

    def fork(
        self, commands: Sequence[Command], configurations: Mapping[str, Path]
    ) -> Iterator[tuple[Command, Outcome]]:
        """Fork a node for each command, telling it where its configuration lies; many at a time, in their order."""
        for first in range(0, len(commands), _AT_ONCE):
            group = commands[first : first + _AT_ONCE]
            awaited = [self._ask(command, configurations[command.process.node]) for command in group]
            deadline = time.monotonic() + _ANSWER_SECONDS
            outcomes = [asked.outcome(deadline) if isinstance(asked, _Pending) else asked for asked in awaited]
            yield from zip(group, outcomes, strict=True)

    def give_up(self, trouble: str) -> None:
        """Use the warm process no more, because of `trouble`."""
        self.is_warming = False
        self.trouble = self.trouble or trouble
        self.close()

    def close(self) -> None:
        """End the warm process; the nodes that were forked live on. May be called twice. The caller reaps it."""
        if self._line.fileno() >= 0:
            self._loop.forget(self._line.fileno())
            self._line.close()
        self._warming.end()

    def _on_news(self) -> None:
        try:
            news = self._line.recv(_NEWS)
        except OSError:
            news = b""
        if news == READY:
            self.is_warming = False
            self._loop.forget(self._line.fileno())
        else:
            self.give_up(news.decode(errors="replace") or self._last_words() or "it ended before it was ready")

    def _last_words(self) -> str:
        """Read what it said at its end; its line may close a moment before its traceback is written."""
        said, deadline = b"", time.monotonic() + _LAST_WORDS_SECONDS
        poll = select.poll()  # unlike select(), it takes numbers above 1,023
        poll.register(self._warming.stderr, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0 and poll.poll(left * 1000):
            part = os.read(self._warming.stderr, 1 << 16)
            said += part
            if not part:
                break
        lines = said.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _ask(self, command: Command, configuration: Path) -> _Pending | OSError | None:
        """Send the request for a node; None if there is nobody to send it to."""
        if not self.is_usable:
            return None
        environment = {
            name: text for name, text in command.environment.items() if self._warming.environment.get(name) != text
        } | {CONFIGURATION: str(configuration)}
        request = Request(command.arguments, str(command.folder), os.getpid(), environment)
        try:
            pending = _Pending()
        except OSError as error:
            return error
        try:
            socket.send_fds(self._line, [request.pack()], pending.theirs)
        except OSError:
            pending.abandon()
            return None
        pending.hand_over()
        return pending


class _Pending:
    """The pipes of a node that was asked for: standard output, standard error, and the answer."""

    __slots__ = ("ours", "theirs")

    def __init__(self) -> None:
        """Make the pipes. Raises OSError."""
        self.ours: list[int] = []
        self.theirs: list[int] = []
        try:
            for _ in range(3):
                reader, writer = os.pipe()
                self.ours.append(reader)
                self.theirs.append(writer)
        except OSError:
            self.abandon()
            raise

    def hand_over(self) -> None:
        """Close what is the node's now."""
        for descriptor in self.theirs:
            os.close(descriptor)
        self.theirs.clear()

    def abandon(self) -> None:
        """Close everything."""
        self.hand_over()
        for descriptor in self.ours:
            os.close(descriptor)
        self.ours.clear()

    def outcome(self, deadline: float) -> Outcome:
        """Wait for the answer until `deadline`, on the monotonic clock; a process that comes later ends at once."""
        poll = select.poll()
        poll.register(self.ours[-1], select.POLLIN)
        try:
            has_answer = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            number = read_answer(os.read(self.ours[-1], 64)) if has_answer else None
        except OSError as error:
            self.abandon()
            return error
        if number is None:
            self.abandon()
            return None
        stdout, stderr, answers = self.ours
        os.close(answers)
        for pipe in (stdout, stderr):
            os.set_blocking(pipe, False)
        return Spawned(number, stdout, stderr)
