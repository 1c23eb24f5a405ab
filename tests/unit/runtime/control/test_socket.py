"""Both ends of the control socket, in one process: requests, news, nonsense, silence."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
import zmq
from doraflow_runtime.control.client import Client, ControlError, NoSocketError, RefusedError, TimeoutExpiredError
from doraflow_runtime.control.messages import Change, Done, Metrics, Pause, Refusal, Stop, Subscribe, encode_request
from doraflow_runtime.control.server import ControlServer
from doraflow_runtime.launcher.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from doraflow_runtime.control.messages import Reply, Request


class Run:
    """A server with a loop of its own, which answers what it is told to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.loop = Loop()
        self.now = 0.0
        self.subscribed = 0
        self.requests: list[Request] = []
        self.reply: Reply | None = Done("yes")
        self.server = ControlServer(directory, self.loop, self, lambda: self.now)
        self._goes_on = True
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._thread.start()

    def on_request(self, request: Request, answer: Callable[[Reply], None]) -> None:
        self.requests.append(request)
        if self.reply is not None:
            answer(self.reply)

    def on_subscribed(self) -> None:
        self.subscribed += 1

    def do(self, call: Callable[[], object]) -> None:
        """Call something in the thread of the loop, and wait until it is done."""
        done = threading.Event()
        self._calls.append(lambda: (call(), done.set()))
        assert done.wait(30)

    def end(self) -> None:
        self._goes_on = False
        self._thread.join(30)
        self.server.close()
        self.loop.close()

    def _turn(self) -> None:
        while self._goes_on:
            self.loop.run_once(0.01)
            while self._calls:
                self._calls.pop(0)()

    _calls: list[Callable[[], object]] = []  # noqa: RUF012 - one run a test


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    directory = tmp_path / ("d" * 120)  # longer than the address of a socket may be
    directory.mkdir()
    made = Run(directory)
    yield made
    made.end()


def test_a_request_is_answered(run: Run) -> None:
    with Client(run.directory) as client:
        assert client.ask(Pause("camera")) == Done("yes")
        assert client.ask(Stop(now=True)) == Done("yes")
    assert run.requests == [Pause("camera"), Stop(now=True)]


def test_the_socket_is_for_this_user_alone(run: Run) -> None:
    assert (run.directory / "control.sock").stat().st_mode & 0o777 == 0o600


def test_a_refusal_is_an_error_with_its_help(run: Run) -> None:
    run.reply = Refusal("`camera` has ended", "restart it")
    with Client(run.directory) as client, pytest.raises(RefusedError) as caught:
        client.ask(Pause("camera"))
    assert (str(caught.value), caught.value.help) == ("`camera` has ended", "restart it")


def test_a_run_that_does_not_answer_is_given_up_in_time(run: Run) -> None:
    run.reply = None
    began = time.monotonic()
    with Client(run.directory, timeout=0.2) as client, pytest.raises(TimeoutExpiredError) as caught:
        client.ask(Pause("camera"))
    assert str(caught.value) == f"`{'d' * 120}` did not answer within 0.2 s"
    assert time.monotonic() - began < 5


def test_a_directory_without_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSocketError) as caught:
        Client(tmp_path)
    assert str(caught.value).startswith(f"`{tmp_path.name}` has no control socket: ")


def test_a_run_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ControlError) as caught:
        Client(tmp_path / "gone")
    assert (str(caught.value), caught.value.help) == ("`gone` has ended", "`doraflow list` lists what runs")


def test_news_come_to_those_who_subscribed_until_the_lease_is_over(run: Run) -> None:
    with Client(run.directory) as client, Client(run.directory) as other:
        client.subscribe("changes")
        other.subscribe("metrics")
        assert run.subscribed == 2
        run.do(lambda: run.server.publish("changes", Change("failed", "camera")))
        run.do(lambda: run.server.publish("metrics", Metrics(7)))
        assert client.next_news(30) == Change("failed", "camera")
        assert other.next_news(30) == Metrics(7)
        run.now = 11.0
        run.do(lambda: run.server.publish("changes", Change("ended")))
        assert client.next_news(0.1) is None
        assert not run.server.wants("changes")


def test_a_subscription_ends_when_asked(run: Run) -> None:
    with Client(run.directory) as client:
        client.subscribe("changes")
        assert client.ask(Subscribe(())) == Done("no news are sent any more")
        assert not run.server.wants("changes")


def test_news_that_come_before_a_reply_are_kept(run: Run) -> None:
    with Client(run.directory) as client:
        client.subscribe("changes")
        run.do(lambda: run.server.publish("changes", Change("running")))
        assert client.ask(Pause("camera")) == Done("yes")
        assert client.next_news(30) == Change("running")


@contextlib.contextmanager
def bare(run: Run, kind: int = zmq.DEALER) -> Iterator[zmq.Socket[bytes]]:
    context = zmq.Context()
    folder = os.open(run.directory, os.O_PATH)
    try:
        with context.socket(kind) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVTIMEO, 30_000)
            socket.connect(f"ipc:///proc/self/fd/{folder}/control.sock")
            yield socket
    finally:
        context.term()
        os.close(folder)


@pytest.mark.parametrize("parts", [[b""], [b"\xff" * 100], [b"{}", b"{}"], [b""] * 50, [b"[" * 60_000]])
def test_nonsense_is_refused_and_harms_nobody(run: Run, parts: list[bytes]) -> None:
    with bare(run) as socket:
        socket.send_multipart(parts)
        assert b'"reply": "refusal"' in socket.recv()
    with Client(run.directory) as client:
        assert client.ask(Pause("camera")) == Done("yes")


def test_a_message_that_is_too_large_ends_its_connection_alone(run: Run) -> None:
    with bare(run) as socket:
        socket.send(b" " * 70_000)
        socket.setsockopt(zmq.RCVTIMEO, 300)
        with pytest.raises(zmq.Again):
            socket.recv()
    with Client(run.directory) as client:
        assert client.ask(Pause("camera")) == Done("yes")


def test_many_requests_at_once_are_all_answered(run: Run) -> None:
    """The descriptor tells of changes only: what came while the launcher was busy must not be forgotten."""
    with bare(run) as socket:
        for number in range(1, 301):
            socket.send(encode_request(number, Pause("camera")))
        answers = [socket.recv() for _ in range(300)]
    assert len(answers) == 300


def test_a_reader_that_takes_nothing_does_not_hold_the_launcher_up(run: Run) -> None:
    with bare(run) as socket:
        socket.setsockopt(zmq.RCVHWM, 1)
        socket.send(encode_request(1, Subscribe(("changes",))))
        socket.recv()
        news = Change("running", message="x" * 10_000)
        run.do(lambda: [run.server.publish("changes", news) for _ in range(5_000)])
    with Client(run.directory) as client:
        assert client.ask(Pause("camera")) == Done("yes")


def test_a_client_may_speak_req(run: Run) -> None:
    with bare(run, zmq.REQ) as socket:
        socket.send(encode_request(1, Pause("camera")))
        assert b'"reply": "done"' in socket.recv()
