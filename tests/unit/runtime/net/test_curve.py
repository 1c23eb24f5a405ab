"""CURVE on real sockets: who gets through, and who gets nothing."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import zmq
from doraflow_runtime.keys.folder import KeyRingError
from doraflow_runtime.keys.ring import read_ring
from doraflow_runtime.net import sockets
from doraflow_runtime.net.admission import Admission, admit_in_background, answer_waiting, bind
from doraflow_runtime.net.curve import as_client, as_server
from doraflow_runtime.net.sockets import Attempts, connector

from tests.unit.runtime.net.conftest import Keys
from tests.unit.runtime.net.man_in_the_middle import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

ARRIVES = 20_000
"""Milliseconds that a message may take on a loaded machine."""


@dataclass
class Server:
    """A socket of host `edge` that takes messages of those whom its ring admits."""

    socket: zmq.Socket[bytes]
    port: int
    log: list[str] = field(default_factory=list)

    def take(self) -> tuple[bytes, str]:
        assert self.socket.poll(ARRIVES), "nothing arrived"
        frame = self.socket.recv(copy=False)
        return frame.bytes, str(frame.get("User-Id"))

    def refused(self, count: int = 1) -> str:
        deadline = time.monotonic() + ARRIVES / 1000
        while len(self.log) < count:
            assert time.monotonic() < deadline, "nobody was refused"
            assert not self.socket.poll(10), "a stranger's message arrived"
        return self.log[-1]


@pytest.fixture
def server(keys: Keys) -> Iterator[Server]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    log: list[str] = []
    ring = read_ring(keys.folder, "edge")
    thread = admit_in_background(context, Admission(ring, log.append))
    socket = context.socket(zmq.PULL)
    as_server(socket, ring)
    yield Server(socket, socket.bind_to_random_port("tcp://127.0.0.1"), log)
    socket.close(0)
    context.term()
    thread.join(10)
    assert not thread.is_alive()


@contextlib.contextmanager
def unconnected(keys: Keys | None, attempt: int = 0) -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.linger = 0
        if keys is not None:
            as_client(socket, read_ring(keys.folder, "gpu"), "edge", attempt)
        yield socket


@contextlib.contextmanager
def pusher(keys: Keys, port: int, attempt: int = 0) -> Iterator[zmq.Socket[bytes]]:
    with unconnected(keys, attempt) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        yield socket


@contextlib.contextmanager
def refused_pusher(keys: Keys | None, port: int) -> Iterator[tuple[zmq.Socket[bytes], zmq.Socket[bytes]]]:
    """A client, and what tells that its handshake has failed: that is watched before there can be one."""
    failed = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    with (
        unconnected(keys) as socket,
        socket.get_monitor_socket(failed | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL) as events,
    ):
        socket.connect(f"tcp://127.0.0.1:{port}")
        yield socket, events
        socket.disable_monitor()


def get_nothing(client: zmq.Socket[bytes], server: Server, events: zmq.Socket[bytes]) -> None:
    """The client sends; its handshake fails, which is awaited, and nothing has arrived."""
    client.send(b"let me in")
    assert events.poll(ARRIVES), "the handshake did not fail"
    assert not server.socket.poll(200)


def test_a_host_with_the_right_key_gets_through_and_is_known_by_name(keys: Keys, server: Server) -> None:
    with pusher(keys, server.port) as client:
        client.send(b"hello")
        assert server.take() == (b"hello", "gpu")
    assert server.log == []


def test_a_host_whose_key_is_unknown_gets_nothing_and_is_named_in_the_log(
    keys: Keys, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    strangers = Keys(tmp_path_factory.mktemp("other") / "keys")
    strangers.make("gpu")
    strangers.write("edge.public", (keys.folder / "edge.public").read_text())
    with pusher(strangers, server.port) as client:
        client.send(b"let me in")
        assert server.refused() == "refused a connection from 127.0.0.1: its key is in no ring of this host"
        assert not server.socket.poll(200)


def test_a_client_with_another_key_of_the_server_gets_nothing(
    keys: Keys, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    others = Keys(tmp_path_factory.mktemp("other") / "keys")
    others.make("edge")
    others.write("gpu.secret", (keys.folder / "gpu.secret").read_text())
    with zmq.Context() as context, context.socket(zmq.PUSH) as client:
        client.linger = 0
        as_client(client, read_ring(others.folder, "gpu"), "edge")
        with server.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL) as events:
            client.connect(f"tcp://127.0.0.1:{server.port}")
            client.send(b"for somebody else")
            assert events.poll(ARRIVES)
            assert not server.socket.poll(200)
            server.socket.disable_monitor()


def test_a_client_without_a_key_gets_nothing(server: Server) -> None:
    with refused_pusher(None, server.port) as (client, events):
        get_nothing(client, server, events)


def test_a_server_without_a_key_gets_nothing(keys: Keys) -> None:
    with zmq.Context() as context, context.socket(zmq.PULL) as plain:
        port = plain.bind_to_random_port("tcp://127.0.0.1")
        with refused_pusher(keys, port) as (client, events):
            client.send(b"secret")
            assert events.poll(ARRIVES)
            assert not plain.poll(200)


def test_where_nobody_answers_nobody_is_let_in(keys: Keys) -> None:
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        as_server(socket, read_ring(keys.folder, "edge"))
        server = Server(socket, socket.bind_to_random_port("tcp://127.0.0.1"))
        with socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL) as events:
            with pusher(keys, server.port) as client:
                client.send(b"hello")
                assert events.poll(ARRIVES)
                assert not socket.poll(200)
            socket.disable_monitor()


def test_a_loop_can_answer_without_a_thread(keys: Keys) -> None:
    with zmq.Context() as context, context.socket(zmq.PULL) as socket, bind(context) as asked:
        ring = read_ring(keys.folder, "edge")
        admission = Admission(ring, lambda _: None)
        as_server(socket, ring)
        server = Server(socket, socket.bind_to_random_port("tcp://127.0.0.1"))
        with pusher(keys, server.port) as client:
            client.send(b"hello")
            assert asked.poll(ARRIVES)
            answer_waiting(asked, admission)
            assert server.take() == (b"hello", "gpu")


def test_both_keys_of_a_host_are_admitted_until_the_old_one_is_retired(keys: Keys, server: Server) -> None:
    before = read_ring(keys.folder, "gpu")
    keys.rotate("gpu")
    for ring, message in ((read_ring(keys.folder, "gpu"), b"new"), (before, b"old")):
        with zmq.Context() as context, context.socket(zmq.PUSH) as client:
            as_client(client, ring, "edge")
            client.connect(f"tcp://127.0.0.1:{server.port}")
            client.send(message)
            assert server.take() == (message, "gpu")
    (keys.folder / "gpu.public.old").unlink()
    with zmq.Context() as context, context.socket(zmq.PUSH) as client:
        client.linger = 0
        as_client(client, before, "edge")
        client.connect(f"tcp://127.0.0.1:{server.port}")
        client.send(b"retired")
        assert server.refused().startswith("refused a connection from 127.0.0.1")


def test_a_server_that_still_runs_with_its_old_key_is_reached_by_the_second_attempt(keys: Keys, server: Server) -> None:
    keys.rotate("edge")
    with pusher(keys, server.port, attempt=1) as client:
        client.send(b"hello")
        assert server.take() == (b"hello", "gpu")


def test_keys_that_become_unreadable_leave_those_of_before_in_force(keys: Keys, server: Server) -> None:
    ring = read_ring(keys.folder, "gpu")
    keys.write("laptop.public", "damaged")
    with zmq.Context() as context, context.socket(zmq.PUSH) as client:
        as_client(client, ring, "edge")
        client.connect(f"tcp://127.0.0.1:{server.port}")
        client.send(b"hello")
        assert server.take() == (b"hello", "gpu")
    reason = f"`{keys.folder}/laptop.public` is not a key file: it does not begin with `doraflow key 1`"
    assert server.log == [f"the keys were changed and cannot be read, so those of before hold: {reason}"]


def test_bytes_that_were_recorded_and_are_sent_again_bring_nothing(keys: Keys, server: Server) -> None:
    with Proxy(server.port) as proxy:
        with pusher(keys, proxy.port) as client:
            client.send(b"open the door")
            assert server.take() == (b"open the door", "gpu")
        recorded = proxy.to_server()
    assert len(recorded) > 300  # a greeting, a HELLO, an INITIATE, a message
    assert b"open the door" not in recorded
    with server.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL) as events:
        Proxy.replay(recorded, server.port)
        assert events.poll(ARRIVES), "the replay was not noticed"
        assert not server.socket.poll(200)
        server.socket.disable_monitor()


def test_the_recorded_answers_of_a_server_deceive_no_client(keys: Keys, server: Server) -> None:
    with Proxy(server.port) as proxy:
        with pusher(keys, proxy.port) as client:
            client.send(b"first")
            server.take()
        recorded = proxy.to_client()
    with Proxy.serving(recorded) as impostor, refused_pusher(keys, impostor.port) as (client, events):
        client.send(b"second")
        assert events.poll(ARRIVES), "the impostor was not noticed"
        assert b"second" not in impostor.to_server()


def test_a_changed_byte_of_a_message_ends_the_connection(keys: Keys, server: Server) -> None:
    with Proxy(server.port) as proxy, pusher(keys, proxy.port) as client:
        client.send(b"first")
        assert server.take() == (b"first", "gpu")
        proxy.flip_next()
        client.send(b"second")
        assert proxy.flipped.wait(ARRIVES / 1000)
        deadline = time.monotonic() + ARRIVES / 1000
        while not server.socket.poll(100):  # until the connection that follows the broken one stands
            assert time.monotonic() < deadline
            client.send(b"third")
        assert server.take() == (b"third", "gpu")


def test_a_host_that_has_no_key_is_not_connected_to(keys: Keys) -> None:
    ring = read_ring(keys.folder, "edge")
    with (
        zmq.Context() as context,
        context.socket(zmq.PUSH) as client,
        pytest.raises(KeyRingError, match="hold none of host `laptop`"),
    ):
        as_client(client, ring, "laptop")


def test_a_link_that_is_refused_takes_the_other_key_of_its_peer(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "ATTEMPT_SECONDS", 0.0)
    before = read_ring(keys.folder, "edge")
    keys.rotate("edge")  # the server goes on with the old pair
    ring = read_ring(keys.folder, "gpu")
    taken: list[int] = []

    def secure(socket: zmq.Socket[bytes], peer: str, attempt: int) -> None:
        taken.append(attempt)
        as_client(socket, ring, peer, attempt)

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    admit_in_background(context, Admission(before, lambda _: None))
    with context.socket(zmq.ROUTER) as server:
        as_server(server, before)
        endpoint = f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}"
        client, events = connector(context, endpoint, "edge", secure)
        with client, events:
            assert events.poll(ARRIVES), "the handshake did not fail"
            Attempts(client, endpoint, "edge", secure).again()
            assert client.poll(ARRIVES, zmq.POLLOUT), "the other key was refused too"
            client.send(b"hello")
            assert server.poll(ARRIVES)
            assert server.recv_multipart()[1:] == [b"hello"]
            client.disable_monitor()
    context.term()
    assert taken == [0, 1]


def test_a_stranger_is_not_hammered_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "ATTEMPT_SECONDS", 1000.0)
    taken: list[int] = []
    with zmq.Context() as context, context.socket(zmq.DEALER) as client:
        client.connect("tcp://127.0.0.1:1")
        attempts = Attempts(client, "tcp://127.0.0.1:1", "edge", lambda _, __, attempt: taken.append(attempt))
        for _ in range(100):
            attempts.again()
        client.close(0)
    assert taken == []
