"""Messages of the control protocol for other hosts: requests handed on to them, and logs read piece by piece.

They are part of `doraflow_runtime.control.messages`, which writes and reads all messages.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_OF_A_LOG = 256 * 1024
"""Bytes of a log file in one answer."""


@dataclass(frozen=True, slots=True)
class AskOthers:
    """Ask the launchers of other hosts, of all if none is named; answered with `Answers` when all have answered.

    `asked` is a request of this protocol as text. Who has not answered within `patience_ms` gets a refusal.
    """

    asked: str
    hosts: tuple[str, ...] = ()
    patience_ms: int = 3000


@dataclass(frozen=True, slots=True)
class AskLogs:
    """Which log files has the run on this host; answered with `Logs`."""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """What stands in a log file from byte `offset` on; answered with `LogPart`, of `MOST_OF_A_LOG` bytes at most."""

    number: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """What a host has answered: a reply of this protocol, as text."""

    host: str
    reply: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What other hosts have answered, one entry for each that was asked."""

    hosts: tuple[HostAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file: its name, the number by which the disk knows it whatever its name, and its size in bytes."""

    name: str
    number: int
    size: int


@dataclass(frozen=True, slots=True)
class Logs:
    """The log files of the run on this host."""

    files: tuple[LogFile, ...] = ()


@dataclass(frozen=True, slots=True)
class LogPart:
    """Whole lines of a log file, and the offset behind them."""

    text: str
    next: int
