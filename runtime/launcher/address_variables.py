"""The environment variables that give the addresses of hosts: one for each host, whatever its name is made of.

What an address is good for is judged in `doraflow_runtime.launcher.reach`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.findings import Finding, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ADDRESS_VARIABLE = "DORAFLOW_ADDRESS_"

_DIGEST = 8
_NOT_IN_NAMES = re.compile(r"[^A-Z0-9]")


def variables(hosts: Iterable[str]) -> dict[str, str]:
    """Name the variable of each host of a dataflow; those of names that come out alike end in a digest of the name.

    >>> variables(["base-station", "gpu"])
    {'base-station': 'DORAFLOW_ADDRESS_BASE_STATION', 'gpu': 'DORAFLOW_ADDRESS_GPU'}
    >>> variables(["gpu-1", "gpu.1"])
    {'gpu-1': 'DORAFLOW_ADDRESS_GPU_1_DFE1F80E', 'gpu.1': 'DORAFLOW_ADDRESS_GPU_1_26372019'}
    """
    plain = {host: _plain(host) for host in hosts}
    often = Counter(plain.values())
    made = {host: name if often[name] == 1 else _longer(host) for host, name in plain.items()}
    if len(set(made.values())) < len(made):  # a host is called as another one's longer name
        return {host: _longer(host) for host in plain}
    return made


def unread(named: Mapping[str, str], sought: Iterable[str], environment: Mapping[str, str]) -> list[Finding]:
    """Report variables that are set and look like those of hosts that read others.

    `named` gives the variable of each host of the dataflow; `sought` are the hosts whose addresses variables may give.
    """
    looked_for = set(sought)
    read = set(named.values())
    plain: dict[str, list[str]] = {}
    for host in named:
        plain.setdefault(_plain(host), []).append(host)
    return [
        Finding(
            "DF831",
            f"`{variable}` is set, and {_why_unread(alike)}",
            help=f"set {listed(named[host] for host in alike if host in looked_for)} in its place",
        )
        for variable, alike in plain.items()
        if variable not in read and environment.get(variable) and not looked_for.isdisjoint(alike)
    ]


def _why_unread(alike: list[str]) -> str:
    if len(alike) == 1:
        return f"is not read for host `{alike[0]}`: names of other hosts come out alike, so all variables are longer"
    return f"could be meant for each of the hosts {listed(alike)}"


def _plain(host: str) -> str:
    return ADDRESS_VARIABLE + _NOT_IN_NAMES.sub("_", host.upper())


def _longer(host: str) -> str:
    return f"{_plain(host)}_{hashlib.sha256(host.encode()).hexdigest()[:_DIGEST].upper()}"
