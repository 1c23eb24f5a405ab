"""Names of hosts and dataflows as others take them, made from any text, always the same ones: DNS labels and folders.

Whether two of them come out alike is judged in `doraflow.targeting.faults`. Deploys send this module to hosts, so that
it imports nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import quote

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


def folder_name(text: str) -> str:
    """Turn a text into the name of one folder, which other texts do not share.

    >>> folder_name("Base station"), folder_name("../é"), folder_name(".hidden")
    ('Base station', '%2E.%2F%C3%A9', '%2Ehidden')
    """
    name = quote(text, safe=" ")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
