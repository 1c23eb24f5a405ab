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


def shared(hosts: Iterable[str], environment: Mapping[str, str]) -> list[Finding]:
    """Report variables that are set and would stand for several hosts, none of which reads them."""
    named: dict[str, list[str]] = {}
    own = variables(hosts)
    for host in own:
        named.setdefault(_plain(host), []).append(host)
    return [
        Finding(
            "DF831",
            f"`{variable}` is set, and could be meant for each of the hosts {listed(alike)}",
            help=f"set {listed(own[host] for host in alike)} in its place",
        )
        for variable, alike in named.items()
        if own[alike[0]] != variable and environment.get(variable)
    ]


def _plain(host: str) -> str:
    return ADDRESS_VARIABLE + _NOT_IN_NAMES.sub("_", host.upper())


def _longer(host: str) -> str:
    return f"{_plain(host)}_{hashlib.sha256(host.encode()).hexdigest()[:_DIGEST].upper()}"
