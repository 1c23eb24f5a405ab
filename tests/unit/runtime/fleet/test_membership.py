"""Who is there: hosts that come, fall silent, return, are started anew, end, or run another build."""

from __future__ import annotations

from doraflow_runtime.fleet.gathering import Gathering
from doraflow_runtime.fleet.membership import MOST_PAST, Membership
from doraflow_runtime.fleet.messages import Beat, Phase, Sender


class Scene:
    """One other host, `gpu`, as it is heard by the host whose life is `us`."""

    def __init__(self) -> None:
        self.members = Membership(["gpu"], "us", "plan", now=0.0)
        self.host = self.members.hosts["gpu"]
        self.number = 0

    def hear(self, now: float, phase: Phase = "running", session: str = "first", **more: object) -> list[object]:
        """Let a beat be heard, and give what is new."""
        self.number += 1
        plan = str(more.pop("plan", "plan"))
        number = more.pop("number", self.number)
        assert isinstance(number, int)
        host, news = self.members.hear(Sender("gpu", session, plan, number), now)
        if host is None or news == "strange":
            return [news]
        has_started = phase not in ("starting", "ready")
        return [news, self.members.take(host, Beat(phase, has_started, seen_session=str(more.get("seen", "us"))), now)]


def test_a_host_comes_is_lost_and_is_heard_again() -> None:
    scene = Scene()
    assert scene.host.presence == "absent"
    assert scene.hear(1.0) == ["joined", None]
    assert scene.hear(2.0) == [None, None]
    assert list(scene.members.look(4.9)) == []
    assert list(scene.members.look(5.0)) == [scene.host]
    assert list(scene.members.look(6.0)) == []  # told once
    assert scene.members.away_for("gpu", 9.0) == 4.0
    assert scene.hear(10.0) == ["returned", None]
    assert scene.members.away_for("gpu", 12.0) == 0.0


def test_another_life_of_a_launcher_is_told_from_the_same_one() -> None:
    scene = Scene()
    scene.hear(1.0)
    assert scene.hear(2.0, session="second") == ["began_anew", None]
    assert scene.hear(2.1, session="first") == [None]  # what is left of the first is not heeded
    list(scene.members.look(9.0))
    assert scene.hear(10.0, session="third") == ["rejoined", None]


def test_of_many_lives_of_a_launcher_the_latest_are_remembered() -> None:
    scene = Scene()
    for life in range(3 * MOST_PAST):
        assert scene.hear(1.0, session=f"life-{life}")[0] == ("began_anew" if life else "joined")
    assert len(scene.host.past) == MOST_PAST
    assert scene.hear(2.0, session=f"life-{2 * MOST_PAST}") == [None]


def test_a_message_that_was_overtaken_is_not_heeded() -> None:
    scene = Scene()
    scene.hear(1.0, number=5)
    assert scene.hear(1.1, number=5) == [None]
    assert scene.hear(1.2, number=4) == [None]


def test_a_host_that_has_ended_is_not_lost_and_what_it_said_last_comes_once() -> None:
    scene = Scene()
    scene.hear(1.0)
    assert scene.hear(2.0, "ended") == [None, "ended"]
    assert scene.hear(2.1, "ended") == [None]
    assert list(scene.members.look(20.0)) == []
    assert scene.hear(21.0, "starting", session="second") == ["rejoined", None]


def test_a_host_of_another_build_is_told_once_and_not_joined() -> None:
    scene = Scene()
    assert scene.hear(1.0, plan="other") == ["strange"]
    assert scene.hear(2.0, plan="other") == [None]
    assert scene.host.presence == "strange"
    assert scene.hear(3.0, session="second") == ["joined", None]
    assert scene.hear(3.1, plan="other") == [None]  # the old launcher still speaks; the new one is there
    assert scene.host.presence == "present"


def test_a_stranger_to_the_dataflow_is_not_heeded() -> None:
    scene = Scene()
    assert scene.members.hear(Sender("toaster", "s", "plan", 1), 1.0) == (None, None)


def test_the_start_waits_until_everybody_is_ready_and_has_heard_us() -> None:
    scene, gathering = Scene(), Gathering(0.0, 120.0)

    def may_start() -> bool:
        return gathering.may_start([scene.host])

    assert not may_start()
    scene.hear(1.0, "starting")
    assert not may_start()
    scene.hear(2.0, "ready", seen="")
    assert not may_start()
    scene.hear(3.0, "ready")
    assert may_start()


def test_a_dataflow_that_runs_already_is_joined_without_waiting_for_others() -> None:
    scene = Scene()
    absent = Membership(["base"], "us", "plan", 0.0).hosts["base"]
    scene.hear(1.0, "running", seen="")
    assert Gathering(0.0, 120.0).may_start([absent, scene.host])


def test_nobody_starts_with_what_is_left_of_an_earlier_run() -> None:
    for phase in ("stopping", "ended"):
        scene = Scene()
        scene.hear(1.0, phase)
        assert not Gathering(0.0, 120.0).may_start([scene.host]), phase


def test_a_host_that_was_ready_and_ended_quickly_has_started() -> None:
    scene = Scene()
    scene.hear(1.0, "ready")
    scene.hear(2.0, "ended")
    assert Gathering(0.0, 120.0).may_start([scene.host])


def test_the_wait_ends_for_hosts_that_are_not_there_and_for_no_others() -> None:
    scene, gathering = Scene(), Gathering(0.0, 10.0)
    assert gathering.missing([scene.host], 9.9) == ()
    assert gathering.missing([scene.host], 10.0) == (scene.host,)
    scene.hear(10.0, "starting")  # its own launcher bounds how long its nodes may take
    assert gathering.missing([scene.host], 99.0) == ()
    assert gathering.awaited([scene.host]) == (scene.host,)


def test_a_host_that_starts_alone_waits_for_nobody() -> None:
    scene, gathering = Scene(), Gathering(0.0, None)
    assert gathering.may_start([scene.host])
    assert gathering.missing([scene.host], 1e9) == ()


def test_who_is_awaited_is_told_after_a_moment_and_then_less_and_less_often() -> None:
    gathering = Gathering(0.0, 120.0)
    assert [second for second in range(120) if gathering.is_to_tell(float(second))] == [1, 6, 16, 36, 76]
