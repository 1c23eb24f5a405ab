"""Metadata: the parameters that travel with a message, and their binary form.

Values are of dora's parameter types; docs/wire-format.md specifies the bytes. A `Metadata` never changes and may be
read from any thread.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Parameter: TypeAlias = "bool | int | float | str | list[int] | list[float] | list[str] | datetime"
Parameters: TypeAlias = "Mapping[str, Parameter]"

LARGEST = 64 * 1024
"""Bytes of metadata a message may have: it is for what describes a payload, not for a payload."""

TIMESTAMP = "timestamp"
_LENGTH = struct.Struct("<I")
_INTEGER = struct.Struct("<q")
_FLOAT = struct.Struct("<d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Metadata(Mapping[str, Parameter]):
    """The parameters of a received message; `timestamp` is when it was sent, an aware datetime in UTC."""

    __slots__ = ("_encoded", "_parameters", "sent_ns")

    def __init__(self, sent_ns: int, encoded: bytes = b"") -> None:
        self.sent_ns = sent_ns
        self._encoded = encoded
        self._parameters: dict[str, Parameter] | None = None

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters without the timestamp: what to hand on with an answer."""
        if self._parameters is None:
            self._parameters = decode(self._encoded) if self._encoded else {}
        return self._parameters

    def __getitem__(self, key: str) -> Parameter:
        if key == TIMESTAMP and key not in self.parameters:
            return _moment(self.sent_ns)
        return self.parameters[key]

    def __iter__(self) -> Iterator[str]:
        yield from self.parameters
        if TIMESTAMP not in self.parameters:
            yield TIMESTAMP

    def __len__(self) -> int:
        return len(self.parameters) + (TIMESTAMP not in self.parameters)

    def __repr__(self) -> str:
        return f"Metadata({dict(self)!r})"


def _moment(nanoseconds: int) -> datetime:
    """Give a moment to the microsecond; a float would lose the last digits."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def encode(parameters: Parameters | None) -> bytes:
    """Write parameters as bytes. The `timestamp` of a received message is its own and is not handed on.

    Raises TypeError, naming the key, for a value of another type, ValueError for one too large.
    """
    if not parameters:
        return b""
    if isinstance(parameters, Metadata):
        parameters = parameters.parameters
    written = bytearray()
    for key, value in parameters.items():
        if not isinstance(key, str):
            raise TypeError(f"metadata keys are texts, got {type(key).__name__}")
        written += _text(key) + _value(key, value)
    if len(written) > LARGEST:
        raise ValueError(f"metadata of {len(written)} bytes; at most {LARGEST} travel with a message")
    return bytes(written)


def _value(key: str, value: object) -> bytes:
    match value:
        case bool():
            return b"b\x01" if value else b"b\x00"
        case int():
            return b"i" + _integer(key, value)
        case float():
            return b"f" + _FLOAT.pack(value)
        case str():
            return b"s" + _text(value)
        case datetime():
            return b"t" + _INTEGER.pack(_nanoseconds(key, value))
        case list() | tuple():
            return _list(key, list(value))
    raise TypeError(
        f"metadata `{key}` is {type(value).__name__}; allowed are bool, int, float, str, datetime, "
        "and lists of int, float or str"
    )


def _list(key: str, items: list[object]) -> bytes:
    count = _LENGTH.pack(len(items))
    if all(isinstance(item, int) and not isinstance(item, bool) for item in items):
        return b"I" + count + b"".join(_integer(key, item) for item in items)  # type: ignore[arg-type]
    if all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        return b"F" + count + b"".join(_FLOAT.pack(item) for item in items)
    if all(isinstance(item, str) for item in items):
        return b"S" + count + b"".join(_text(str(item)) for item in items)
    raise TypeError(f"metadata `{key}` is a list of mixed values; allowed are lists of int, of float, or of str")


def _integer(key: str, value: int) -> bytes:
    try:
        return _INTEGER.pack(value)
    except struct.error:
        raise ValueError(f"metadata `{key}` is {value}, which does not fit into 64 bits") from None


def _nanoseconds(key: str, moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"metadata `{key}` is a datetime without a time zone; give it one, such as timezone.utc")
    elapsed = moment - _EPOCH
    return ((elapsed.days * 86400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds) * 1000


def _text(value: str) -> bytes:
    raw = value.encode()
    return _LENGTH.pack(len(raw)) + raw


def decode(data: bytes) -> dict[str, Parameter]:
    """Read parameters. Raises ValueError if the bytes are not what `encode` writes."""
    reader = _Reader(data)
    parameters: dict[str, Parameter] = {}
    try:
        while not reader.is_done():
            key = reader.text()
            parameters[key] = reader.value()
    except (struct.error, UnicodeDecodeError, OverflowError) as error:
        raise ValueError(f"malformed metadata: {error}") from None
    return parameters


class _Reader:
    """Walks the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def is_done(self) -> bool:
        return self._at >= len(self._data)

    def text(self) -> str:
        return self._take(self._length()).decode()

    def value(self) -> Parameter:
        kind = self._take(1)
        match kind:
            case b"b":
                return self._take(1) != b"\x00"
            case b"i":
                return self._integer()
            case b"f":
                return self._float()
            case b"s":
                return self.text()
            case b"t":
                return _moment(self._integer())
            case b"I":
                return [self._integer() for _ in range(self._count(8))]
            case b"F":
                return [self._float() for _ in range(self._count(8))]
            case b"S":
                return [self.text() for _ in range(self._count(4))]
        raise ValueError(f"malformed metadata: a value of the unknown kind {kind!r}")

    def _count(self, least: int) -> int:
        count = self._length()
        if count * least > len(self._data) - self._at:
            raise ValueError("malformed metadata: a list longer than the rest")
        return count

    def _length(self) -> int:
        return int(_LENGTH.unpack(self._take(4))[0])

    def _integer(self) -> int:
        return int(_INTEGER.unpack(self._take(8))[0])

    def _float(self) -> float:
        return float(_FLOAT.unpack(self._take(8))[0])

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise ValueError("malformed metadata: it ends in the middle of a value")
        self._at += size
        return taken
