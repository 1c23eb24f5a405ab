"""The control protocol, spoken over a real socket."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.launcher.control import (
    LONGEST_LINE,
    Alive,
    Connection,
    ControlSocket,
    Hello,
    InputsClosed,
    Message,
    ProtocolError,
    StopAll,
    parse,
)
from doraflow_runtime.launcher.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELLO = b'{"type": "hello", "node": "camera", "pid": 7, "contract": 1}'


class Recorder:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.connection: Connection | None = None

    def on_message(self, connection: Connection, message: Message) -> None:
        self.connection = connection
        self.told.append(message)

    def on_fault(self, connection: Connection, error: ProtocolError) -> None:
        assert not connection.is_open
        self.told.append(str(error))

    def on_closed(self, connection: Connection) -> None:
        assert not connection.is_open
        self.told.append("closed")


class Setting:
    """A control socket with one peer."""

    def __init__(self, path: Path, user: int) -> None:
        self.loop = Loop()
        self.recorder = Recorder()
        self.control = ControlSocket(path, self.loop, self.recorder, user)
        self.peer = socket.socket(socket.AF_UNIX)
        self.peer.settimeout(5)
        self.peer.connect(str(path))

    def turn(self, times: int = 3) -> list[object]:
        for _ in range(times):
            self.loop.run_once(0.02)
        return self.recorder.told


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    made = Setting(tmp_path / "s", os.getuid())
    yield made
    made.peer.close()
    made.control.close()
    made.loop.close()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (HELLO, Hello("camera", 1, 7)),
        (b'{"type": "alive"}', Alive()),
        (b'{"type": "inputs_closed"}', InputsClosed()),
        (b'{"type": "hello", "node": "a", "contract": 2, "later": []}', Hello("a", 2)),
        (b'{"type": "stop_all"}', StopAll()),
    ],
)
def test_messages_are_read(line: bytes, expected: Message) -> None:
    assert parse(line) == expected


@pytest.mark.parametrize(
    "line",
    [b"", b"x", b"[]", b'{"type": "hello"}', b'{"type": "hello", "node": 1, "contract": 1}', b"\xff", b"[" * 9999],
)
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse(line)


def test_messages_arrive_in_order_however_they_are_cut(setting: Setting) -> None:
    for byte in HELLO + b'\n{"type": "st':
        setting.peer.send(bytes([byte]))
        setting.turn(1)
    setting.peer.send(b'op_all"}\n')
    assert setting.turn() == [Hello("camera", 1, 7), StopAll()]


def test_a_peer_that_hangs_up_is_told(setting: Setting) -> None:
    setting.peer.close()
    assert setting.turn() == ["closed"]


def test_a_peer_that_talks_nonsense_is_hung_up_on(setting: Setting) -> None:
    setting.peer.send(b"GET / HTTP/1.1\r\n")
    assert setting.turn() == ["not JSON: b'GET / HTTP/1.1\\r'"]
    assert setting.peer.recv(1) == b""


def test_a_line_without_end_is_not_collected_for_ever(setting: Setting) -> None:
    setting.peer.settimeout(0.2)
    sent = 0
    try:
        while sent < 4 * LONGEST_LINE:
            sent += setting.peer.send(b"x" * 8192)
            setting.turn(1)
    except OSError:
        pass
    assert setting.turn() == ["a line of more than 65536 bytes"]
    assert sent <= LONGEST_LINE + 4 * 16 * 1024


def test_a_process_of_another_user_is_not_let_in(tmp_path: Path) -> None:
    setting = Setting(tmp_path / "s", os.getuid() + 1)
    setting.peer.send(HELLO + b"\n")
    assert setting.turn() == []
    with pytest.raises(ConnectionResetError):
        setting.peer.recv(1)
    setting.peer.close()
    setting.control.close()
    setting.loop.close()


def test_a_peer_that_does_not_read_holds_nobody_up_and_loses_nothing(setting: Setting) -> None:
    setting.peer.send(HELLO + b"\n")
    setting.turn()
    connection = setting.recorder.connection
    assert connection is not None
    names = [f"{number}{'x' * 1000}" for number in range(1000)]
    for name in names:
        connection.tell("ended", node=name)
    received = b""
    while received.count(b"\n") < len(names):
        setting.turn(1)
        received += setting.peer.recv(1 << 16)
    assert [json.loads(line)["node"] for line in received.splitlines()] == names


def test_a_message_to_a_peer_that_is_gone_is_lost(setting: Setting) -> None:
    setting.peer.send(HELLO + b"\n")
    setting.turn()
    setting.peer.close()
    assert setting.recorder.connection is not None
    setting.recorder.connection.tell("start")
    setting.recorder.connection.tell("start")
    assert setting.turn() == [Hello("camera", 1, 7), "closed"]
    setting.recorder.connection.tell("start")
