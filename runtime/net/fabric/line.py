"""A sender's way to one reader over zenoh: a key for its frames, a key for the answers, and the reader's token.

The token tells which process of the reader can be reached. Whenever one comes or comes again, a new connection begins:
it has a number, which every message carries, so that what is left over from an earlier one is known.

All keys name the run of the reader's host, which the launchers tell one another: other runs of the same dataflow may be
in the network, and none of them is taken for this one.
"""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import zenoh
from doraflow_runtime.net.fabric.keys import answers_key, frames_key, process_of, reader_key
from doraflow_runtime.net.fabric.mailbox import Mailbox
from doraflow_runtime.net.fabric.writer import Letter, Writer
from doraflow_runtime.net.frames import LARGEST_PART
from zenoh.handlers import Callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doraflow_runtime.net.fabric.session import Session
    from doraflow_runtime.net.transport import News

Change: TypeAlias = tuple[str, Literal["here", "gone", "silent"]]
"""What has become of a process of the reader; `silent` is one that has not answered."""

NAME_BYTES = 8
NUMBER_BYTES = 4
TAG_BYTES = NAME_BYTES + NUMBER_BYTES
"""Of every message: eight that no other process has, and the number of the connection."""

ANSWER_SECONDS = 1.0
"""After which a greeting without an answer is said again: zenoh may not have known the way yet.

Each time twice as long, up to the longest: a reader may be busy, and an answer to an earlier one counts for nothing.
"""

LONGEST_WAIT = 32.0

MOST_ANSWERS = 4096
MOST_PROCESSES = 16


class ZenohLine:
    """The way from node `producer` to node `consumer`; `name` is what no other process has.

    It leads nowhere before `aim`.
    """

    def __init__(self, session: Session, ends: tuple[str, str, str], name: bytes, ring: Callable[[], None]) -> None:
        self.wire = None
        self._ends = ends
        self._session = session
        self._life = ""
        self._aiming = threading.Lock()
        self._declaring = threading.Lock()
        self._declared: list[Any] = []
        self._ring = ring
        self._name = name
        self._number = 0
        self._tag = b""
        self._reader = ""
        self._present: dict[str, None] = {}
        self._patience = ANSWER_SECONDS
        self._changes: Mailbox[Change] = Mailbox(ring, MOST_ANSWERS)
        self._answers: Mailbox[tuple[bytes, bytes]] = Mailbox(ring, MOST_ANSWERS)
        self._publisher: zenoh.Publisher | None = None
        self.writer = Writer(self._put, remind=self._greet_again)

    def aim(self, life: str) -> None:
        """Speak to the reader of a run of its host from now on, and to none of earlier ones."""
        with self._aiming:
            if life == self._life:
                return
            self._life = life
            self._changes.clear()
        self._present.clear()
        if self._reader:
            self._changes.post((self._reader, "gone"))
        self._session.when_open(partial(self._declare, life))

    def descriptors(self) -> tuple[int, ...]:
        """List nothing: the bell is rung."""
        return ()

    def news(self) -> Iterator[News]:
        """Tell what has become of the reader since."""
        if self._answers and self._changes:
            self._ring()  # what the reader said comes first: it may have been that it leaves
            return
        while (change := self._changes.take()) is not None:
            reader, what = change
            self._note(reader, what)
            if what != "here" and reader != self._reader:
                continue
            if self._reader:
                self._reader = ""
                self.writer.forget()
                yield "cut"
            if what == "gone" and self._present:  # it was the old process of a reader whose new one came before
                reader, what = next(reversed(self._present)), "here"
            if what != "gone":
                self._patience = ANSWER_SECONDS if what == "here" else min(2 * self._patience, LONGEST_WAIT)
                self._begin(reader)
                yield "up"

    @property
    def piece_bytes(self) -> int:
        """Let a payload stay whole: zenoh cuts it up by itself."""
        return LARGEST_PART

    @property
    def is_writable(self) -> bool:
        """Whether a frame can be taken now."""
        return True

    @property
    def has_more(self) -> bool:
        """Whether something of the reader waits to be received."""
        return bool(self._answers or self._changes)

    def receive(self) -> bytes | None:
        """Take a frame of the reader on this connection; None if none has come."""
        while (answer := self._answers.take()) is not None:
            tag, frame = answer
            if tag == self._tag:
                self.writer.calm()
                return frame
        return None

    def put(self, *parts: bytes | memoryview) -> None:
        """Let a frame be put, with what goes beside it as the payload."""
        if not self._reader:
            return
        frame = bytes(parts[0])
        if len(parts) == 1:
            self.writer.write(Letter(frame, self._tag))
        else:
            self.writer.write(Letter(bytes(parts[1]), self._tag + frame))

    def try_again(self) -> None:
        """Do nothing: zenoh goes on trying by itself."""

    def close(self) -> None:
        """Take nothing more; what waits is still put, for a moment."""
        self.writer.close()

    def _begin(self, reader: str) -> None:
        self._reader = reader
        self._number += 1
        self._tag = self._name + self._number.to_bytes(NUMBER_BYTES, "little")
        self.writer.forget()
        self.writer.expect(self._patience)

    def _note(self, reader: str, what: str) -> None:
        """Keep in mind which processes of the reader there are, the last to come at the end."""
        if what != "silent":
            self._present.pop(reader, None)
        if what == "here":
            self._present[reader] = None
            if len(self._present) > MOST_PROCESSES:
                del self._present[next(iter(self._present))]

    def _greet_again(self) -> None:
        self._changes.post((self._reader, "silent"))

    def _declare(self, life: str, session: zenoh.Session) -> None:
        with self._declaring:  # the thread that has opened the session may still be at an earlier life
            if life != self._life:
                return
            while self._declared:
                # The session may have ended; and a publisher in a put cannot be undeclared, it goes when that is over.
                with contextlib.suppress(zenoh.ZError, RuntimeError):
                    self._declared.pop().undeclare()
            self._declared += self._declare_all(life, session)

    def _declare_all(self, life: str, session: zenoh.Session) -> tuple[Any, ...]:
        dataflow, producer, consumer = self._ends
        self._publisher = session.declare_publisher(
            frames_key(dataflow, life, producer, consumer),
            congestion_control=zenoh.CongestionControl.BLOCK,
            express=True,
        )
        answers = session.declare_subscriber(
            answers_key(dataflow, life, producer, consumer), Callback(self._on_answer, indirect=False)
        )
        tokens = session.liveliness().declare_subscriber(
            reader_key(dataflow, life, consumer, "*"),
            Callback(partial(self._on_token, life), indirect=False),
            history=True,
        )
        return self._publisher, answers, tokens

    def _put(self, letter: Letter) -> None:
        if self._publisher is not None:
            self._publisher.put(letter.payload, attachment=letter.attachment)

    def _on_answer(self, sample: zenoh.Sample) -> None:
        if sample.attachment is not None:
            self._answers.post((sample.attachment.to_bytes(), sample.payload.to_bytes()))

    def _on_token(self, life: str, sample: zenoh.Sample) -> None:
        is_there = sample.kind == zenoh.SampleKind.PUT
        with self._aiming:
            if life == self._life:
                self._changes.post((process_of(str(sample.key_expr)), "here" if is_there else "gone"))
