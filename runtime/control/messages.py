"""The messages of the control protocol, version 1: requests, replies and news, and their JSON form.

A message is one JSON object: `doraflow_control` (the version), `id` (chosen by who asks), its kind, and its fields.
docs/control-protocol.md tells what each means. Nothing here opens a socket.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from doraflow_runtime.codec import from_json, to_json
from doraflow_runtime.contract import ContractError
from doraflow_runtime.control.far_messages import Answers, AskLogs, AskOthers, LogPart, Logs, ReadLog
from doraflow_runtime.control.places import RunFacts  # noqa: TC002 - the codec looks types up while it reads

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 1
LARGEST_REQUEST = 64 * 1024
LARGEST_REPLY = 16 * 1024 * 1024
LEASE_SECONDS = 10
"""How long a subscription lasts that is not renewed: a reader that was killed says no goodbye."""

Topic: TypeAlias = Literal["changes", "metrics"]
RunState: TypeAlias = Literal["starting", "running", "stopping"]


class MessageError(ValueError):
    """Bytes that are no message of this protocol; says what is wrong in one sentence. `id` is 0 where it has none."""

    def __init__(self, message: str, identifier: int = 0) -> None:
        super().__init__(message)
        self.id = identifier


# ---- requests


@dataclass(frozen=True, slots=True)
class AskStatus:
    """How do run and nodes stand; answered with `Status` at once."""


@dataclass(frozen=True, slots=True)
class AskMetrics:
    """What do the nodes measure; answered with `Metrics` once they have said it twice, with a moment in between."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the run, cleanly or at once; answered with `Done` when that has begun.

    All hosts of the dataflow stop, or `alone` the one that is asked.
    """

    now: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Restart:
    """Start a node anew, or every node if none is named."""

    node: str = ""


@dataclass(frozen=True, slots=True)
class StopNode:
    """End one node for good; the run goes on. Answered with `Done` when that has begun."""

    node: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold a node."""

    node: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a node that was held go on."""

    node: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Send news of these topics for `LEASE_SECONDS`; asking again renews that. No topic at all ends it."""

    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class Tap:
    """Let a node send copies of an output to a socket in the run directory as well; they are lost if read slowly."""

    node: str
    output: str
    address: str


Request: TypeAlias = (
    AskStatus
    | AskMetrics
    | Stop
    | Restart
    | StopNode
    | Pause
    | Resume
    | Subscribe
    | Tap
    | AskOthers
    | AskLogs
    | ReadLog
)

# ---- replies


@dataclass(frozen=True, slots=True)
class NodeState:
    """How a node stands; `process` is 0 and `uptime_ms` None while it has none.

    `cpu_ms` is the processor time of its process and those that it started, `memory` their resident bytes.
    `last_exit` is the exit code of the process before, or minus the number of the signal that killed it.
    """

    node: str
    state: str
    process: int = 0
    uptime_ms: int | None = None
    restarts: int = 0
    cpu_ms: int = 0
    memory: int = 0
    last_exit: int | None = None


@dataclass(frozen=True, slots=True)
class HostState:
    """How another host of the dataflow stands, as this one sees it.

    `state` is how far its run is, or why that is not known: `absent` (it has not come yet), `lost`, `strange` (it runs
    another build), `ended`. `clock_us` is by how many microseconds its clock is ahead of this one's, and
    `clock_error_us` by how many that may be wrong; None while it was not measured. `silent_ms` is since when nothing
    was heard of it.
    """

    host: str
    state: str
    clock_us: int | None = None
    clock_error_us: int | None = None
    silent_ms: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """How the run stands; `at_ms` is the launcher's clock, to make rates of what is counted.

    `hosts` are the other hosts of the dataflow.
    """

    run: RunFacts
    state: RunState
    at_ms: int
    nodes: tuple[NodeState, ...] = ()
    hosts: tuple[HostState, ...] = ()


@dataclass(frozen=True, slots=True)
class PortMetrics:
    """What a port has moved since its node started, and how fast it does now.

    `rate` is messages in 1,000 seconds, `bandwidth` bytes a second, both over the last seconds. Latencies are those
    from sending to taking, in microseconds, None where nothing was taken; only inputs have them and a queue.
    """

    port: str
    messages: int = 0
    bytes: int = 0
    rate: int = 0
    bandwidth: int = 0
    dropped: int = 0
    queued: int = 0
    errors: int = 0
    p50_us: int | None = None
    p99_us: int | None = None


@dataclass(frozen=True, slots=True)
class NodeMetrics:
    """What a node measures; `age_ms` is how long ago it said so, None if it has not answered yet.

    `cpu` is in thousandths of one processor, over the last seconds.
    """

    node: str
    age_ms: int | None = None
    cpu: int = 0
    p50_us: int | None = None
    p99_us: int | None = None
    inputs: tuple[PortMetrics, ...] = ()
    outputs: tuple[PortMetrics, ...] = ()


@dataclass(frozen=True, slots=True)
class Metrics:
    """What the nodes measure."""

    at_ms: int
    nodes: tuple[NodeMetrics, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What was asked for has begun, or was done."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was asked for cannot be; `help` states what mends it, if anything does."""

    message: str
    help: str = ""


Reply: TypeAlias = Status | Metrics | Done | Refusal | Answers | Logs | LogPart

# ---- news


@dataclass(frozen=True, slots=True)
class Change:
    """A node, or the run if none is named, stands differently now."""

    state: str
    node: str = ""
    message: str = ""


News: TypeAlias = Change | Metrics

Message: TypeAlias = Request | Reply | News


@dataclass(frozen=True, slots=True)
class Answered:
    """What a run replied to the request `id`."""

    id: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Told:
    """What a run told by itself to the subscription `id`."""

    id: int
    news: News


_REQUESTS: dict[str, type[Request]] = {
    "status": AskStatus,
    "metrics": AskMetrics,
    "stop": Stop,
    "restart": Restart,
    "stop_node": StopNode,
    "pause": Pause,
    "resume": Resume,
    "subscribe": Subscribe,
    "tap": Tap,
    "others": AskOthers,
    "logs": AskLogs,
    "log": ReadLog,
}
_REPLIES: dict[str, type[Reply]] = {
    "status": Status,
    "metrics": Metrics,
    "done": Done,
    "refusal": Refusal,
    "answers": Answers,
    "logs": Logs,
    "log": LogPart,
}
_NEWS: dict[str, type[News]] = {"change": Change, "metrics": Metrics}
_HEAD = "doraflow_control"
_LARGEST_ID = 2**53
"""The largest whole number that every JSON reader keeps exactly."""

M = TypeVar("M", bound=Message)


def encode_request(identifier: int, request: Request) -> bytes:
    """Write a request.

    >>> encode_request(7, Restart("camera"))
    b'{"doraflow_control": 1, "id": 7, "request": "restart", "node": "camera"}'
    """
    return _encode(identifier, "request", _REQUESTS, request)


def encode_reply(identifier: int, reply: Reply) -> bytes:
    """Write the reply to a request."""
    return _encode(identifier, "reply", _REPLIES, reply)


def encode_news(identifier: int, news: News) -> bytes:
    """Write news; `identifier` is that of the subscription."""
    return _encode(identifier, "news", _NEWS, news)


def decode_request(data: bytes) -> tuple[int, Request]:
    """Read a request. Raises MessageError."""
    identifier, said = _open(data, LARGEST_REQUEST)
    return identifier, _decode(identifier, said, "request", _REQUESTS)


def decode_answer(data: bytes) -> Answered | Told:
    """Read what a run says. Raises MessageError."""
    identifier, said = _open(data, LARGEST_REPLY)
    if "news" in said:
        return Told(identifier, _decode(identifier, said, "news", _NEWS))
    return Answered(identifier, _decode(identifier, said, "reply", _REPLIES))


def _encode(identifier: int, role: str, kinds: dict[str, type[M]], message: M) -> bytes:
    kind = next(name for name, known in kinds.items() if type(message) is known)
    return json.dumps({_HEAD: VERSION, "id": identifier, role: kind, **to_json(message)}).encode()


def _open(data: bytes, most: int) -> tuple[int, dict[str, object]]:
    """Read the head of a message: its version and its id."""
    if len(data) > most:
        raise MessageError(f"a message of {len(data)} bytes; at most {most} are allowed")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise MessageError("a message that is not JSON") from None
    if not isinstance(said, dict) or type(said.get(_HEAD)) is not int:
        raise MessageError(f"a message without `{_HEAD}`")
    version, identifier = said.pop(_HEAD), said.pop("id", None)
    if type(identifier) is not int or not 0 < identifier < _LARGEST_ID:
        raise MessageError("a message whose `id` is not a whole number above 0")
    if version != VERSION:
        raise MessageError(f"a message of version {version}; this side speaks {VERSION}", identifier)
    return identifier, said


def _decode(identifier: int, said: dict[str, object], role: str, kinds: dict[str, type[M]]) -> M:
    kind = said.pop(role, None)
    known = kinds.get(kind) if isinstance(kind, str) else None
    if known is None:
        raise MessageError(f"`{role}` is none of {_listed(kinds)}", identifier)
    try:
        return from_json(known, said, str(kind))
    except (ContractError, RecursionError) as error:
        raise MessageError(str(error), identifier) from None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
