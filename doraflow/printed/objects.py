"""The objects that commands print with `--output json`, as types where the command has none of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from doraflow.keys.listing import KeyRow  # noqa: TC001 - the schemas look types up while they are made
from doraflow.keys.pairs import Change  # noqa: TC001 - as above
from doraflow.logs.records import LogRecord
from doraflow.operate.rows import HostRow, NodeRow, RunRow  # noqa: TC001 - the schemas look types up while they are made

VERSION = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file; all are null where a finding has no place. Lines and columns begin at 1."""

    message: str
    file: str | None
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of the compiler; `replacement` is the text that mends it in its place."""

    code: str
    severity: Literal["error", "warning", "note"]
    message: str
    file: str | None
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    label: str | None
    notes: list[str]
    help: str | None
    replacement: str | None
    related: list[Place]


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings, by their places."""

    diagnostics: list[Finding]


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """A node of a graph, the machine it runs on, and its ports."""

    node: str
    host: str
    inputs: list[str]
    outputs: list[str]


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """An input and what it reads: `output` is empty for what no node sends, such as `dora/timer/hz/10`."""

    source: str
    output: str
    node: str
    input: str
    type: str | None


@dataclass(frozen=True, slots=True)
class DrawnGraph:
    """A dataflow as nodes and edges."""

    version: int
    name: str
    nodes: list[DrawnNode]
    edges: list[DrawnEdge]


@dataclass(frozen=True, slots=True)
class OldConstruct:
    """What was old, and in how many places."""

    message: str
    count: int


@dataclass(frozen=True, slots=True)
class Migrated:
    """A dataflow in the modern dialect; `is_written` says that the file has that text now."""

    version: int
    file: str
    constructs: list[OldConstruct]
    text: str
    is_written: bool


@dataclass(frozen=True, slots=True)
class Written:
    """The files that a command wrote."""

    version: int
    files: list[str]


@dataclass(frozen=True, slots=True)
class Started:
    """A run that goes on in the background; `pid` is its launcher's."""

    version: int
    run: str
    dataflow: str
    pid: int
    logs: str
    nodes: list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run was asked and what it answered; `node` is null where all nodes are meant."""

    version: int
    run: str
    node: str | None
    message: str


@dataclass(frozen=True, slots=True)
class RunList:
    """The runs of this user."""

    version: int
    runs: list[RunRow]


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run, its hosts and its nodes stand; `host`, `state`, `pid`, `logs` are those of the host that was asked."""

    version: int
    run: str
    dataflow: str
    host: str
    state: Literal["starting", "running", "stopping"]
    pid: int
    started: str
    logs: str
    hosts: list[HostRow]
    nodes: list[NodeRow]


@dataclass(frozen=True, slots=True)
class Examined:
    """A check of the machine: what was found, and what mends it."""

    check: str
    state: Literal["ok", "advice", "problem"]
    found: str
    mend: str | None


@dataclass(frozen=True, slots=True)
class Machine:
    """What was found out about a machine."""

    version: int
    checks: list[Examined]


@dataclass(frozen=True, slots=True)
class Explained:
    """The page of a code, in Markdown."""

    version: int
    code: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class KnownCode:
    """A code and what it says."""

    code: str
    meaning: str


@dataclass(frozen=True, slots=True)
class KnownCodes:
    """All codes."""

    version: int
    codes: list[KnownCode]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The public keys of a ring."""

    folder: str
    keys: list[KeyRow]


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """What became of the keys of hosts."""

    folder: str
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class RunLog(LogRecord):
    """A record of a node's log."""

    type: Literal["log"] = "log"


@dataclass(frozen=True, slots=True)
class RunEvent:
    """What the launcher does; further keys belong to the `event`."""

    type: Literal["event"]
    timestamp: str
    event: str
    message: str


@dataclass(frozen=True, slots=True)
class RunFinding:
    """What went wrong; `place` is where the dataflow defines the node, `cause` the node from which this follows."""

    type: Literal["diagnostic"]
    code: str
    severity: Literal["error"]
    message: str
    node: str
    place: str
    notes: list[str]
    help: str | None
    cause: str


RunLine: TypeAlias = RunLog | RunEvent | RunFinding
"""A line of `run --output json`."""
