"""A relay on loopback that lets only so many bytes a second through to a server: a slow network for tests."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 4096


@contextlib.contextmanager
def relaying(port: int, rate: int) -> Iterator[int]:
    """Give the port of a relay to `port`, which lets `rate` bytes a second go there and all bytes come back."""
    threads: list[threading.Thread] = []
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def start(source: socket.socket, sink: socket.socket, bytes_a_second: float) -> None:
            thread = threading.Thread(target=_pass_on, args=(source, sink, bytes_a_second))
            thread.start()
            threads.append(thread)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client = stack.enter_context(listener.accept()[0])
                    server = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                    start(client, server, rate)
                    start(server, client, float("inf"))

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            _end(listener)
            accepting.join()
            for thread in threads:
                thread.join()


def _pass_on(source: socket.socket, sink: socket.socket, bytes_a_second: float) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
            time.sleep(len(data) / bytes_a_second)
    _end(sink)
    _end(source)


def _end(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
