"""What a ring holds, as rows to show, and what is wrong with it; no row ever holds a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from doraflow_runtime.keys.files import PRIVATE
from doraflow_runtime.keys.folder import KeyRingError, names_in, opened, read_key
from doraflow_runtime.keys.ring import read_public, read_ring

from doraflow.keys.pairs import public_half

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One public key. `has_secret` tells whether the secret half of the host lies here too."""

    host: str
    state: Literal["present", "old"]
    fingerprint: str
    made: str
    age_days: int
    has_secret: bool


def key_rows(folder: Path, now: datetime | None = None) -> list[KeyRow]:
    """List the public keys of a ring, by host, the present one before the old one. Raises KeyRingError."""
    today = now or datetime.now(UTC)
    with opened(folder) as descriptor:
        keys = read_public(descriptor, folder)
        names = frozenset(names_in(descriptor))
    seen: set[str] = set()
    rows = []
    for key in keys:
        made = datetime.fromisoformat(key.made)
        rows.append(
            KeyRow(
                key.host,
                "old" if key.host in seen else "present",
                key.fingerprint(),
                key.made,
                max(0, (today - made).days),
                f"{key.host}{PRIVATE}" in names,
            )
        )
        seen.add(key.host)
    return rows


def faults(folder: Path) -> list[KeyRingError]:
    """Find everything that keeps the hosts whose secret keys lie here from using them. Raises KeyRingError."""
    with opened(folder) as descriptor:
        names = names_in(descriptor)
    hosts = [name.removesuffix(PRIVATE) for name in names if name.endswith(PRIVATE)]
    if not hosts:
        mend = "copy what `doraflow keys export HOST` writes for this host"
        return [KeyRingError(f"there is no secret key in `{folder}`", mend)]
    found: list[KeyRingError] = []
    for host in hosts:
        try:
            _judge(folder, host)
        except KeyRingError as error:
            if str(error) not in map(str, found):
                found.append(error)
    return found


def _judge(folder: Path, host: str) -> None:
    """Raise KeyRingError if a host could not prove itself to its peers by what lies in a folder."""
    ring = read_ring(folder, host)
    with opened(folder) as descriptor:
        secret = read_key(descriptor, folder, f"{host}{PRIVATE}")
    if public_half(secret).key not in ring.keys_of(host):
        raise KeyRingError(
            f"the secret key of host `{host}` in `{folder}` does not belong to its public one",
            f"run `doraflow keys export {host}` again where the keys were made, and copy all that it writes",
        )
