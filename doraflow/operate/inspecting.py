"""Looking at the messages of an output while a run goes on, without holding its nodes up.

What is printed, and where, is not decided here. pyarrow is loaded with the first look.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from doraflow_runtime.control.messages import Tap

from doraflow.diagnostics import Sink
from doraflow.operate.asking import ask
from doraflow.operate.fleet import survey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow_runtime.control.registry import FoundRun
    from doraflow_runtime.node_api.spying import Seen, Spy

_CODE = "DF849"
LONGEST_TEXT = 200
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is shown; `number` counts all that came, `latency_us` is from sending to being looked at."""

    number: int
    sent_ns: int
    latency_us: int
    size: int
    length: int
    value: str
    metadata: dict[str, object]
    kind: Literal["message"] = "message"


@dataclass(frozen=True, slots=True)
class Schema:
    """The Arrow type of the messages, told when it is new."""

    type: str
    kind: Literal["schema"] = "schema"


@dataclass(frozen=True, slots=True)
class Pace:
    """What came in the last second: messages and bytes a second, and how many messages there were in all."""

    messages: int
    rate: float
    bandwidth: float
    kind: Literal["pace"] = "pace"


@dataclass(frozen=True, slots=True)
class Bounds:
    """When to end: after `count` messages (0 for never), after `seconds`, or after `silence` seconds without any.

    At most `shown` messages a second are read and shown, the others are counted.
    """

    count: int = 0
    seconds: float = float("inf")
    silence: float = 30.0
    shown: int = 5


def open_tap(run: FoundRun, source: str, timeout: float, sink: Sink) -> Spy | None:
    """Ask a run for copies of `node/output`; None after a finding."""
    from doraflow_runtime.node_api.spying import Spy

    node, _, output = source.partition("/")
    if not node or not output:
        sink.error(_CODE, f"`{source}` names no output", help="write the node and its output, such as `camera/image`")
        return None
    home = _home(run, node, timeout)
    if home not in ("", run.facts.host):
        message = f"`{node}` runs on host `{home}`, and messages can be looked at on their own host only"
        sink.error(_CODE, message, help=f"run `doraflow inspect {source}` on `{home}`")
        return None
    try:
        spy = Spy(run.directory, node, output)
    except OSError as error:
        sink.error(_CODE, f"`{source}` cannot be looked at: {(error.strerror or str(error)).lower()}")
        return None
    if ask(run, Tap(node, output, spy.address), timeout, sink) is None:
        spy.close()
        return None
    return spy


def _home(run: FoundRun, node: str, timeout: float) -> str:
    """Find the host of a node; empty where no host says that it has it."""
    views = survey(run, timeout, Sink(), wants_metrics=False)
    return next((view.host for view in views if node in view.nodes), "")


def look(spy: Spy, source: str, bounds: Bounds, sink: Sink) -> Iterator[Message | Schema | Pace]:
    """Tell what comes until it is enough; a silence that lasts too long is a finding."""
    from doraflow_runtime.node_api.spying import WireError

    began = second = heard = time.monotonic()
    number, shown, size, before = 0, 0, 0, 0
    schema = ""
    while not spy.has_ended and time.monotonic() - began < bounds.seconds:
        try:
            seen = spy.receive(_LOOK_SECONDS, bounds.shown - shown)
        except WireError as error:
            sink.error(_CODE, f"`{source}` cannot be looked at: {error}")
            return
        now = time.monotonic()
        heard = now if seen else heard
        for each in seen:
            number, size = number + 1, size + each.size
            if each.value is not None:
                shown += 1
                if str(each.value.type) != schema:
                    schema = str(each.value.type)
                    yield Schema(schema)
                yield _message(number, each)
            if bounds.count and number >= bounds.count:
                return
        if now - heard > bounds.silence:
            _tell_silence(source, bounds.silence, sink)
            return
        if now - second >= 1:
            yield Pace(number, (number - before) / (now - second), size / (now - second))
            second, before, shown, size = now, number, 0, 0


def _message(number: int, seen: Seen) -> Message:
    latency = max(0, seen.taken_ns - seen.sent_ns) // 1000
    value = seen.value
    length = 0 if value is None else len(value)
    text = "" if value is None else _short(value[:32].to_pylist(), is_cut=length > 32)
    return Message(number, seen.sent_ns, latency, seen.size, length, text, seen.metadata or {})


def _short(values: list[object], *, is_cut: bool) -> str:
    text = ", ".join(map(repr, values)) + (", …" if is_cut else "")
    return f"[{text}]" if len(text) <= LONGEST_TEXT else f"[{text[:LONGEST_TEXT]}…"


def _tell_silence(source: str, seconds: float, sink: Sink) -> None:
    sink.error(
        _CODE,
        f"nothing came on `{source}` within {seconds:g} s",
        help="look at the node with `doraflow status` and `doraflow logs`, or wait longer with `--silence`",
    )
