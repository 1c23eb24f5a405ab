"""The messages between the launchers of one dataflow, version 1: their kinds, their bounds, and their JSON form.

A message is one JSON object: `doraflow_fleet` (the version), its kind, who sends it, and its fields. Nothing here opens
a socket, and no message carries data of the dataflow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, TypeAlias

from doraflow_runtime.codec import from_json, to_json
from doraflow_runtime.contract import ContractError

VERSION = 1
LARGEST = 4 * 1024 * 1024
"""Bytes of a message: room for the status of some ten thousand nodes."""
LONGEST_TEXT = 1000
LONGEST_NAME = 300
MOST_NODES = 20_000
LARGEST_NUMBER = 2**63

Phase: TypeAlias = Literal["starting", "ready", "running", "stopping", "ended"]
"""`ready`: its own nodes are there, and it waits for other hosts. `stopping`: it ends, alone or with all others."""

NodePhase: TypeAlias = Literal["absent", "there", "restarting", "ended"]
"""`absent`: a dynamic node that nobody has started. `restarting`: its process has ended, and another follows."""


class MessageError(ValueError):
    """Bytes that are no message of this protocol; says what is wrong in one sentence."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: a host, one life of its launcher, the digest of its plan, and how many messages that life has sent."""

    host: str
    session: str
    plan: str
    number: int


@dataclass(frozen=True, slots=True)
class StopNotice:
    """Why all hosts are to stop: told first on `host`, for the failure of `node` there if that is named."""

    host: str
    reason: str
    node: str = ""
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class Beat:
    """Said at every change, and once a second: where the launcher stands.

    `awaited` are some of its nodes that have not joined. `revision` is that of its table of nodes. `seen` is the
    revision of the receiver's table that it has, of the receiver's life `seen_session`.
    """

    phase: Phase
    has_started: bool = False
    awaited: tuple[str, ...] = ()
    revision: int = 0
    seen: int = 0
    seen_session: str = ""
    stop: StopNotice | None = None


@dataclass(frozen=True, slots=True)
class NodeRow:
    """Where a node stands. `life` counts its processes before this one; `error` says how it failed for good."""

    node: str
    phase: NodePhase
    life: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The nodes that the receiver has to know of: those that are linked with its own, and those that have failed."""

    revision: int
    nodes: tuple[NodeRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Ping:
    """What time is it there; `sent_ns` is the sender's clock."""

    sent_ns: int


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer: when the question was sent by the asker's clock, and when it came and was answered by the other."""

    asked_ns: int
    received_ns: int
    sent_ns: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of the control protocol, as text, to be carried out by the receiver."""

    id: int
    request: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a request, as text of the control protocol."""

    id: int
    reply: str


Message: TypeAlias = Beat | Table | Ping | Pong | Ask | Answer

_KINDS: dict[str, type[Message]] = {
    "beat": Beat,
    "table": Table,
    "ping": Ping,
    "pong": Pong,
    "ask": Ask,
    "answer": Answer,
}
_HEAD = "doraflow_fleet"


def encode(sender: Sender, message: Message) -> bytes:
    """Write a message.

    >>> encode(Sender("gpu", "s", "p", 1), Ping(7))
    b'{"doraflow_fleet": 1, "kind": "ping", "from": {"host": "gpu", "session": "s", "plan": "p", "number": 1}, \
"sent_ns": 7}'
    """
    kind = next(name for name, known in _KINDS.items() if type(message) is known)
    return json.dumps({_HEAD: VERSION, "kind": kind, "from": to_json(sender), **to_json(message)}).encode()


def decode(data: bytes) -> tuple[Sender, Message]:
    """Read a message. Raises MessageError."""
    if len(data) > LARGEST:
        raise MessageError(f"a message of {len(data)} bytes; at most {LARGEST} are allowed")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise MessageError("a message that is not JSON") from None
    if not isinstance(said, dict) or type(said.get(_HEAD)) is not int:
        raise MessageError(f"a message without `{_HEAD}`")
    if (version := said.pop(_HEAD)) != VERSION:
        raise MessageError(f"a message of version {str(version)[:20]}; this launcher speaks {VERSION}")
    kind, sender = said.pop("kind", None), said.pop("from", None)
    known = _KINDS.get(kind) if isinstance(kind, str) else None
    if known is None:
        raise MessageError("a message of an unknown kind")
    try:
        read = from_json(Sender, sender, "from"), from_json(known, said, str(kind))
    except (ContractError, RecursionError) as error:
        raise MessageError(str(error)[:LONGEST_TEXT]) from None
    _check_sender(read[0])
    _check(read[1])
    return read


def _check_sender(sender: Sender) -> None:
    _check_names(sender.host, sender.session, sender.plan)
    _check_numbers(sender.number)


def _check(message: Message) -> None:
    """See that texts and numbers are within their bounds. Raises MessageError."""
    match message:
        case Beat(awaited=awaited, revision=revision, seen=seen, seen_session=session, stop=stop):
            _check_numbers(revision, seen)
            _check_names(session, *awaited)
            if stop is not None:
                _check_names(stop.host, stop.node)
                _check_texts(stop.reason)
        case Table(revision=revision, nodes=rows):
            _check_rows(revision, rows)
        case Ping(sent_ns=sent):
            _check_numbers(sent)
        case Pong(asked_ns=asked, received_ns=received, sent_ns=sent):
            _check_numbers(asked, received, sent)
        case Ask(id=number) | Answer(id=number):
            _check_numbers(number)


def _check_rows(revision: int, rows: tuple[NodeRow, ...]) -> None:
    _check_numbers(revision, *(row.life for row in rows))
    if len(rows) > MOST_NODES or len({row.node for row in rows}) != len(rows):
        raise MessageError("a table with too many nodes, or one of them twice")
    _check_names(*(row.node for row in rows))
    _check_texts(*(row.error for row in rows))


def _check_numbers(*numbers: int) -> None:
    if any(not 0 <= number < LARGEST_NUMBER for number in numbers):
        raise MessageError("a number beyond its bounds")


def _check_names(*names: str) -> None:
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in names):
        raise MessageError("a name that is too long or cannot be printed")


def _check_texts(*texts: str) -> None:
    if any(len(text) > LONGEST_TEXT or not text.isprintable() for text in texts):
        raise MessageError("a text that is too long or cannot be printed")


def fit(text: str) -> str:
    r"""Make a text fit into a message.

    >>> fit("a\nb")
    'a b'
    """
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown if len(shown) <= LONGEST_TEXT else shown[: LONGEST_TEXT - 1] + "…"
