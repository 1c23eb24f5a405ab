"""The messages of the control protocol: written, read again, and refused when they are not what the page says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.control import messages
from doraflow_runtime.control.messages import (
    Answered,
    MessageError,
    Told,
    decode_answer,
    decode_request,
    encode_news,
    encode_reply,
    encode_request,
)
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from doraflow_runtime.control.messages import Request

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
DECODERS = {"request": decode_request, "reply": decode_answer, "news": decode_answer}
KINDS = {"request": messages._REQUESTS, "reply": messages._REPLIES, "news": messages._NEWS}


def role(vector: dict[str, object]) -> str:
    return next(role for role in DECODERS if role in vector)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{role(vector)}-{vector[role(vector)]}")
def test_a_vector_is_read_and_written_again(vector: dict[str, object]) -> None:
    data = json.dumps(vector).encode()
    match role(vector):
        case "request":
            identifier, request = decode_request(data)
            again = encode_request(identifier, request)
        case "reply":
            answered = decode_answer(data)
            assert isinstance(answered, Answered)
            again = encode_reply(answered.id, answered.reply)
        case _:
            told = decode_answer(data)
            assert isinstance(told, Told)
            again = encode_news(told.id, told.news)
    assert json.loads(again) == vector


@pytest.mark.parametrize("name", DECODERS)
def test_there_is_a_vector_of_every_kind(name: str) -> None:
    assert {vector[name] for vector in VECTORS if name in vector} == set(KINDS[name])


def test_the_page_shows_every_kind_of_message() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs/control-protocol.md").read_text()
    for kinds in KINDS.values():
        for kind in kinds:
            assert f"`{kind}`" in page


BAD = {
    "not json": (b"\xff", "a message that is not JSON"),
    "nothing": (b"", "a message that is not JSON"),
    "too deep": (b"[" * 50_000, "a message that is not JSON"),
    "a list": (b"[]", "a message without `doraflow_control`"),
    "no version": (b'{"id": 1, "request": "status"}', "a message without `doraflow_control`"),
    "a version in words": (b'{"doraflow_control": "1", "id": 1}', "a message without `doraflow_control`"),
    "no id": (b'{"doraflow_control": 1}', "a message whose `id` is not a whole number above 0"),
    "id true": (b'{"doraflow_control": 1, "id": true}', "a message whose `id` is not a whole number above 0"),
    "id 0": (b'{"doraflow_control": 1, "id": 0}', "a message whose `id` is not a whole number above 0"),
    "later version": (
        b'{"doraflow_control": 2, "id": 1, "request": "status"}',
        "a message of version 2; this side speaks 1",
    ),
    "unknown kind": (
        b'{"doraflow_control": 1, "id": 1, "request": "reboot"}',
        (
            "`request` is none of `status`, `metrics`, `stop`, `restart`, `stop_node`, `pause`, `resume`, "
            "`subscribe`, `tap`, `others`, `logs`, `log`"
        ),
    ),
    "kind of the wrong kind": (
        b'{"doraflow_control": 1, "id": 1, "request": []}',
        (
            "`request` is none of `status`, `metrics`, `stop`, `restart`, `stop_node`, `pause`, `resume`, "
            "`subscribe`, `tap`, `others`, `logs`, `log`"
        ),
    ),
    "unknown key": (b'{"doraflow_control": 1, "id": 1, "request": "stop", "x": 1}', "stop: unknown key `x`"),
    "missing key": (b'{"doraflow_control": 1, "id": 1, "request": "pause"}', "pause: missing key `node`"),
    "wrong value": (
        b'{"doraflow_control": 1, "id": 1, "request": "pause", "node": 7}',
        "pause.node: expected str, got int",
    ),
    "unknown topic": (
        b'{"doraflow_control": 1, "id": 1, "request": "subscribe", "topics": ["x"]}',
        "subscribe.topics[0]: `x` is none of changes, metrics",
    ),
    "too large": (b" " * 65537, "a message of 65537 bytes; at most 65536 are allowed"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_request_that_is_none_is_refused_in_words(case: str) -> None:
    data, expected = BAD[case]
    with pytest.raises(MessageError) as caught:
        decode_request(data)
    assert str(caught.value) == expected


def test_a_refused_request_keeps_its_id() -> None:
    with pytest.raises(MessageError) as caught:
        decode_request(b'{"doraflow_control": 1, "id": 7, "request": "reboot"}')
    assert caught.value.id == 7


# Few letters, of all kinds: to draw from all of Unicode its tables are built first, which takes seconds.
TEXTS = st.text('aZ09 _-/."\\{}[]\n\x00é\u2028\ud800🙂')
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)


@given(st.binary() | st.dictionaries(st.sampled_from(["doraflow_control", "id", "request", "node", "topics"]), JSON))
def test_any_bytes_are_read_or_refused(given_bytes: bytes | dict[str, object]) -> None:
    data = given_bytes if isinstance(given_bytes, bytes) else json.dumps(given_bytes).encode()
    for decode in (decode_request, decode_answer):
        try:
            decode(data)
        except MessageError as error:
            assert str(error)


@given(st.sampled_from(VECTORS), st.data())
def test_a_vector_with_one_broken_value_is_read_or_refused(vector: dict[str, object], data: st.DataObject) -> None:
    broken = {**vector, data.draw(st.sampled_from(sorted(vector))): data.draw(JSON)}
    try:
        DECODERS[role(vector)](json.dumps(broken).encode())
    except MessageError as error:
        assert str(error)


def test_a_request_with_every_topic_can_be_written() -> None:
    request: Request = messages.Subscribe(("changes", "metrics"))
    assert decode_request(encode_request(1, request)) == (1, request)
