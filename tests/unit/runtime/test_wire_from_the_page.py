"""A decoder written from docs/wire-format.md alone reads every vector: the page is enough to write a node from.

It shares no code with the runtime, so that a mistake in both would have to be made twice.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

VECTORS = Path(__file__).parent / "vectors"
LARGEST_U16, LARGEST_U32, LARGEST_U64 = 2**16 - 1, 2**32 - 1, 2**64 - 1


def decode(data: bytes) -> dict[str, Any]:
    """Take one frame apart, by the table of kinds."""
    size, kind, flags, link, number = struct.unpack("<IBBHI", data[:12])
    body = data[12:]
    assert len(body) == size <= 4194304
    frame = {"kind": kind, "flags": flags, "link": link, "number": number}
    readers = {1: hello, 2: schema, 3: message, 4: release, 9: ring}
    if kind in readers:
        return frame | readers[kind](body, flags)
    assert kind in range(5, 11)
    assert body == b""
    return frame


def hello(body: bytes, flags: int) -> dict[str, Any]:
    magic, version, length = body[:4], *struct.unpack("<HH", body[4:8])
    assert len(body) == 8 + length
    return {"magic": magic, "version": version, "id": body[8:].decode()}


def schema(body: bytes, flags: int) -> dict[str, Any]:
    (field,) = pa.ipc.read_schema(pa.py_buffer(body))
    return {"name": field.name, "type": str(field.type)}


def message(body: bytes, flags: int) -> dict[str, Any]:
    sent, *sizes = struct.unpack("<qIII", body[:20])
    assert 20 + sum(sizes) == len(body)
    parts, at = [], 20
    for size in sizes:
        parts.append(body[at : at + size])
        at += size
    metadata, record, content = parts
    read = {"sent": sent, "metadata": metadata, "record": record}
    if flags & 0x01:
        assert len(content) == 28
        return read | {"slot": struct.unpack("<IIIQQ", content)}
    if flags & 0x02:
        assert record == b""
        with pa.ipc.open_stream(content) as batches:
            return read | {"column": next(iter(batches)).column(0).to_pylist()}
    return read | {"payload": content}


def release(body: bytes, flags: int) -> dict[str, Any]:
    assert body
    return {"slots": list(struct.iter_unpack("<III", body))}


def ring(body: bytes, flags: int) -> dict[str, Any]:
    return {"links": [link for (link,) in struct.iter_unpack("<H", body)]}


def metadata(data: bytes) -> dict[str, Any]:
    """Read parameters one by one; a moment is given in nanoseconds."""
    at = 0

    def take(form: str) -> Any:
        nonlocal at
        (value,) = struct.unpack_from(f"<{form}", data, at)
        at += struct.calcsize(f"<{form}")
        return value

    def text() -> str:
        nonlocal at
        size = take("I")
        at += size
        return data[at - size : at].decode()

    single = {"b": lambda: take("B") == 1, "i": lambda: take("q"), "f": lambda: take("d"), "s": text}
    read: dict[str, Any] = {}
    while at < len(data):
        key, kind = text(), chr(take("B"))
        if kind in "IFS":
            read[key] = [single[kind.lower()]() for _ in range(take("I"))]
        else:
            read[key] = take("q") if kind == "t" else single[kind]()
    return read


def record(data: bytes) -> list[Any]:
    """List the arrays: length, null count, offset, and the position and size of each buffer."""
    arrays, at = [], 0
    while at < len(data):
        *numbers, count = struct.unpack_from("<qqqB", data, at)
        at += 25
        buffers = [struct.unpack_from("<qq", data, at + 16 * index) for index in range(count)]
        at += 16 * count
        arrays.append((*numbers, buffers))
    return arrays


PLAIN = {"flags": 0, "link": 0, "number": 0}
NOTED = {"sent": 1_000_000_007, "metadata": b"meta", "record": b"rc"}
FRAMES: dict[str, dict[str, Any]] = {
    "hello": {"kind": 1, **PLAIN, "magic": b"DFLW", "version": 3, "id": "camera"},
    "hello_utf8": {"kind": 1, **PLAIN, "magic": b"DFLW", "version": 3, "id": "kamera-é"},
    "type": {"kind": 2, **PLAIN, "number": 5, "name": "", "type": "int16"},
    "type_nested": {
        "kind": 2,
        **PLAIN,
        "number": 4096,
        "name": "",
        "type": "struct<a: list<item: double>, b: string>",
    },
    "message_inline": {"kind": 3, "flags": 0, "link": 9, "number": 5, **NOTED, "payload": b"payload"},
    "message_in_slot": {"kind": 3, "flags": 1, "link": 9, "number": 5, **NOTED, "slot": (1, 2, 3, 16384, 4_000_000)},
    "message_empty": {
        "kind": 3,
        "flags": 0,
        "link": 1,
        "number": 1,
        "sent": 0,
        "metadata": b"",
        "record": b"",
        "payload": b"",
    },
    "message_as_stream": {
        "kind": 3,
        "flags": 2,
        "link": 1,
        "number": 0,
        "sent": 7,
        "metadata": b"",
        "record": b"",
        "column": ["a", "b", "a"],
    },
    "message_largest": {
        "kind": 3,
        "flags": 1,
        "link": LARGEST_U16,
        "number": 4096,
        "sent": 2**63 - 1,
        "metadata": b"",
        "record": b"",
        "slot": (*[LARGEST_U32] * 3, *[LARGEST_U64] * 2),
    },
    "release": {"kind": 4, **PLAIN, "slots": [(1, 2, 3), (4, 5, 6)]},
    "release_largest": {"kind": 4, **PLAIN, "slots": [(LARGEST_U32,) * 3]},
    "credit": {"kind": 5, **PLAIN, "link": 9, "number": 1},
    "credit_largest": {"kind": 5, **PLAIN, "link": LARGEST_U16, "number": LARGEST_U32},
    "closed": {"kind": 6, **PLAIN, "link": 9},
    "closed_largest": {"kind": 6, **PLAIN, "link": LARGEST_U16},
    "seen": {"kind": 7, **PLAIN, "number": 3},
    "seen_largest": {"kind": 7, **PLAIN, "number": LARGEST_U32},
    "left": {"kind": 8, **PLAIN},
    "ring": {"kind": 9, **PLAIN, "links": []},
    "ring_returns": {"kind": 9, **PLAIN, "number": 2, "links": [9, LARGEST_U16]},
    "knock": {"kind": 10, **PLAIN},
    "knock_returns": {"kind": 10, **PLAIN, "number": 2},
    "seen_nothing": {"kind": 7, **PLAIN},
}
METADATA: dict[str, dict[str, Any]] = {
    "metadata": {
        "b": True,
        "i": -1,
        "f": 0.5,
        "s": "é",
        "t": 10**9,
        "I": [1, 2],
        "F": [0.5],
        "S": ["a", ""],
    },
    "metadata_largest": {
        "": False,
        "least": -(2**63),
        "most": 2**63 - 1,
        "infinite": float("-inf"),
        "nothing": "",
        "before": -1000,
        "none": [],
        "edges": [-(2**63), 2**63 - 1],
    },
}


def vector(name: str) -> bytes:
    return bytes.fromhex((VECTORS / f"{name}.hex").read_text())


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_what_the_page_says(name: str) -> None:
    assert decode(vector(name)) == FRAMES[name]


@pytest.mark.parametrize("name", METADATA)
def test_metadata_is_what_the_page_says(name: str) -> None:
    assert metadata(vector(name)) == METADATA[name]


def test_a_layout_is_what_the_page_says() -> None:
    ((length, null_count, offset, ((valid_at, valid), (values_at, values))),) = record(vector("layout_record"))
    payload = vector("layout_payload")
    assert (length, null_count, offset, valid, values) == (3, 1, 0, 1, 6)
    assert payload[valid_at] & 0b111 == 0b101
    assert struct.unpack_from("<hhh", payload, values_at)[::2] == (1, 3)
    assert valid_at % 64 == values_at % 64 == 0


def test_every_vector_and_every_kind_of_frame_is_here() -> None:
    known = {*FRAMES, *METADATA, "layout_record", "layout_payload"}
    assert known == {path.stem for path in VECTORS.glob("*.hex")}
    assert {frame["kind"] for frame in FRAMES.values()} == set(range(1, 11))
