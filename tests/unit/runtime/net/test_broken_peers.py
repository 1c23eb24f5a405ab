"""Peers that talk nonsense to a node: each loses its own link, the log says why, and nothing else happens."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest
import zmq
from doraflow_runtime.net import frames
from doraflow_runtime.net.frames import Hello, NetKind, Stand
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Run

WAIT_MS = 20_000
SESSION = b"s" * 16
READER = """
from doraflow_runtime.node_api.node import Node
with Node() as node:
    print("ready", flush=True)
    for event in node:
        print(event.type, event.id, flush=True)
"""


class Peer:
    """A sender made by hand."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: str) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(address)

    def say(self, *parts: bytes) -> None:
        self.socket.send_multipart(parts)

    def hear(self) -> wire.Frame:
        assert self.socket.poll(WAIT_MS), "the node does not answer"
        return frames.read_frame(self.socket.recv())

    def greet(self, *, dataflow: str = "test", name: str = "a", stands: tuple[Stand, ...] = (Stand(1, 1, 0),)) -> None:
        self.say(frames.hello(Hello(dataflow, name, SESSION, stands)))


@pytest.fixture
def address(run: Run) -> Iterator[str]:
    """A node `b` that reads `a/out` from another host; `a` is up to the test."""
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 2, "backpressure")
    run.apart("b")
    run.listen(1)
    process = run.spawn("b", READER)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield f"tcp://127.0.0.1:{run.ports['b']}"
    with contextlib.suppress(BrokenPipeError):  # it ends by itself once its one input is closed
        run.tell("b", type="stop")
    process.wait(20)
    assert process.returncode == 0, "the node has survived"


@pytest.fixture
def peer(address: str) -> Iterator[Peer]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made = Peer(context, address)
    yield made
    made.socket.close()
    context.term()


def message(number: int, *, link: int = 1, kind: int = 1, size: int = 0) -> bytes:
    body = wire.MESSAGE.pack(0, 0, 0, size)
    return frames.message(link, kind, 0, number, body)


GREETINGS = {
    "not a greeting that can be read": (
        (frames._framed(Kind.HELLO, b"DFLN"),),
        "a malformed greeting",
    ),
    "another dataflow": (
        (frames.hello(Hello("other", "a", SESSION, (Stand(1, 1, 0),))),),
        "this is a node of the dataflow `test`, not of `other`",
    ),
    "a stranger": (
        (frames.hello(Hello("test", "eve", SESSION, (Stand(1, 1, 0),))),),
        "`eve` does not feed this node",
    ),
    "other links": (
        (frames.hello(Hello("test", "a", SESSION, (Stand(2, 1, 0),))),),
        "`a` was built with other links: build the bundle again for all hosts",
    ),
    "an impossible number": (
        (frames.hello(Hello("test", "a", SESSION, (Stand(1, 0, 0),))),),
        "0 is no number of a message",
    ),
    "too many parts": ((b"1", b"2", b"3"), "a message of 3 parts"),
    "half a frame": ((b"12345",), "a truncated frame"),
}


@pytest.mark.parametrize("name", GREETINGS)
def test_a_bad_greeting_is_refused_with_its_reason(peer: Peer, name: str) -> None:
    parts, reason = GREETINGS[name]
    peer.say(*parts)
    answer = peer.hear()
    assert answer.kind == NetKind.REFUSED
    assert answer.body.decode() == reason


def test_what_was_left_over_from_a_connection_that_was_cut_is_passed_over(peer: Peer) -> None:
    peer.say(message(4660) + message(4661))
    peer.say(message(4662, size=70_000), b"p" * 70_000)
    peer.greet()
    assert peer.hear().kind == NetKind.WELCOME


def test_an_end_that_is_said_again_after_a_cut_is_known(run: Run) -> None:
    run.node("a", ("out", "more"))
    run.node("b")
    run.link("a/out", "b/in")
    run.link("a/more", "b/more")
    run.apart("b")
    run.listen(1)
    process = run.spawn("b", READER)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    for ended in ((1,), (1, 2)):
        peer = Peer(context, f"tcp://127.0.0.1:{run.ports['b']}")
        peer.greet(stands=(Stand(1, 1, 0), Stand(2, 1, 0)))
        assert peer.hear().kind == NetKind.WELCOME
        for link in ended:
            peer.say(frames.record(wire.closed(link)))
        assert process.stdout.readline() == f"INPUT_CLOSED {'in' if ended == (1,) else 'more'}\n"
        peer.socket.close()
    context.term()
    assert process.stdout.readline() == "STOP ALL_INPUTS_CLOSED\n"
    assert process.wait(20) == 0


BROKEN = {
    "a type that was never announced": ((message(1),), "type 1 was never announced"),
    "a link that is not its own": ((message(1, link=9),), "link 9 is closed, or does not come from `a`"),
    "a frame of another side": ((frames.record(frames.grant([])),), "a frame of kind 17, which a sender does not send"),
    "a type that is none": (
        (frames.record(frames.type_frame(1, b"")),),
        "a malformed type: Tried reading schema message, was null or length 0",
    ),
    "a payload that is too short": (
        (message(1, size=70_000), b"short"),
        "a message whose payload is not as long as it says",
    ),
    "a piece of a message that was not begun": (
        (frames.piece(1, 1), b"piece"),
        "a piece of message 1 on link 1, which was not begun",
    ),
    "half a record": ((message(1)[:-1],), "a truncated record"),
    "a payload beside what is no message": (
        (frames.record(wire.closed(1)), b"payload"),
        "a payload that belongs to no message",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_peer_that_breaks_a_rule_loses_its_link_and_another_may_come(run: Run, peer: Peer, name: str) -> None:
    parts, reason = BROKEN[name]
    peer.greet()
    assert peer.hear().kind == NetKind.WELCOME
    peer.say(*parts)
    answer = peer.hear()
    assert (answer.kind, answer.body.decode()) == (NetKind.REFUSED, reason)
    out = run.processes[0].stdout
    assert out is not None
    line = json.loads(out.readline())
    assert line["message"] == f"closed the link of `a`: {reason}"
    assert out.readline() == "INPUT_CLOSED in\n"
