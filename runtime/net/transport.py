"""What a transport between hosts has to offer, and which one a node uses.

A transport carries parts of bytes, in order while a connection stands, and may lose what a cut swallows: numbers,
credits and what is sent again are the affair of `outgoing`, `listening` and `lanes`, which are the same for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import doraflow_core
    from doraflow_runtime.contract import NodeConfig, OutgoingLink
    from doraflow_runtime.net.fabric.audience import Audience
    from doraflow_runtime.node_api.gate import AnyGate

ZENOH = "eclipse-zenoh"

News: TypeAlias = Literal["up", "cut", "refused", "silent"]


def why_not(news: News) -> str:
    """Say why a connection cannot be made, from what became of it."""
    if news == "silent":
        return "the other side does not answer: it may be paused or hang, or another program listens there"
    return (
        "the other side hangs up before the greeting, since the keys of the two hosts do not fit or another program "
        "listens there"
    )


class Arrival(NamedTuple):
    """A message of a sender: the name of its connection, its parts, and what the transport knows it by."""

    peer: bytes
    parts: Sequence[memoryview]
    origin: Any


class Line(Protocol):
    """A sender's way to one reader, taken up again by itself whenever it is cut."""

    @property
    def wire(self) -> object:
        """What the compiled core sends packs on by itself; None leaves them to `put`."""

    def descriptors(self) -> Iterable[int]:
        """List what an epoll has to watch; none if the transport rings the bell that it was given."""

    def news(self) -> Iterator[News]:
        """Tell what has become of the connection since. After `up` nothing counts that was on its way before."""

    @property
    def piece_bytes(self) -> int:
        """How much of a payload best goes beside one frame."""

    @property
    def is_writable(self) -> bool:
        """Whether a frame can be taken now."""

    @property
    def has_more(self) -> bool:
        """Whether something of the reader waits to be received."""

    def receive(self) -> bytes | None:
        """Take a frame of the reader; None if none has come."""

    def put(self, *parts: bytes | memoryview) -> None:
        """Send a frame, and what goes beside it. What cannot be sent, since the connection is gone, is forgotten.

        The memory of a part stays as it is until the reader has said that it has the message.
        """

    def try_again(self) -> None:
        """Do what may help where every connection is refused."""

    def close(self) -> None:
        """Hang up; what was taken is still sent, for a moment."""


class Desk(Protocol):
    """Where a reader hears all senders of other hosts."""

    def descriptors(self) -> Iterable[int]:
        """List what an epoll has to watch; none if the transport rings the bell that it was given."""

    def join(self, gate: AnyGate, take: Callable[[Arrival], None], nudge: Callable[[], None]) -> bool:
        """Let the gate take in what it can when a descriptor is ready; False if it takes nothing.

        The rest is given to `take`; `nudge` is called if more may be there.
        """

    def bind(self, peer: bytes, source: doraflow_core.Source | None) -> None:
        """Let the messages of a connection go straight to a source; what is left of them is received."""

    def release(self, peer: bytes) -> None:
        """Take a connection's source away, if it has one."""

    @property
    def has_more(self) -> bool:
        """Whether something waits to be received."""

    def receive(self) -> Arrival | None:
        """Take a message of a sender; None if none has come."""

    def proved(self, arrival: Arrival) -> str | None:
        """Name the host whose key the sender has proved to hold, empty for none; None where nobody is asked."""

    def say(self, peer: bytes, frame: bytes) -> None:
        """Send a frame to a sender; one that is gone is told nothing, since its next connection begins anew."""

    def close(self) -> None:
        """Hang up on all; what was taken is still sent, for a moment."""


class Transport(Protocol):
    """A node's part in the links between hosts."""

    def line(self, links: Sequence[OutgoingLink]) -> Line:
        """Connect to the reader at the end of `links`."""

    def desk(self) -> Desk:
        """Listen for senders. Raises RuntimeError, naming the port, if that cannot be."""

    def note_life(self, reader: str, life: str) -> None:
        """Learn which run of its host a reader belongs to, from the launchers; a `line` to it may follow."""

    def audience(self) -> Audience | None:
        """Let applications outside of the dataflow listen to the node's outputs; None if nobody can."""

    def close(self) -> None:
        """End all connections; to be called after lines and desk were closed."""


def open_transport(config: NodeConfig, ring: Callable[[], None]) -> Transport:
    """Open the transport that a node's links use; only that one is imported. `ring` may be called from any thread.

    Raises RuntimeError, saying what to do, if it cannot be had.
    """
    if config.fabric is None:
        from doraflow_runtime.net.zeromq import ZeroMq

        return ZeroMq(config)
    try:
        from doraflow_runtime.net.fabric.zenoh_transport import Zenoh
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"the links of node `{config.node.id}` go over zenoh, and its Python has no package `{error.name}`: "
            f"`pip install {ZENOH}`"
        ) from None
    return Zenoh(config, config.fabric, ring)
