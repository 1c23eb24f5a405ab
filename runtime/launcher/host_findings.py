"""The words on hosts that do not come, or cannot be asked: findings, and lines of progress.

Pure: hosts as they are known go in, words come out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.control.messages import Refusal
from doraflow_runtime.launcher.findings import Finding, listed
from doraflow_runtime.launcher.reach import address_in, mend

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doraflow_runtime.fleet.membership import Host
    from doraflow_runtime.fleet.terms import Terms

_SAME = "deploy the same bundle to all hosts"


def named(hosts: Iterable[str]) -> str:
    """Name hosts in a sentence.

    >>> named(["gpu"]), named(["gpu", "base"])
    ('host `gpu`', 'hosts `gpu`, `base`')
    """
    names = tuple(hosts)
    return f"{'host' if len(names) == 1 else 'hosts'} {listed(names)}"


def waiting(hosts: Sequence[Host], seconds_left: float) -> str:
    """Say for which hosts the start waits."""
    away = [host.name for host in hosts if host.presence != "present"]
    starting = [host for host in hosts if host.presence == "present"]
    words = [f"waiting for {named(away)} ({seconds_left:.0f} s are left)"] if away else []
    for host in starting:
        nodes = host.beat.awaited if host.beat is not None else ()
        whom = f" for {listed(nodes)}" if nodes else ""
        words.append(f"host `{host.name}` is there and waits{whom}")
    return "; ".join(words)


def not_found_yet(host: str, address: str) -> str:
    """Say that nothing is known of the address of a host that may still come."""
    return f"host `{host}` cannot be found yet: nothing is known of the address `{address}`; it is looked up again"


def not_come(hosts: Sequence[Host], timeout: float, terms: Terms, unknown: Sequence[str] = ()) -> Finding:
    """Describe hosts that did not come: one may run another build, and the addresses of some may be `unknown`."""
    strange = [host.name for host in hosts if host.presence == "strange"]
    if strange:
        verb = "runs" if len(strange) == 1 else "run"
        text = f"{named(strange)} {verb} another build of this dataflow, so the start waited {timeout:g} s in vain"
        return Finding("DF881", text, help=_SAME)
    names = [host.name for host in hosts]
    first = names[0]
    text = f"{named(names)} did not come within {timeout:g} s, and the start waits for every host"
    if unknown:
        addresses = dict.fromkeys(address_in(terms.endpoints[name]) for name in unknown)
        text += f"; nothing is known of the {'address' if len(addresses) == 1 else 'addresses'} {listed(addresses)}"
        return Finding("DF880", text, help=mend(unknown[0], (terms.host, *terms.endpoints)))
    advice = (
        f"start its launcher, `python launch_{first}.py`, and see that it reaches this host and is reached at "
        f"{terms.endpoints[first]}; `--start-alone` starts this host without it"
    )
    return Finding("DF880", text, help=advice)


def no_pyzmq(error: ImportError) -> Finding:
    """Describe a Python without pyzmq."""
    text = f"the launchers of this dataflow cannot be linked: pyzmq cannot be imported ({error})"
    return Finding("DF884", text, help="install what `requirements.txt` of the bundle lists")


def unlinked(endpoint: str, reason: str) -> Finding:
    """Describe a socket that cannot be had."""
    text = f"the launcher cannot listen at {endpoint} for those of other hosts: {reason}"
    return Finding("DF884", text, help="end the program that listens there, or launch all hosts with `--port-base`")


def no_answer(name: str, host: Host | None, patience: float) -> Refusal:
    """Say why a host has not answered."""
    if host is None:
        return Refusal(f"host `{name}` is none of the other hosts of this dataflow")
    match host.presence:
        case "absent":
            return Refusal(f"host `{name}` has not come yet", f"start it there with `python launch_{name}.py`")
        case "lost":
            return Refusal(f"host `{name}` is lost", "see whether its launcher runs, and whether its network does")
        case "strange":
            return Refusal(f"host `{name}` runs another build of this dataflow", _SAME)
        case "ended":
            return Refusal(f"host `{name}` has ended", f"start it again there with `python launch_{name}.py`")
    return Refusal(f"host `{name}` did not answer within {patience:g} s", "ask again, or look at it there")
