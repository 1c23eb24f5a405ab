"""A TCP proxy that stands between two ends: it records what passes, changes a byte of it, and plays it again."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Proxy:
    """Passes one connection on to a port of this machine; without a port it answers from `script` instead."""

    def __init__(self, port: int = 0, script: bytes = b"") -> None:
        self._target = port
        self._script = script
        self._recorded: dict[str, bytearray] = {"server": bytearray(), "client": bytearray()}
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._flip = False
        self._swallowed: tuple[socket.socket, ...] = ()
        self.flipped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @classmethod
    def serving(cls, script: bytes) -> Proxy:
        """Answer every connection with the same bytes, whatever it says."""
        return cls(script=script)

    @staticmethod
    def replay(recorded: bytes, port: int) -> None:
        """Send bytes to a port, and wait until the other end hangs up."""
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(recorded)
            with contextlib.suppress(ConnectionResetError):
                while connection.recv(65536):
                    pass

    def to_server(self) -> bytes:
        return bytes(self._recorded["server"])

    def to_client(self) -> bytes:
        return bytes(self._recorded["client"])

    def flip_next(self) -> None:
        """Change the last byte of what the client sends next."""
        self._flip = True

    def swallow(self) -> None:
        """Pass on nothing more of what those clients send that are connected now."""
        self._swallowed = tuple(self._sockets)

    def cut(self) -> None:
        """End the connections that pass, in the middle of whatever is on its way; others may follow."""
        for each in self._sockets:
            with contextlib.suppress(OSError):  # it has ended already
                each.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(20)  # after it, nobody comes that would not be hung up on
        for each in self._sockets:
            _hang_up(each)
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]  # one of our own methods
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            if self._target:
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:  # nobody listens there any more
                    client.close()
                    continue
                self._sockets.append(server)
                self._start(self._pass, client, server, "server")
                self._start(self._pass, server, client, "client")
            else:
                client.sendall(self._script)
                self._start(self._listen, client)

    def _listen(self, client: socket.socket) -> None:
        with client:
            while content := _received(client):
                self._recorded["server"] += content

    def _pass(self, source: socket.socket, target: socket.socket, to: str) -> None:
        while content := _received(source):
            self._recorded[to] += content
            if self._flip and to == "server":
                self._flip = False
                content = content[:-1] + bytes([content[-1] ^ 1])
                self.flipped.set()
            try:
                if source not in self._swallowed or to == "client":
                    target.sendall(content)
            except OSError:
                break
        _hang_up(source)
        _hang_up(target)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
