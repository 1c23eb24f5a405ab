"""Connections between hosts that cannot be made: each way is told apart, by nodes and by launchers."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
import zmq
from doraflow_runtime.contract import Link, OutgoingLink
from doraflow_runtime.fleet import link as launchers
from doraflow_runtime.net import connecting, sockets
from doraflow_runtime.net.connecting import FarConnection
from doraflow_runtime.net.events import read_events
from doraflow_runtime.net.sockets import connector, has

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow_runtime.net.transport import News

PATIENCE = 30.0

HANGS_UP = (
    "the other side hangs up before the greeting, since the keys of the two hosts do not fit or another program "
    "listens there"
)
SILENT = "the other side does not answer: it may be paused or hang, or another program listens there"


def no_keys(made: zmq.Socket[Any], peer: str, count: int) -> None:
    del made, peer, count


class Known:
    """A line of which only what becomes of its connections is known."""

    def __init__(self) -> None:
        self.coming: list[News] = []

    def news(self) -> Iterator[News]:
        while self.coming:
            yield self.coming.pop(0)

    def try_again(self) -> None:
        """Do nothing."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(connecting.log_lines, "write", lambda _level, text, **_: lines.append(text))
    return lines


def test_a_reader_that_does_not_answer_is_told_apart_from_one_that_refuses_and_each_is_told_once(
    told: list[str],
) -> None:
    line = Known()
    link = OutgoingLink(Link(1, "a", "out", "b", "in"), "tcp://10.0.0.2:29401", 3, "backpressure", "gpu")
    connection = FarConnection(line, link)  # type: ignore[arg-type]
    line.coming += ["silent", "cut", "silent", "cut", "refused", "cut", "refused", "cut"]
    assert list(connection.turns(was_up=False)) == [False] * 8
    where = "the link to `b` on `gpu` (tcp://10.0.0.2:29401)"
    assert told == [f"{where} cannot be made: {SILENT}", f"{where} cannot be made: {HANGS_UP}"]
    line.coming += ["up", "cut", "silent", "cut"]
    connection.note_answer(0)
    assert list(connection.turns(was_up=True)) == [True, False, False, False]
    assert told[2:] == [f"{where} is cut; it is taken up again", f"{where} cannot be made: {SILENT}"]


def test_a_launcher_tells_them_apart_as_well() -> None:
    told: list[News] = []

    class Attempts:
        def again(self) -> None:
            """Do nothing."""

    line = launchers.Line(None, None, Attempts(), told.append)  # type: ignore[arg-type]
    for news in ("silent", "cut", "refused", "cut", "up", "cut", "silent", "cut"):
        line._on_news(news)  # type: ignore[arg-type]
    assert told == ["silent", "refused", "silent"]


@pytest.mark.parametrize(("hangs_up", "news"), [(False, "silent"), (True, "refused")])
def test_a_port_without_an_answer_and_one_that_hangs_up_are_not_the_same(
    monkeypatch: pytest.MonkeyPatch, hangs_up: bool, news: str
) -> None:
    if not hangs_up:
        monkeypatch.setattr(sockets, "SILENCE_MS", 300)
    context = zmq.Context()
    with socket.create_server(("127.0.0.1", 0)) as server:
        made, monitor = connector(context, f"tcp://127.0.0.1:{server.getsockname()[1]}", "gpu", no_keys)
        accepted, _ = server.accept()
        with accepted:
            if hangs_up:
                accepted.recv(1)
                accepted.close()
            seen: list[str] = []
            deadline = time.monotonic() + PATIENCE
            while not seen:
                assert time.monotonic() < deadline
                monitor.poll(100)
                seen += read_events(monitor)
        assert seen[0] == news
        made.disable_monitor()
        monitor.close(0)
        made.close(0)
    context.term()


def heard(listening: str, address: str) -> bool:
    """Tell whether what is said to an address is heard by a socket that listens."""
    context = zmq.Context()
    listener = sockets.listener(context, f"tcp://{listening}:*", no_keys)
    port = listener.get(zmq.LAST_ENDPOINT).rpartition(b":")[2].strip(b"\0").decode()
    made, monitor = connector(context, f"tcp://{address}:{port}", "gpu", no_keys)
    deadline = time.monotonic() + PATIENCE
    while not has(made, zmq.POLLOUT):
        assert time.monotonic() < deadline
        made.poll(100, zmq.POLLOUT)
    made.send(b"hello")
    is_heard = listener.poll(int(PATIENCE * 1000)) != 0
    made.disable_monitor()
    for each in (monitor, made, listener):
        each.close(0)
    context.term()
    return is_heard


@pytest.mark.parametrize(
    ("listening", "address"), [("[::1]", "[::1]"), ("*", "[::1]"), ("*", "127.0.0.1"), ("*", "localhost")]
)
def test_hosts_are_reached_by_addresses_of_ipv6_and_ipv4(listening: str, address: str) -> None:
    if "[" in address and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    assert heard(listening, address)


def test_without_ipv6_a_host_listens_by_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_has_both", lambda: False)
    assert heard("*", "127.0.0.1")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as trial:
            trial.bind(("::1", 0))
    except OSError:
        return False
    return True
