"""Other zenoh applications as a reader of a node's outputs: one that holds nobody back and may miss messages.

It stands in the table of a node's readers beside the nodes of the dataflow. While nobody listens to an output, a
message on it costs a look at a flag, and nothing is copied. Used under the node's lock, but for what zenoh's threads
call.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import zenoh
from doraflow_runtime.formats.arrow import rebuild, to_stream
from doraflow_runtime.net.fabric.keys import output_key
from doraflow_runtime.net.fabric.writer import Letter, Room, Writer
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.metadata import decode
from doraflow_runtime.shm import wire
from zenoh.handlers import Callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow_runtime.net.fabric.session import Session
    from doraflow_runtime.node_api.outgoing import Outgoing

FIRST_LINK = 65_536
"""Above all numbers that a wiring table gives."""

MOST_WAITING = 16
"""Messages of an output that wait for a slow network; of more, the oldest are dropped."""

MOST_BYTES = 64 * 1024 * 1024
"""Of all messages of a node that wait, in equal parts for its outputs; one of each may wait however large it is."""

ENCODING = "application/vnd.apache.arrow.stream"


class Voice:
    """One output: its key, whether anyone listens to it, and how many messages were dropped while someone did."""

    def __init__(self, session: Session, key: str, size: int) -> None:
        self.is_heard = False
        self.dropped = 0
        self._key = key
        self._publisher: zenoh.Publisher | None = None
        self.writer = Writer(self._put, room=Room(MOST_WAITING, size))
        session.when_open(self._declare)

    def write(self, letter: Letter) -> None:
        """Let a letter be put, and count those that had to make room for it."""
        self.drop(self.writer.write(letter))

    def drop(self, count: int) -> None:
        """Count messages that nobody outside hears; the first time it is told."""
        if count and not self.dropped:
            log_lines.write(
                "warn",
                f"messages to applications that listen to `{self._key}` are dropped: they come faster than the network "
                "takes them",
                target="doraflow_runtime",
                fields={"key": self._key},
            )
        self.dropped += count

    def _declare(self, session: zenoh.Session) -> None:
        self._publisher = session.declare_publisher(
            self._key, encoding=ENCODING, congestion_control=zenoh.CongestionControl.DROP
        )
        self._publisher.declare_matching_listener(Callback(self._on_matching, indirect=False))
        status: Any = self._publisher.matching_status  # a MatchingStatus, whatever zenoh's stubs say
        if status.matching:
            self.is_heard = True

    def _on_matching(self, status: zenoh.MatchingStatus) -> None:
        self.is_heard = status.matching

    def _put(self, letter: Letter) -> None:
        if self._publisher is not None:
            self._publisher.put(letter.payload, attachment=letter.attachment)


class Audience:
    """All that listen to the outputs of a node; `links` gives the number of each output."""

    def __init__(self, session: Session, dataflow: str, node: str, outputs: Iterable[str]) -> None:
        self.links = {output: FIRST_LINK + index for index, output in enumerate(dict.fromkeys(outputs))}
        size = MOST_BYTES // max(1, len(self.links))
        self._voices = {link: Voice(session, output_key(dataflow, node, out), size) for out, link in self.links.items()}
        self._types: dict[int, pa.DataType] = {}
        self.is_open = True
        self.has_waiting = False
        self.bytes_held = 0

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages of each output were dropped before zenoh took them, while someone listened."""
        return {output: self._voices[link].dropped for output, link in self.links.items()}

    @property
    def writers(self) -> list[Writer]:
        """The threads that put."""
        return [voice.writer for voice in self._voices.values()]

    def may_send(self, link: int) -> bool:
        """Say that nobody has to wait."""
        del link
        return True

    def is_waited_for(self, link: int) -> bool:
        """Say that messages may be lost."""
        del link
        return False

    def send(self, link: int, message: Outgoing, schema: Callable[[int], bytes]) -> None:
        """Let a copy of a message be put, if anyone listens."""
        voice = self._voices[link]
        if voice.is_heard and self.is_open:
            voice.write(self._letter(message, schema))

    def miss(self, link: int) -> None:
        """Count a message for which there was no memory, if anyone listens."""
        self._voices[link].drop(int(self._voices[link].is_heard))

    def close_link(self, link: int) -> None:
        """Say nothing: who listens does not wait for an end."""

    def drop_one(self) -> bool:
        """Say that no message in a slot waits here."""
        return False

    def flush(self) -> None:
        """Do nothing: what waits here waits for threads."""

    def close(self) -> None:
        """Take nothing more; what waits is still put, for a moment."""
        self.is_open = False
        for writer in self.writers:
            writer.close()

    def _letter(self, message: Outgoing, schema: Callable[[int], bytes]) -> Letter:
        """Write a message as an Arrow IPC stream, with its metadata as JSON."""
        number, flags, body, slot = message
        parts = wire.read_message(wire.Frame(wire.Kind.MESSAGE, flags, 0, number, body))
        payload = pa.py_buffer(parts.payload if slot is None else slot.memory[: slot.name.size])
        if not flags & wire.AS_STREAM:
            payload = to_stream(rebuild(self._type(number, schema), parts.record, payload))
        attachment = {"sent_ns": parts.sent_ns, "parameters": _plain(decode(parts.metadata))}
        return Letter(payload.to_pybytes(), json.dumps(attachment, ensure_ascii=False).encode())

    def _type(self, number: int, schema: Callable[[int], bytes]) -> pa.DataType:
        kind = self._types.get(number)
        if kind is None:
            kind = self._types[number] = pa.ipc.read_schema(pa.py_buffer(schema(number))).field(0).type
        return kind


def _plain(value: Any) -> Any:
    """Write what JSON has no form for: a moment as ISO 8601, a number that is none or infinite as null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str) else value.isoformat()
