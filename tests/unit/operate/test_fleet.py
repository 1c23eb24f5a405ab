"""The hosts of a run: which one a node is on, which is meant, and what is said of one that is not there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.control.client import RefusedError
from doraflow_runtime.control.far_messages import AskLogs, AskOthers, LogFile, LogPart, Logs, ReadLog
from doraflow_runtime.control.messages import HostState, NodeState, Refusal, Status, decode_request
from doraflow_runtime.control.places import RunFacts
from doraflow_runtime.control.registry import FoundRun
from doraflow_runtime.launcher import log_copies

from doraflow.operate import far_logs
from doraflow.operate.far_logs import FarLogs, corrected
from doraflow.operate.fleet import HostView, chosen_hosts, home_of

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow_runtime.control.messages import Reply, Request

FACTS = RunFacts("v-1", "v", "arm", 10, "2026-01-01T00:00:00+00:00", "/logs", "/bundle", 2)


def view(host: str, *nodes: str, state: str = "running") -> HostView:
    seen = HostState(host, state, 2_000_000, 10)
    if not nodes:
        return HostView(host, seen=seen)
    return HostView(host, Status(FACTS, "running", 1, tuple(NodeState(node, "running") for node in nodes)), seen=seen)


def test_an_order_goes_to_the_host_of_its_node() -> None:
    views = (view("arm", "camera"), view("gpu", "detector"))
    assert home_of("detector", views, "") == "gpu"
    assert home_of("detector", views, "gpu") == "gpu"
    assert [each.host for each in chosen_hosts(views, "gpu")] == ["gpu"]


@pytest.mark.parametrize(
    ("node", "host", "message", "help_text"),
    [
        (
            "detecter",
            "",
            "there is no node `detecter` in this run; its nodes are: `detector`, `camera`",
            "to name the closest, write `detector`",
        ),
        ("camera", "gpu", "`camera` does not run on host `gpu`, but on `arm`", "write `--host arm`"),
        ("camera", "gpo", "the run has no host `gpo`; its hosts are: `gpu`, `arm`", "to name the closest, write `gpu`"),
    ],
)
def test_a_node_or_host_that_there_is_not_is_told_with_those_that_there_are(
    node: str, host: str, message: str, help_text: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        home_of(node, (view("arm", "camera"), view("gpu", "detector")), host)
    assert (str(refused.value), refused.value.help) == (message, help_text)


def test_a_node_may_be_on_a_host_that_does_not_answer() -> None:
    with pytest.raises(RefusedError, match=r"no host that answers has a node `pilot`, and these .*: `base` \(lost\)"):
        home_of("pilot", (view("arm", "camera"), view("base", state="lost")), "")
    with pytest.raises(RefusedError, match="host `base` does not answer: lost"):
        home_of("pilot", (view("arm", "camera"), view("base", state="lost")), "base")


def test_times_of_another_clock_are_put_on_this_one() -> None:
    line = b'{"timestamp": "2026-01-02T03:04:05.000006+00:00", "level": "info", "node": "a", "message": "x"}\n'
    assert corrected(line, timedelta(seconds=5)) == line.replace(b"04:05.", b"04:00.")
    assert corrected(b"half a li", timedelta(seconds=5)) == b"half a li"


class OtherHost:
    """Answers for the launcher of another host from its folder of logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_there = True

    def answer(self, request: Request) -> Reply:
        if not self.is_there:
            return Refusal("host `gpu` is lost")
        match request:
            case AskLogs():
                return log_copies.files(self.folder)
            case ReadLog():
                return log_copies.part(self.folder, request)
        raise AssertionError(request)


def test_logs_are_copied_piece_by_piece_also_when_files_are_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here, run = tmp_path / "there", tmp_path / "here", tmp_path / "run"
    for folder in (there, here, run):
        folder.mkdir()
    (run / "control.sock").touch()
    host = OtherHost(there)
    monkeypatch.setattr(far_logs, "ask_host", lambda _client, _own, _host, request, _timeout: host.answer(request))
    monkeypatch.setattr(far_logs, "PERIOD_SECONDS", 0.0)
    line = '{{"timestamp": "2026-01-02T03:04:{:02}.000000+00:00", "level": "info", "node": "n", "message": "x"}}\n'
    log = there / "n.jsonl"
    log.write_text(line.format(7) * 9_000 + "half")  # more than one piece, and a line that is being written
    far = FarLogs(FoundRun(run, FACTS, is_alive=True), [view("arm", "camera"), view("gpu", "n")][1:], here)
    try:
        far.pull()
        copy = far.folders[0] / "n.jsonl"
        assert copy.read_text() == line.format(5) * 9_000
        log.write_text(line.format(7) * 9_000 + line.format(8))
        log.rename(there / "n.jsonl.1")
        log.write_text(line.format(9))
        far.pull()
        assert (far.folders[0] / "n.jsonl.1").read_text() == line.format(5) * 9_000 + line.format(6)
        assert copy.read_text() == line.format(7)
        host.is_there = False
        far.pull()
        assert copy.read_text() == line.format(7)
    finally:
        far.close()
    assert far.nodes == ("n",)


@pytest.mark.parametrize("name", ["/{outside}", "../outside.jsonl", "{outside}.jsonl", ".bashrc"])
def test_what_another_host_calls_a_log_is_no_path_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    here, run = tmp_path / "here", tmp_path / "run"
    for folder in (here, run):
        folder.mkdir()
    (run / "control.sock").touch()
    given = name.format(outside=tmp_path / "outside")

    def answer(_client: object, _own: str, _host: str, request: Request, _timeout: float) -> Reply:
        return Logs((LogFile(given, 7, 4),)) if isinstance(request, AskLogs) else LogPart("text", 4)

    monkeypatch.setattr(far_logs, "ask_host", answer)
    far = FarLogs(FoundRun(run, FACTS, is_alive=True), [view("gpu", "n")], here)
    try:
        far.pull()
    finally:
        far.close()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["control.sock"]


def test_a_host_that_tells_of_ever_more_is_heard_for_so_long_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "control.sock").touch()
    asked: list[int] = []

    def answer(_client: object, _own: str, _host: str, request: Request, _timeout: float) -> Reply:
        if isinstance(request, ReadLog):
            asked.append(request.offset)
            return LogPart("x\n", request.offset + far_logs.MOST_OF_A_LOG)
        return Logs((LogFile("n.jsonl", 7, 2**60),))

    monkeypatch.setattr(far_logs, "ask_host", answer)
    far = FarLogs(FoundRun(run, FACTS, is_alive=True), [view("gpu", "n")], tmp_path)
    try:
        far.pull()
    finally:
        far.close()
    assert len(asked) == far_logs.MOST_OF_A_FILE // far_logs.MOST_OF_A_LOG


def test_a_file_that_is_gone_gives_nothing(tmp_path: Path) -> None:
    assert log_copies.part(tmp_path, ReadLog(1)) == LogPart("", 0)
    (tmp_path / "m.jsonl").write_text("a\n")
    wanted = ReadLog((tmp_path / "m.jsonl").stat().st_ino, 2**64)
    assert log_copies.part(tmp_path, wanted) == LogPart("", 2**64)
    (tmp_path / "m.jsonl").unlink()
    assert log_copies.files(tmp_path) == Logs(())
    (tmp_path / "n.jsonl").write_text("a\n")
    number = (tmp_path / "n.jsonl").stat().st_ino
    assert log_copies.files(tmp_path) == Logs((LogFile("n.jsonl", number, 2),))
    assert log_copies.part(tmp_path, ReadLog(number, 2)) == LogPart("", 2)
    assert log_copies.part(tmp_path, ReadLog(number, -1)) == LogPart("", -1)


def test_a_request_to_others_carries_a_request_as_text() -> None:
    asked = AskOthers('{"doraflow_control": 1, "id": 1, "request": "logs"}', ("gpu",))
    assert decode_request(asked.asked.encode()) == (1, AskLogs())
