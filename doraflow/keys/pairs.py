"""Pairs of keys of the hosts of a ring: made, rotated, retired.

The secret half is written before the public one, which follows from it: whatever an interrupted change left is put
right by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from doraflow_runtime.keys.files import OLD_PUBLIC, PRIVATE, PUBLIC, HostKey, is_host_name
from doraflow_runtime.keys.folder import KeyRingError, names_in, read_key

from doraflow.keys.writing import locked, make_private, put, take_away

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the key of a host: `made`, `kept`, `rotated` or `retired`."""

    host: str
    what: str


class _Ring:
    """A ring that is locked for a change."""

    def __init__(self, descriptor: int, folder: Path) -> None:
        self._descriptor = descriptor
        self._folder = folder

    def read(self, host: str, suffix: str) -> HostKey | None:
        try:
            return read_key(self._descriptor, self._folder, f"{host}{suffix}")
        except FileNotFoundError:
            return None

    def make(self, host: str) -> None:
        """Write a fresh pair."""
        import zmq

        made = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        _, secret = zmq.curve_keypair()
        put(self._descriptor, f"{host}{PRIVATE}", HostKey("secret", host, made, secret.decode()))
        self.complete(host)

    def complete(self, host: str) -> None:
        """Write the public half of the secret one where an interrupted change has not."""
        secret = self.read(host, PRIVATE)
        if secret is None:
            return
        derived = public_half(secret)
        if self.read(host, PUBLIC) != derived:
            put(self._descriptor, f"{host}{PUBLIC}", derived)
        elif self.read(host, OLD_PUBLIC) == derived:
            take_away(self._descriptor, f"{host}{OLD_PUBLIC}")

    def rotate(self, host: str) -> None:
        """Write a fresh pair, with the public key of before kept beside it."""
        present = self.read(host, PUBLIC)
        if present is not None:
            put(self._descriptor, f"{host}{OLD_PUBLIC}", present)
        self.make(host)

    def retire(self, host: str) -> None:
        take_away(self._descriptor, f"{host}{OLD_PUBLIC}")


def public_half(secret: HostKey) -> HostKey:
    """Compute the public key that belongs to a secret one.

    Raises KeyRingError for a secret key that is none.
    """
    import zmq

    try:
        public = zmq.curve_public(secret.key.encode()).decode()
    except zmq.ZMQError:
        raise KeyRingError(
            f"the secret key of host `{secret.host}` is damaged", f"run `doraflow keys rotate {secret.host}`"
        ) from None
    return HostKey("public", secret.host, secret.made, public)


def make_keys(folder: Path, hosts: Sequence[str]) -> list[Change]:
    """Make a pair for each host that has none. Raises KeyRingError."""
    _judge_names(hosts)
    make_private(folder)
    with locked(folder) as descriptor:
        ring = _Ring(descriptor, folder)
        changes = []
        for host in hosts:
            ring.complete(host)
            if ring.read(host, PRIVATE) is not None:
                changes.append(Change(host, "kept"))
                continue
            if ring.read(host, PUBLIC) is not None:
                raise KeyRingError(
                    f"`{folder}` holds the public key of host `{host}` without its secret one, as on another host",
                    "run this where the keys were made, or name another folder with `--keys DIR`",
                )
            ring.make(host)
            changes.append(Change(host, "made"))
        return changes


def rotate_keys(folder: Path, hosts: Sequence[str]) -> list[Change]:
    """Give hosts fresh pairs; their public keys of before stay admitted until they are retired.

    Raises KeyRingError, before anything is changed, for a host that has no pair or an old key still.
    """
    _judge_names(hosts)
    with locked(folder) as descriptor:
        ring = _Ring(descriptor, folder)
        for host in hosts:
            ring.complete(host)
            check_pair(descriptor, folder, host)
            if ring.read(host, OLD_PUBLIC) is not None:
                raise KeyRingError(
                    f"the key before the present one of host `{host}` is still admitted",
                    f"run `doraflow keys retire {host}` when every host has the present one, and rotate then",
                )
        for host in hosts:
            ring.rotate(host)
        return [Change(host, "rotated") for host in hosts]


def retire_keys(folder: Path, hosts: Sequence[str]) -> list[Change]:
    """Let the old public keys of hosts be admitted no longer.

    Raises KeyRingError, before anything is changed, for a host that has none.
    """
    _judge_names(hosts)
    with locked(folder) as descriptor:
        ring = _Ring(descriptor, folder)
        for host in hosts:
            ring.complete(host)
            if ring.read(host, OLD_PUBLIC) is None:
                raise KeyRingError(
                    f"host `{host}` has no old key in `{folder}`", "see with `doraflow keys list` which hosts have one"
                )
        for host in hosts:
            ring.retire(host)
        return [Change(host, "retired") for host in hosts]


def _judge_names(hosts: Sequence[str]) -> None:
    for host in hosts:
        if not is_host_name(host):
            raise KeyRingError(
                f"`{host}` is no name of a host",
                "write up to 64 letters, digits, `_`, `-` and `.`",
            )


def check_pair(descriptor: int, folder: Path, host: str) -> None:
    """Raise KeyRingError, with the closest name as its mend, if `host` has no secret key in an opened ring."""
    from doraflow.parser.suggest import choices_text, nearest

    if f"{host}{PRIVATE}" in names_in(descriptor):
        return
    known = sorted(name.removesuffix(PRIVATE) for name in names_in(descriptor) if name.endswith(PRIVATE))
    near = nearest(host, known)
    mend = f"to name the closest, write `{near[0]}`" if near else f"hosts that have one: {choices_text(host, known)}"
    raise KeyRingError(f"there is no secret key of host `{host}` in `{folder}`", mend)
