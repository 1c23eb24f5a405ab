"""The ring of keys of one host: its own secret key, and the public keys of all hosts of the dataflow.

A host that was given a new pair has two public keys until the old one is retired. Nothing is written here, and nothing
is known of sockets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.keys.files import OLD_PUBLIC, PRIVATE, PUBLIC
from doraflow_runtime.keys.folder import KeyRingError, names_in, opened, read_key

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow_runtime.keys.files import HostKey


@dataclass(frozen=True, slots=True)
class KeyRing:
    """What a host needs to prove itself and to know its peers.

    `hosts` gives by public key (Z85) the host that it belongs to; of two keys of a host the newer stands first.
    """

    folder: Path
    host: str
    secret: str = field(repr=False)
    hosts: dict[str, str] = field(repr=False)

    def keys_of(self, host: str) -> tuple[str, ...]:
        """Give the public keys of a host, the newer first.

        Raises KeyRingError if it has none.
        """
        found = tuple(key for key, owner in self.hosts.items() if owner == host)
        if not found:
            raise KeyRingError(
                f"the keys in `{self.folder}` hold none of host `{host}`",
                f"run `doraflow keys make` for the dataflow, and `doraflow keys export {self.host}` again",
            )
        return found

    def host_of(self, key: str) -> str | None:
        """Name the host that a public key belongs to; None for a stranger's."""
        return self.hosts.get(key)


def read_ring(folder: Path, host: str) -> KeyRing:
    """Read what `host` needs from a folder of keys.

    Raises KeyRingError for a folder or file that others can reach, that is missing, or damaged.
    """
    with opened(folder) as descriptor:
        try:
            own = read_key(descriptor, folder, f"{host}{PRIVATE}")
        except FileNotFoundError:
            raise KeyRingError(
                f"there is no secret key of host `{host}` in `{folder}`",
                f"run `doraflow keys export {host}` where the keys were made, and copy what it writes to this host",
            ) from None
        _match(own, folder / f"{host}{PRIVATE}", host, "secret")
        public = read_public(descriptor, folder)
    return KeyRing(folder, host, own.key, {each.key: each.host for each in public})


def read_public(descriptor: int, folder: Path) -> list[HostKey]:
    """Read all public keys of an opened folder, by host; of two keys of a host the newer comes first.

    Raises KeyRingError.
    """
    found: list[HostKey] = []
    owners: dict[str, str] = {}
    for host, suffix in public_files(names_in(descriptor)):
        path = folder / f"{host}{suffix}"
        try:
            key = read_key(descriptor, folder, path.name)
        except FileNotFoundError:
            continue  # retired since the folder was listed
        _match(key, path, host, "public")
        if owners.setdefault(key.key, host) != host:
            raise KeyRingError(
                f"`{path}` holds the same key as that of host `{owners[key.key]}`",
                f"run `doraflow keys rotate {host}`",
            )
        found.append(key)
    return found


def public_files(names: list[str]) -> list[tuple[str, str]]:
    """Pick the files of public keys: host and suffix of each, by host, the present key before the old one.

    >>> public_files(["b.public", "a.public.old", "a.public", "a.secret"])
    [('a', '.public'), ('a', '.public.old'), ('b', '.public')]
    """
    return sorted(
        (name.removesuffix(suffix), suffix)
        for name in names
        for suffix in (PUBLIC, OLD_PUBLIC)
        if name.endswith(suffix)
    )


def _match(key: HostKey, path: Path, host: str, kind: str) -> None:
    """A file under the name of another would let one host pass for another."""
    if (key.host, key.kind) != (host, kind):
        raise KeyRingError(
            f"`{path}` holds the {key.kind} key of host `{key.host}`, not the {kind} key of `{host}`",
            f"run `doraflow keys export {host}` again, and copy all that it writes",
        )
