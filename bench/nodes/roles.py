"""What the nodes of a measurement do, the same for every peer; a peer's node script gives its `Port`.

Every message begins with 8 bytes, a number: the moment at which it was complete (CLOCK_MONOTONIC in nanoseconds), or
its place in a flood, or one of the two signs below. Nothing here knows a peer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from board import COUNT, DONE, FIRST, READY, STOPPED
from seat import Seat, take_seat

if TYPE_CHECKING:
    from collections.abc import Callable

PROBE = 0  # sent until everyone has got one, so that nothing measured is lost to a connection that comes late
LAST = 2**64 - 1
WAY = 56  # the bit from which a number in a flood names the way of sending
PATIENCE = 20.0  # seconds
SILENCE = 5.0  # seconds without any message after which the rest of a flood counts as lost
CALIBRATION = 0.2  # the share of a flood that is not counted
LEAST = 8  # messages of a flood


class Port(Protocol):
    """What a peer gives to a node: one output and one input. Payloads are the peer's own."""

    def sender(self, size: int, way: str, mark: Callable[[], int]) -> Callable[[], None]:
        """Make what sends one message of `size` bytes that begins with `mark()`, asked when all else is ready."""

    def forwarder(self, size: int) -> Callable[[Any], None]:
        """Make what sends a received payload on, in the way that is the peer's fastest."""

    def receive(self) -> Any:
        """Wait for a payload; None when no more can come."""

    def number(self, payload: Any) -> int:
        """Read the first 8 bytes."""

    def window(self, size: int) -> int | None:
        """How many messages of a flood may be unread; None if the peer itself holds a fast sender back."""

    def rest(self, seconds: float) -> None:
        """Let time pass as a node of this peer does that has nothing to do."""

    def close(self) -> None:
        """Leave."""


def play(make: Callable[[Seat], Port]) -> None:
    """Run a node: open its port, act its role, leave."""
    seat = take_seat()
    port = make(seat)
    seat.board.put(seat.index, READY, 1)
    {
        "pacer": pacer,
        "clock": clock,
        "flooder": flooder,
        "counter": counter,
        "relay": relay,
        "ping": ping,
        "greeter": greeter,
        "listener": listener,
    }[seat.role](seat, port)
    seat.board.put(seat.index, DONE, 1)
    port.close()


def pacer(seat: Seat, port: Port) -> None:
    """Send at a steady pace, a message only when the one before it has arrived everywhere."""
    _greet(seat, port)
    size, messages, pace = seat.number("size"), seat.number("messages"), seat.number("pace_us") / 1e6
    sent = 0
    for way in seat.ways():
        send = port.sender(size, way, time.monotonic_ns)
        due = time.monotonic()
        for _ in range(messages):
            due = max(due + pace, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
            seat.board.wait(seat.sinks, COUNT, sent, PATIENCE)
            send()
            sent += 1
        seat.board.wait(seat.sinks, COUNT, sent, PATIENCE)
    _dismiss(seat, port)


def clock(seat: Seat, port: Port) -> None:
    """Note how long each message has taken."""
    taken: list[int] = []
    while (payload := port.receive()) is not None:
        now = time.monotonic_ns()
        number = port.number(payload)
        if number == LAST:
            break
        if number == PROBE:
            seat.board.put(seat.index, FIRST, now)
            continue
        taken.append(now - number)
        seat.board.put(seat.index, COUNT, len(taken))
    seat.write(taken)


def flooder(seat: Seat, port: Port) -> None:
    """Send as fast as nothing is lost, for a while in each way."""
    _greet(seat, port)
    size, seconds = seat.number("size"), seat.number("flood_ms") / 1e3
    window = port.window(size)
    total = 0
    sent = []
    for place, way in enumerate(seat.ways()):
        count, base = 0, place << WAY

        def mark() -> int:
            return base + count  # noqa: B023 - called only inside this round of the loop

        send = port.sender(size, way, mark)
        seat.board.put(seat.index, STOPPED, 0)
        end = time.monotonic() + seconds
        while count < LEAST or time.monotonic() < end:
            count += 1
            send()
            if window is not None and not _hold(seat, total + count - window):
                break
        seat.board.put(seat.index, STOPPED, time.monotonic_ns())
        sent.append(count)
        total = _settle(seat, port, total + count)
    seat.write(sent)
    _dismiss(seat, port)


def _settle(seat: Seat, port: Port, total: int) -> int:
    """Wait until everything has arrived, or nothing comes any more; how many messages have arrived in all floods."""
    return _arrived(seat, total, lambda: port.rest(0.001))


def _hold(seat: Seat, least: int) -> bool:
    """Wait until the reader has got `least` messages: credit for peers that have no lossless queue.

    False if nothing comes any more: a message was lost, and with it its credit.
    """
    if seat.board.get(seat.sinks[0], COUNT) >= least:
        return True
    return _arrived(seat, least, lambda: time.sleep(0.0001)) >= least


def _arrived(seat: Seat, least: int, rest: Callable[[], None]) -> int:
    sink, board = seat.sinks[0], seat.board
    seen = board.get(sink, COUNT)
    limit = time.monotonic() + SILENCE
    while seen < least and time.monotonic() < limit:
        rest()
        now = board.get(sink, COUNT)
        if now > seen:
            seen, limit = now, time.monotonic() + SILENCE
    return seen


def counter(seat: Seat, port: Port) -> None:
    """Count messages while their sender sends, and see that none is missing or out of order."""
    skip = int(seat.number("flood_ms") * 1e6 * CALIBRATION)
    board, index, total = seat.board, seat.index, 0
    floods = [Flood() for _ in seat.ways()]
    while (payload := port.receive()) is not None:
        number = port.number(payload)
        if number == LAST:
            break
        if number == PROBE:
            board.put(index, FIRST, time.monotonic_ns())
            continue
        total += 1
        flood = floods[number >> WAY]
        flood.count(time.monotonic_ns(), number & ((1 << WAY) - 1), skip, board.get(0, STOPPED))
        board.put(index, COUNT, total)
    seat.write([{"received": flood.received, "wrong": flood.wrong, "rate": flood.rate()} for flood in floods])


class Flood:
    """The arrival of one flood. Times are in nanoseconds."""

    __slots__ = ("counted", "first", "last", "latest", "received", "start", "wrong")

    def __init__(self) -> None:
        self.received = self.wrong = self.counted = self.first = self.start = self.last = self.latest = 0

    def count(self, now: int, place: int, skip: int, stopped: int) -> None:
        """Note a message; `stopped` is when the sending stopped, or 0."""
        self.received += 1
        self.wrong += place != self.received
        self.latest = now
        if self.received == 1:
            self.first = self.start = self.last = now
        elif now < self.first + skip:
            self.start = self.last = now
        elif not stopped or self.counted < LEAST // 2:
            self.counted += 1
            self.last = now

    def rate(self) -> float:
        """Messages a second, between the end of the calibration and the end of the sending.

        Of a flood too short for that, all that has come; 0 if a single message has.
        """
        if self.counted and self.last > self.start:
            return self.counted / ((self.last - self.start) / 1e9)
        return (self.received - 1) / ((self.latest - self.first) / 1e9) if self.latest > self.first else 0.0


def relay(seat: Seat, port: Port) -> None:
    """Send everything on."""
    forward = port.forwarder(seat.number("size"))
    while (payload := port.receive()) is not None:
        number = port.number(payload)
        forward(payload)
        if number == LAST:
            break
        seat.board.put(seat.index, FIRST, time.monotonic_ns())


def ping(seat: Seat, port: Port) -> None:
    """Send a message, wait for its return, and so on."""
    size, messages = seat.number("size"), seat.number("messages")
    probe = port.sender(8, "copied", lambda: PROBE)
    seat.board.wait(list(range(seat.board.nodes)), READY, 1, PATIENCE)
    while seat.board.get(1, FIRST) == 0:
        probe()
        time.sleep(0.005)
    taken = []
    for way in seat.ways():
        send = port.sender(size, way, time.monotonic_ns)
        limit = time.monotonic() + seat.number("flood_ms") / 1e3
        rounds: list[int] = []
        while len(rounds) < messages and (time.monotonic() < limit or len(rounds) < LEAST):
            send()
            while (number := port.number(port.receive())) == PROBE:
                pass
            rounds.append(time.monotonic_ns() - number)
        taken.append(rounds)
    seat.write(taken)
    port.sender(8, "copied", lambda: LAST)()
    seat.board.wait([1], DONE, 1, PATIENCE)


def greeter(seat: Seat, port: Port) -> None:
    """Reach everyone once, wait until told to end if so asked, and dismiss them."""
    _greet(seat, port)
    if seat.number("waits"):
        (seat.folder / "gate").read_bytes()  # a pipe, so that the wait costs nothing
    _dismiss(seat, port)


def listener(seat: Seat, port: Port) -> None:
    """Note when the first message came."""
    while (payload := port.receive()) is not None:
        now = time.monotonic_ns()
        if seat.board.get(seat.index, FIRST) == 0:
            seat.board.put(seat.index, FIRST, now)
        if port.number(payload) == LAST:
            break


def _greet(seat: Seat, port: Port) -> None:
    seat.board.wait(list(range(seat.board.nodes)), READY, 1, PATIENCE)
    probe = port.sender(8, "copied", lambda: PROBE)
    limit = time.monotonic() + PATIENCE
    while not all(seat.board.get(sink, FIRST) for sink in seat.sinks):
        probe()
        time.sleep(0.005)
        if time.monotonic() > limit:
            raise TimeoutError(f"no message has arrived: {seat.board.column(FIRST)}")


def _dismiss(seat: Seat, port: Port) -> None:
    port.sender(8, "copied", lambda: LAST)()
    seat.board.wait(seat.sinks, DONE, 1, PATIENCE)
