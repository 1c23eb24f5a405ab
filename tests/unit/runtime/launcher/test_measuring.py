"""What nodes count, made into rates and percentiles; and what is no count."""

from __future__ import annotations

import json

import pytest
from doraflow_runtime.contract import InputWiring, NodeWiring, OutputWiring
from doraflow_runtime.control.messages import NodeMetrics
from doraflow_runtime.delays import BUCKETS
from doraflow_runtime.launcher.control import ProtocolError, parse
from doraflow_runtime.launcher.measuring import Counted, Measurements, read_counted
from doraflow_runtime.node_api.measuring import Counts, Meter

NODE = NodeWiring("detector", (InputWiring("image", "camera/image"),), (OutputWiring("boxes"),))
NOTHING = Counts({}, {}, {}, {})


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def told(meter: Meter, counts: Counts = NOTHING) -> list[Counted]:
    lines = [parse(json.dumps(line).encode()) for line in meter.lines(counts)]
    assert all(isinstance(line, Counted) for line in lines)
    return lines  # type: ignore[return-value]


def test_counts_become_rates_over_the_time_between_two_tellings() -> None:
    clock, meter = Clock(), Meter(NODE)
    known = Measurements(clock)
    (counted,) = told(meter)
    known.take("detector", 7, counted, 1000)
    for turn in range(60):
        meter.took("image", 1000, 1, turn)
        meter.sent("boxes", 10)
    meter.failed("image")
    clock.now += 2
    (counted,) = told(meter, Counts({"image": 3}, {"image": 2}, {}, {"boxes": 4}))
    known.take("detector", 7, counted, 1500)
    clock.now += 0.25
    made = known.of("detector", 7)
    (image,), (boxes,) = made.inputs, made.outputs
    assert (made.age_ms, made.cpu) == (250, 250)
    assert (image.messages, image.bytes, image.rate, image.bandwidth) == (60, 60_000, 30_000, 30_000)
    assert (image.dropped, image.queued, image.errors) == (3, 2, 1)
    assert (boxes.messages, boxes.bytes, boxes.rate, boxes.dropped) == (60, 600, 30_000, 4)


def test_what_the_core_took_counts_too() -> None:
    meter = Meter(NODE)
    meter.took("image", 10, 0, 1)
    delays = [0] * BUCKETS
    delays[20] = 5
    ((counted),) = told(meter, Counts({}, {}, {"image": (5, 50, delays)}, {}))
    (image, _) = counted.ports
    assert (image.messages, image.bytes, image.delays.total) == (6, 60, 5)


def test_a_flood_looks_at_one_delay_a_round() -> None:
    meter = Meter(NODE)
    for _ in range(1000):
        meter.took("image", 1, 1, 5)
    assert meter.inputs["image"].delays.total == 1


def test_another_process_begins_anew() -> None:
    clock, known = Clock(), Measurements()
    known = Measurements(clock)
    (counted,) = told(Meter(NODE))
    known.take("detector", 7, counted, 0)
    assert known.count("detector", 7) == 1
    assert known.of("detector", 8) == NodeMetrics("detector")
    known.take("detector", 8, counted, 0)
    assert known.count("detector", 8) == 1


def test_a_node_with_very_many_ports_tells_in_lines_that_are_short_enough() -> None:
    node = NodeWiring("wide", tuple(InputWiring(f"{'p' * 60}{at}", "a/b") for at in range(2000)))
    lines = list(Meter(node).lines(NOTHING))
    assert len(lines) > 1
    assert max(len(json.dumps(line)) for line in lines) < 64 * 1024
    assert [line["is_last"] for line in lines] == [False] * (len(lines) - 1) + [True]
    known = Measurements()
    for line in lines:
        counted = parse(json.dumps(line).encode())
        assert isinstance(counted, Counted)
        known.take("wide", 7, counted, 0)
    assert len(known.of("wide", 7).inputs) == 2000


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        ["in", "image"],
        ["in", 7, 0, 0, 0, 0, 0, []],
        ["up", "image", 0, 0, 0, 0, 0, []],
        ["in", "image", -1, 0, 0, 0, 0, []],
        ["in", "image", True, 0, 0, 0, 0, []],
        ["in", "image", 0, 0, 0, 0, 0, {}],
        ["in", "image", 0, 0, 0, 0, 0, [1]],
        ["in", "image", 0, 0, 0, 0, 0, [[1, 2, 3]]],
        ["in", "image", 0, 0, 0, 0, 0, [[1, "2"]]],
    ],
)
def test_a_row_that_is_none_is_refused(row: object) -> None:
    assert read_counted([row], is_last=True) is None
    with pytest.raises(ProtocolError):
        parse(json.dumps({"type": "metrics", "ports": [row], "is_last": True}).encode())
