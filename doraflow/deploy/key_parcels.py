"""The keys of links that a deploy hands to hosts: what each needs, and what of it may take the place of what is there.

A key that is there may be replaced when the ring here knows it: because the host was given a new pair since, or the
file is of the pair that it has now. A key of unknown origin stays, unless it is asked for by name to replace it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.keys.files import OLD_PUBLIC, PRIVATE, PUBLIC
from doraflow_runtime.keys.folder import KeyRingError
from doraflow_runtime.keys.ring import read_ring

from doraflow.deploy.errors import DeployError
from doraflow.deploy.reports import HandedKeys
from doraflow.keys.exporting import needed_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doraflow_runtime.contract import HostWiring

    from doraflow.deploy.targets import Target
    from doraflow.diagnostics import Sink
    from doraflow.ir import Plan


@dataclass(frozen=True, slots=True)
class Parcel:
    """The key files of one host by name, for the ring of a dataflow; `replaces` is whether unknown keys give way."""

    ring: str
    host: str
    files: Mapping[str, str] = field(repr=False)
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Handing:
    """What is done with a parcel: files that are written and removed, where others lay with these digests."""

    parcel: Parcel
    there: Mapping[str, str]
    handed: HandedKeys

    @property
    def put(self) -> dict[str, str]:
        """The files to write."""
        return {name: self.parcel.files[name] for name in (*self.handed.added, *self.handed.replaced)}


def parcels_of(plan: Plan, targets: Sequence[Target], folder: Path, sink: Sink, *, replaces: bool) -> dict[str, Parcel]:
    """Read from the ring in `folder` what each host with links to others needs (DF852)."""
    parcels = {}
    wanted = {target.host for target in targets}
    for each in plan.hosts:
        wiring = each.wiring
        if each.host not in wanted or wiring.insecure or not wiring.far:
            continue
        try:
            parcels[each.host] = Parcel(plan.graph.name, each.host, _texts(folder, wiring), replaces)
        except KeyRingError as error:
            sink.error("DF852", error.message, help=error.mend)
            break
    return parcels


def _texts(folder: Path, wiring: HostWiring) -> dict[str, str]:
    ring = read_ring(folder, wiring.host)
    for peer in dict.fromkeys(node.host for node in wiring.far):
        ring.keys_of(peer)
    return {name: key.text() for name, key in needed_keys(folder, wiring.host).items()}


def weighed(parcel: Parcel, folder: str, there: Mapping[str, str]) -> Handing:
    """Decide what is written and removed. Raises DeployError (DF852) for a key that is there and not known here."""
    wanted = {name: _digest(text) for name, text in parcel.files.items()}
    added = tuple(name for name in wanted if name not in there)
    replaced = tuple(name for name in wanted if there.get(name, wanted[name]) != wanted[name])
    unknown = [name for name in replaced if not _is_known(name, parcel.host, wanted, there)]
    if unknown and not parcel.replaces:
        others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise DeployError(
            "DF852",
            f"on `{parcel.host}`: `{folder}/{unknown[0]}`{others} was not made here, and no key there was changed",
            "deploy from where those keys were made, or put the ones from here in their place with `--replace-keys`",
        )
    retired = tuple(
        name
        for name in there
        if name.endswith(OLD_PUBLIC) and name not in wanted and f"{name.removesuffix(OLD_PUBLIC)}{PUBLIC}" in wanted
    )
    return Handing(parcel, dict(there), HandedKeys(added, replaced, retired))


def _is_known(name: str, host: str, wanted: Mapping[str, str], there: Mapping[str, str]) -> bool:
    """Tell whether what lies under a name is of the ring here.

    It is if the public key of its owner there is the present one or the one before: a secret key belongs to the public
    one beside it, and an old key to the one that came after it.
    """
    owner = host if name == f"{host}{PRIVATE}" else name.removesuffix(OLD_PUBLIC).removesuffix(PUBLIC)
    seen = there.get(f"{owner}{PUBLIC}")
    return seen is not None and seen in {wanted.get(f"{owner}{suffix}") for suffix in (PUBLIC, OLD_PUBLIC)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
