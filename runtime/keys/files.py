"""The text form of a key file: a version line, then lines of `name: value`.

Keys are Z85 (RFC 32 of ZeroMQ), 40 characters for 32 bytes. Where files lie and who may read them is not for this
module.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

FIRST_LINE = "doraflow key 1"
PRIVATE = ".secret"
PUBLIC = ".public"
OLD_PUBLIC = ".public.old"
LARGEST_FILE = 4096

KeyKind: TypeAlias = Literal["secret", "public"]

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ORDER = ("kind", "host", "made", "key")


class KeyFormatError(ValueError):
    """A text that is no key file; the message says why, and never holds what stands in it."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """One half of the pair of a host. `made` is ISO 8601 in UTC. `key` is never shown, be it the public half or not.

    >>> HostKey("public", "edge", "2026-01-31T12:00:00Z", "." * 40)
    HostKey(kind='public', host='edge', made='2026-01-31T12:00:00Z')
    """

    kind: KeyKind
    host: str
    made: str
    key: str = field(repr=False)

    def text(self) -> str:
        """Write the file."""
        return "\n".join([FIRST_LINE, *(f"{name}: {getattr(self, name)}" for name in _ORDER), ""])

    def fingerprint(self) -> str:
        """Give what people compare: the first half of the key's SHA-256, in groups of four. Of public keys only."""
        if self.kind != "public":
            raise ValueError("a secret key has no fingerprint")
        digest = hashlib.sha256(self.key.encode()).hexdigest()[:32]
        return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))


def parse_key(content: bytes) -> HostKey:
    """Read a key file.

    Raises KeyFormatError.

    >>> parse_key(HostKey("public", "edge", "2026-01-31T12:00:00Z", "." * 40).text().encode()).host
    'edge'
    """
    try:
        first, *lines = content.decode("ascii").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise KeyFormatError("it is no text") from None
    if first != FIRST_LINE:
        if first.startswith(FIRST_LINE.rpartition(" ")[0]):
            raise KeyFormatError(f"it is of another version than `{FIRST_LINE}`")
        raise KeyFormatError(f"it does not begin with `{FIRST_LINE}`")
    fields = dict(line.partition(": ")[::2] for line in lines)
    if tuple(fields) != _ORDER or len(lines) != len(_ORDER):
        raise KeyFormatError(f"its lines are not {', '.join(f'`{name}`' for name in _ORDER)}")
    kind, host, made, key = fields.values()
    if kind not in ("secret", "public"):
        raise KeyFormatError("its kind is neither `secret` nor `public`")
    for name, value, rule in (("host", host, _HOST), ("made", made, _TIME), ("key", key, _KEY)):
        if not rule.fullmatch(value):
            raise KeyFormatError(f"its `{name}` is damaged")
    return HostKey("secret" if kind == "secret" else "public", host, made, key)


def is_host_name(text: str) -> bool:
    """Tell whether a host of this name can have key files.

    >>> is_host_name("edge-1.local"), is_host_name("../edge")
    (True, False)
    """
    return _HOST.fullmatch(text) is not None
