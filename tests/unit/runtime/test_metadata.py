"""Metadata: what goes in comes out, and what cannot travel is refused in a sentence."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from doraflow_runtime.node_api.metadata import LARGEST, Metadata, Parameters, decode, encode
from hypothesis import given
from hypothesis import strategies as st

INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
VALUES = (
    st.booleans()
    | INTEGERS
    | FLOATS
    | st.text(max_size=20)
    | MOMENTS
    | st.lists(INTEGERS, max_size=5)
    | st.lists(FLOATS, min_size=1, max_size=5)
    | st.lists(st.text(max_size=5), min_size=1, max_size=5)
)


@given(st.dictionaries(st.text(max_size=10), VALUES, max_size=6))
def test_parameters_survive(parameters: Parameters) -> None:
    again = decode(encode(parameters))
    assert again == parameters
    assert {key: type(value) for key, value in again.items()} == {k: type(v) for k, v in parameters.items()}


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_but_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(data)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            {"a": None},
            TypeError,
            "metadata `a` is NoneType; allowed are bool, int, float, str, datetime, and lists of int, float or str",
        ),
        (
            {"a": [1, "x"]},
            TypeError,
            "metadata `a` is a list of mixed values; allowed are lists of int, of float, or of str",
        ),
        ({1: "x"}, TypeError, "metadata keys are texts, got int"),
        ({"a": 2**63}, ValueError, "metadata `a` is 9223372036854775808, which does not fit into 64 bits"),
        (
            {"a": datetime(2026, 1, 1)},
            ValueError,
            "metadata `a` is a datetime without a time zone; give it one, such as timezone.utc",
        ),
        (
            {"a": "x" * LARGEST},
            ValueError,
            f"metadata of {LARGEST + 10} bytes; at most {LARGEST} travel with a message",
        ),
    ],
)
def test_what_cannot_travel_is_refused(parameters: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        encode(parameters)  # type: ignore[arg-type]
    assert str(raised.value) == message


def test_received_metadata_has_the_time_of_sending_and_can_be_handed_on() -> None:
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    received = Metadata(int(moment.timestamp() * 1e9), encode({"photo": "a"}))
    assert received["timestamp"] == moment
    assert dict(received) == {"photo": "a", "timestamp": moment}
    assert len(received) == 2
    assert decode(encode(received)) == {"photo": "a"}


def test_a_moment_of_another_zone_is_told_in_utc() -> None:
    there = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=9)))
    assert decode(encode({"at": there}))["at"] == there
