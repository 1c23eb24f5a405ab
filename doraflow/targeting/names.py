"""Names of hosts and dataflows as engines take them: DNS labels, made from any text, always the same ones.

Whether two of them come out alike is judged in `doraflow.targeting.faults`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_LABEL = 52
"""Letters of a name. DNS has room for 63; Kubernetes puts up to 11 of its own behind that of a StatefulSet."""

_DIGEST = 8
_OTHERS = re.compile(r"[^a-z0-9]+")


def dns_label(text: str, longest: int = LONGEST_LABEL) -> str:
    """Turn a text into a DNS label that begins with a letter; what is too long ends in its digest.

    >>> dns_label("Base_Station.2"), dns_label("é"), dns_label("3d")
    ('base-station-2', 'e', 'x-3d')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    label = _OTHERS.sub("-", plain).strip("-")
    if not label[:1].isalpha():
        label = f"x-{label}".strip("-") if label else f"x-{_digest(text)}"
    if len(label) <= longest:
        return label
    return f"{label[: longest - _DIGEST - 1].rstrip('-')}-{_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
