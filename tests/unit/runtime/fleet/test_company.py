"""Two launchers that talk over a wire which the test can cut, and what each of them makes of it."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from doraflow_runtime.fleet import company as module
from doraflow_runtime.fleet.company import Company
from doraflow_runtime.fleet.crew import Standing
from doraflow_runtime.fleet.messages import NodeRow, Sender, StopNotice, encode
from doraflow_runtime.fleet.messages import Ping as Question
from doraflow_runtime.fleet.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.fleet.clock import Estimate
    from doraflow_runtime.fleet.far_nodes import FarChange
    from doraflow_runtime.fleet.messages import Phase


FAILED = StopNotice("gpu", "`camera` failed before the start", "camera", has_failed=True)


class World:
    """A loop on a clock of its own, and the wire; `is_cut` lets nothing pass."""

    def __init__(self) -> None:
        self.now = 100.0
        self.is_cut = False
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = itertools.count()
        self.links: dict[str, FakeLink] = {}

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 1e9)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._count), callback))

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            at, _, callback = heapq.heappop(self._due)
            self.now = max(self.now, at)
            callback()
        self.now = end

    def join(self, terms: Terms, loop: Any, on_message: Callable[[str, bytes], None], *rest: object) -> FakeLink:
        del loop, rest
        self.links[terms.host] = FakeLink(self, terms.host, on_message)
        return self.links[terms.host]


class FakeLink:
    def __init__(self, world: World, host: str, on_message: Callable[[str, bytes], None]) -> None:
        self.world, self.host, self.on_message, self.is_closed = world, host, on_message, False

    def send(self, host: str, data: bytes) -> None:
        other = self.world.links.get(host)
        if other is not None and not self.world.is_cut:
            self.world.call_later(0.001, lambda: other.is_closed or other.on_message(self.host, data))

    def pump(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


class FakeCrew:
    """A host that stands as the test says, and notes what it is told."""

    def __init__(self) -> None:
        self.now = Standing("starting")
        self.nodes: tuple[NodeRow, ...] = ()
        self.told: list[str] = []
        self.stops: list[StopNotice] = []
        self.changes: list[FarChange] = []
        self.clocks: list[Estimate] = []
        self.silences: list[float] = []
        self.lives: list[tuple[str, str]] = []

    def standing(self) -> Standing:
        return self.now

    def rows(self, host: str) -> tuple[NodeRow, ...]:
        del host
        return self.nodes

    def on_gathered(self) -> None:
        pass

    def on_stop(self, notice: StopNotice) -> None:
        self.stops.append(notice)

    def on_far_change(self, change: FarChange) -> None:
        self.changes.append(change)

    def on_life(self, host: str, life: str) -> None:
        self.lives.append((host, life))

    def on_clock(self, host: str, estimate: Estimate) -> None:
        del host
        self.clocks.append(estimate)

    def on_silence(self, host: str, seconds: float) -> None:
        del host
        self.silences.append(seconds)

    def on_request(self, request: str, answer: Callable[[str], None]) -> None:
        if request != "say nothing":
            answer(f"answer to {request}")

    def tell(self, event: str, message: str, **fields: object) -> None:
        del message, fields
        self.told.append(event)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(module, "time", made)
    return made


def launched(world: World, host: str, *others: str, session: str = "", plan: str = "plan") -> tuple[Company, FakeCrew]:
    crew = FakeCrew()
    terms = Terms(host, session or host, plan, "", dict.fromkeys(others, ""), start_timeout=10.0)
    return Company(terms, {"camera": "gpu", "arm": "robot"}, crew, world, world.join), crew  # type: ignore[arg-type]


def test_both_may_start_when_both_are_ready(world: World) -> None:
    (robot, of_robot), (gpu, of_gpu) = launched(world, "robot", "gpu"), launched(world, "gpu", "robot")
    world.pass_by(1.5)
    assert not robot.may_start()
    of_robot.now = of_gpu.now = Standing("ready")
    robot.change()
    gpu.change()
    world.pass_by(0.1)
    assert robot.may_start()
    assert gpu.may_start()
    assert of_robot.told == of_gpu.told == ["host_joined"]


def test_a_table_that_a_cut_has_swallowed_comes_afterwards(world: World) -> None:
    (robot, of_robot), (gpu, of_gpu) = launched(world, "robot", "gpu"), launched(world, "gpu", "robot")
    of_gpu.nodes = (NodeRow("camera", "there"),)
    world.pass_by(3.0)
    assert gpu.is_understood()
    world.is_cut = True
    of_gpu.nodes = (NodeRow("camera", "ended", 0, "failed"),)
    gpu.change()
    world.pass_by(6.0)
    assert not of_robot.changes
    assert of_robot.told == of_gpu.told == ["host_joined", "host_lost"]
    assert of_robot.silences[-1] > of_robot.silences[0]
    world.is_cut = False
    world.pass_by(3.0)
    assert [(change.node, change.what, change.error) for change in of_robot.changes] == [("camera", "ended", "failed")]
    assert of_robot.told == ["host_joined", "host_lost", "host_returned"]
    assert gpu.is_understood()
    assert robot.is_understood()


def test_a_stop_is_heard_and_one_of_an_earlier_run_is_not(world: World) -> None:
    (_, of_robot), (gpu, of_gpu) = launched(world, "robot", "gpu"), launched(world, "gpu", "robot")
    world.pass_by(2.0)
    notice = StopNotice("gpu", "SIGINT was received")
    of_gpu.now = Standing("stopping", True, stop=notice)
    gpu.change()
    world.pass_by(0.1)
    assert of_robot.stops[:1] == [notice]
    _, latecomer = launched(world, "robot", "gpu", session="second")
    world.pass_by(3.0)
    assert latecomer.stops == []


@pytest.mark.parametrize(("phase", "has_started", "is_heeded"), [("ended", False, True), ("ended", True, False)])
def test_who_comes_after_a_start_has_failed_is_told(
    world: World, phase: Phase, has_started: bool, is_heeded: bool
) -> None:
    gpu, of_gpu = launched(world, "gpu", "robot")
    notice = StopNotice("gpu", "`camera` failed before the start", "camera", has_failed=True)
    of_gpu.now = Standing(phase, has_started, stop=notice)
    assert gpu.lacks() == ("robot",)
    world.pass_by(2.0)
    _, of_robot = launched(world, "robot", "gpu")
    world.pass_by(2.0)
    assert of_robot.stops[:1] == ([notice] if is_heeded else [])
    assert gpu.lacks() == ()


@pytest.mark.parametrize("again", ["gpu", "robot"])
def test_who_is_started_again_is_not_stopped_by_what_is_left_of_the_failed_start(world: World, again: str) -> None:
    gpu, of_gpu = launched(world, "gpu", "robot", "base")
    robot, of_robot = launched(world, "robot", "gpu", "base")
    world.pass_by(2.0)
    notice = StopNotice("gpu", "`camera` failed before the start", "camera", has_failed=True)
    of_gpu.nodes = (NodeRow("camera", "ended", 0, "failed"),)
    of_gpu.now = of_robot.now = Standing("ended", stop=notice)
    world.pass_by(1.5)
    assert of_robot.stops[:1] == [notice]
    (gpu if again == "gpu" else robot).close()
    other = robot if again == "gpu" else gpu
    assert other.lacks() == (("base",) if again == "robot" else ()), "only `gpu`, where it failed, waits for others"
    _, anew = launched(world, again, "robot" if again == "gpu" else "gpu", "base", session="second")
    world.pass_by(3.0)
    assert anew.stops == []
    assert [change for change in anew.changes if change.error] == []
    assert other.lacks() == (), "the next start has begun, so nobody comes late to this one"
    assert other.is_understood()


@pytest.mark.parametrize("phase", ["stopping", "ended"])
def test_who_only_heard_of_a_failed_start_stops_nobody_of_the_next_one(world: World, phase: Phase) -> None:
    _, of_gpu = launched(world, "gpu", "robot", "base")
    robot, of_robot = launched(world, "robot", "gpu", "base")
    world.pass_by(2.0)
    of_gpu.now = of_robot.now = Standing("ended", stop=FAILED)
    world.pass_by(1.5)
    robot.close()
    base, of_base = launched(world, "base", "gpu", "robot")
    world.pass_by(1.5)
    assert of_base.stops[:1] == [FAILED]
    of_base.now, of_base.nodes = Standing(phase, stop=FAILED), (NodeRow("arm", "ended", 0, "killed"),)
    base.change()
    assert base.lacks() == (), "`robot`, which it never met, has nothing to hear from it"
    _, anew = launched(world, "robot", "gpu", "base", session="second")
    world.pass_by(3.0)
    assert anew.stops == []
    assert [change for change in anew.changes if change.error] == []


def test_a_host_of_the_next_start_is_not_stopped_by_one_that_it_met_before_that_heard_of_the_failure(
    world: World,
) -> None:
    base, of_base = launched(world, "base", "gpu", "robot")
    _, anew = launched(world, "robot", "gpu", "base", session="second")
    world.pass_by(2.0)
    of_base.now = Standing("stopping", stop=FAILED)
    base.change()
    world.pass_by(2.0)
    assert anew.stops == []


def test_who_comes_once_the_next_start_has_begun_is_part_of_that(world: World) -> None:
    gpu, of_gpu = launched(world, "gpu", "robot", "base")
    robot, _ = launched(world, "robot", "gpu", "base")
    world.pass_by(2.0)
    of_gpu.now = Standing("ended", stop=FAILED)
    gpu.change()
    robot.close()
    launched(world, "robot", "gpu", "base", session="second")
    world.pass_by(2.0)
    _, of_base = launched(world, "base", "gpu", "robot")
    world.pass_by(2.0)
    assert of_base.stops == []


def test_a_stop_that_began_elsewhere_is_passed_on_once_the_dataflow_runs(world: World) -> None:
    base, of_base = launched(world, "base", "gpu", "robot")
    _, of_robot = launched(world, "robot", "gpu", "base")
    of_base.now = of_robot.now = Standing("running", has_started=True)
    world.pass_by(2.0)
    of_base.now = Standing("stopping", True, stop=FAILED)
    base.change()
    world.pass_by(0.1)
    assert of_robot.stops[:1] == [FAILED]


def test_a_stop_for_an_earlier_life_of_a_host_is_not_heeded_there(world: World) -> None:
    _, of_robot = launched(world, "robot", "gpu")
    of_robot.now = Standing("ended", stop=StopNotice("gpu", "`camera` failed before the start", "camera"))
    _, of_gpu = launched(world, "gpu", "robot", session="second")
    world.pass_by(2.0)
    assert of_gpu.stops == []


def test_a_host_that_runs_already_is_not_stopped_by_one_whose_start_has_failed(world: World) -> None:
    _, of_gpu = launched(world, "gpu", "robot")
    of_gpu.now = Standing(
        "ended", stop=StopNotice("gpu", "`camera` failed before the start", "camera", has_failed=True)
    )
    _, of_robot = launched(world, "robot", "gpu")
    of_robot.now = Standing("running", has_started=True)
    world.pass_by(3.0)
    assert of_robot.told[0] == "host_joined"
    assert of_robot.stops == []


def test_the_end_of_a_launcher_is_the_end_of_its_nodes(world: World) -> None:
    (_, of_robot), (gpu, of_gpu) = launched(world, "robot", "gpu"), launched(world, "gpu", "robot")
    world.pass_by(2.0)
    of_gpu.now = Standing("ended", True)
    gpu.close()
    world.pass_by(9.0)
    assert [(change.node, change.what) for change in of_robot.changes] == [("camera", "ended")]
    assert of_robot.told == ["host_joined", "host_ended"]


def test_the_clocks_of_both_hosts_are_compared(world: World) -> None:
    (robot, of_robot), _ = launched(world, "robot", "gpu"), launched(world, "gpu", "robot")
    world.pass_by(2.0)
    assert of_robot.clocks
    estimate = robot.estimate("gpu")
    assert estimate is not None
    assert abs(estimate.offset_ns) <= estimate.error_ns <= 1_100_000


def test_requests_are_carried_there_and_answered(world: World) -> None:
    robot, _ = launched(world, "robot", "gpu")
    launched(world, "gpu", "robot")
    world.pass_by(2.0)
    said: list[dict[str, str | None]] = []
    robot.ask(["gpu", "toaster"], "status", 3.0, said.append)
    robot.ask(["gpu"], "say nothing", 3.0, said.append)
    world.pass_by(0.1)
    assert said == [{"gpu": "answer to status"}]
    world.pass_by(3.0)
    assert said == [{"gpu": "answer to status"}, {"gpu": None}]


def test_a_request_to_a_host_that_is_not_there_is_closed_at_once(world: World) -> None:
    robot, _ = launched(world, "robot", "gpu")
    said: list[dict[str, str | None]] = []
    robot.ask(["gpu"], "status", 3.0, said.append)
    assert said == [{"gpu": None}]


def test_every_life_of_a_launcher_is_told_by_its_name(world: World) -> None:
    _, of_robot = launched(world, "robot", "gpu")
    launched(world, "gpu", "robot", session="first")
    world.pass_by(2.0)
    launched(world, "gpu", "robot", session="second")
    world.pass_by(2.0)
    assert of_robot.lives == [("gpu", "first"), ("gpu", "second")]


def test_nobody_speaks_in_the_name_of_another_host(world: World) -> None:
    _, of_robot = launched(world, "robot", "gpu")
    world.links["robot"].on_message("toaster", encode(Sender("gpu", "s", "plan", 1), Question(1)))
    world.links["robot"].on_message("gpu", b"nonsense")
    world.links["robot"].on_message("gpu", b"nonsense")  # told once
    assert of_robot.told == ["host_refused", "host_refused"]


def test_another_build_is_told_on_both_hosts_and_waited_for_no_longer_than_the_start_may_take(world: World) -> None:
    robot, of_robot = launched(world, "robot", "gpu")
    _, of_gpu = launched(world, "gpu", "robot", plan="other")
    of_robot.now = of_gpu.now = Standing("ready")
    world.pass_by(5.0)
    assert not robot.may_start()
    assert of_robot.told == of_gpu.told == ["host_strange"]
    world.pass_by(6.0)
    assert [host.presence for host in robot.gathering.missing(robot.hosts, world.now)] == ["strange"]
