"""What the documentation says of links between hosts, as Markdown: the README's table, and part of docs/measured.md.

Nothing here reads or writes a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.far.hosts import Hosts
from bench.far.peers import peers as all_peers
from bench.far.targets import TARGETS
from bench.pages import TITLES, absent, configured, failures, head, pair, rounds, table, targets
from bench.words import number, size

if TYPE_CHECKING:
    from bench.results import Results

WAY = "copied"  # what the README shows: what a node does that knows nothing of links
METHOD = """\
Two network namespaces of one machine are the hosts, a veth pair is the cable: it has no bandwidth of its own, so that
what is measured is the work of the processor. One clock serves both. Each host has a `/dev/shm` of its own, so that
nothing but the cable joins them. Kinds, roles and ways are those above; over a network *loaned* still means the peer's
way with the fewest copies. dora's sender gets credit beside the data plane, the others hold it back themselves.

Only doraflow and `zmq-curve` encrypt. Their figures are to be compared with each other, those of `doraflow-plain` with
`zmq`, `zenoh` and `dora`."""


def readme(results: Results) -> str:
    """Write the README's part."""
    measured = results.peers()
    lines = [
        (
            f"Between two hosts, over TCP between network namespaces of one machine, medians of {rounds(results)};"
            " doraflow and zmq-curve encrypt:"
        ),
        "",
        *head("", measured),
    ]
    for count in results.settings["sizes"]:
        latencies = [pair(results, peer, count, WAY) for peer in measured]
        lines.append(f"| one way, {size(count)}, p50 / p99 µs | {' | '.join(latencies)} |")
        found = [results.find(peer, "throughput", count, 0, WAY, "rate") for peer in measured]
        rates = [number(row.median) if row else "-" for row in found]
        lines.append(f"| messages a second, {size(count)}, none lost | {' | '.join(rates)} |")
    return "\n".join([*lines, "", absent(results)]).rstrip() + "\n"


def section(results: Results) -> str:
    """Write the section of docs/measured.md."""
    parts = [
        "## Across a link between two hosts",
        (
            f"{rounds(results).capitalize()} of `python -m bench.far`; load average {results.machine['load']} before"
            f" and {results.load_after} after, {results.seconds / 60:.0f} minutes."
        ),
        METHOD,
        configured(results, all_peers(Hosts())),
        targets(results, TARGETS),
    ]
    for kind in dict.fromkeys(row.kind for row in results.rows):
        parts += [f"### {TITLES[kind]}, across a link", table(results, kind)]
    parts += filter(None, [absent(results), failures(results)])
    return "\n\n".join(parts) + "\n"
