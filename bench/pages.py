"""What the documentation says of the figures, as Markdown: the README's tables and the page docs/measured.md.

Nothing here reads or writes a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.peers.all import peers as all_peers
from bench.plot import Axis, Line, Panel, decades, svg
from bench.results import ARRAYS, OURS
from bench.targets import HEAD, TARGETS, Target, judge
from bench.words import columns, figure, missing, number, size, what

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.peers.peer import Peer
    from bench.results import Results, Row

TITLES = {
    "latency": "One-way latency",
    "throughput": "Lossless throughput",
    "fanout": "Fan-out, one source and four readers",
    "relay": "Relay, five hops",
    "pingpong": "Ping-pong, round trips without a pause",
    "startup": "Start-up of two nodes",
    "many": "Start and stop of many nodes",
    "idle": "Processor time of waiting nodes",
    "memory": "Memory of waiting nodes",
}
SHOWN = (8, 4096, 409_600, 4_194_304, 41_943_040)  # the README's sizes
OTHERS = (
    ("throughput", 4096, 0, "copied", "rate", "messages a second, 4 KB copied, none lost"),
    ("throughput", 4_194_304, 0, "loaned", "rate", "messages a second, 4 MB loaned, none lost"),
    ("fanout", 4_194_304, 0, "loaned", "p50", "1 to 4 readers, 4 MB loaned, p50 µs"),
    ("relay", 4096, 0, "copied", "p50", "five hops, 4 KB, p50 µs"),
    ("startup", 0, 2, "", "ready", "2 nodes from nothing to the first message, s"),
    ("many", 0, 100, "", "ready", "100 nodes from nothing to their first messages, s"),
    ("memory", 0, 20, "", "PSS of a node", "memory of a waiting node (PSS), MiB"),
)
METHOD = """\
Nodes are Python processes (the floor is a C program), one script of roles for all peers: `bench/nodes/roles.py`.
doraflow runs a built bundle with its launcher, dora `dora run`; zenoh, iceoryx2 and ZeroMQ have no launcher, so the
benchmark starts their bare processes. All peers meet each case in turn, round after round. A cell has the median of
the rounds, their spread, and how many times doraflow's median it is.

- **Latency** is the time from a complete message to the return of the reader's receive call (CLOCK_MONOTONIC), one
  message each 5 ms and only when the one before has arrived. *Copied*: the sender's buffer is passed to the peer.
  *Loaned*: the peer's best way without a copy (doraflow's and iceoryx2's loans, dora's raw samples, zenoh's shared
  memory, ZeroMQ's `copy=False`, which copies up to 64 KB all the same).
- **Throughput** uses each peer's own way of holding a fast sender back: `backpressure` in doraflow, blocking in zenoh,
  iceoryx2 and ZeroMQ. At most 64 MiB and 1000 messages (at least 4) are unread. dora has none, so the benchmark
  gives its sender credit beside the data plane, as much as proved fastest. Every message's place is checked; a flood
  that loses one has no figure.
- Readers take what is there with the least work: those of doraflow, zenoh, iceoryx2 and ZeroMQ bytes or an address,
  those of dora Arrow arrays, as it has nothing else. `doraflow-arrow` reads Arrow arrays too.
- A doraflow node sends what its reader had no room for only inside of calls, so its sender waits for the end of a
  flood in `next`.
- zenoh's Python API gives a payload's bytes only as a copy. Latency does not count it; throughput does.
- **Start-up** runs from the start of the first process to the moment when every reader has a message (*ready*), and to
  the end of all processes (*ended*). Bundles are built before.
- **The floor** passes a payload through shared memory and wakes the reader with a futex.
"""

FAILURES = "## Runs without figures, or without some of them"
TARGETS_NOTE = """\
Ratios of medians of this run, ours to the peer's; a time is to be low, a flood high. *Worst* is the ratio that is
farthest from the target. What a peer has no figure of is not compared."""


def readme(results: Results) -> str:
    """Write the README's part: latencies, a few other figures, and where they come from."""
    peers = results.peers()
    lines = [
        (
            f"One way between two nodes on one host, p50 / p99 in µs, medians of {rounds(results)} on a machine with"
            f" {results.machine['cores']} cores."
        ),
        "Copied messages are passed to the peer; loaned ones are written where the reader reads them.",
        "Readers take bytes or an address where a peer gives them; those of dora and doraflow-arrow take Arrow arrays.",
        "",
        *head("payload", peers),
    ]
    for count in sorted({row.size for row in results.rows if row.kind == "latency" and row.size in SHOWN}):
        for way in ("copied", "loaned"):
            cells = [pair(results, peer, count, way) for peer in peers]
            lines.append(f"| {size(count)} {way} | {' | '.join(cells)} |")
    rest = [(text, [results.find(peer, *key) for peer in peers]) for *key, text in OTHERS]
    rest = [(text, rows) for text, rows in rest if any(rows)]
    if rest:
        lines += ["", *head("", peers)]
        lines += [
            f"| {text} | {' | '.join(number(row.median) if row else '-' for row in rows)} |" for text, rows in rest
        ]
    return "\n".join([*lines, "", absent(results)]).rstrip() + "\n"


def page(results: Results) -> str:
    """Write docs/measured.md."""
    machine = results.machine
    parts = [
        "# Measured",
        "Written by `python -m bench.report`; do not edit it.",
        "![One-way latency by payload size](measured.svg)",
        (
            f"{rounds(results).capitalize()} on {machine['processor']}, {machine['cores']} cores,"
            f" {machine['memory_gib']} GiB, {machine['kernel']}, Python {machine['python']}; load average"
            f" {machine['load']} before and {results.load_after} after, {results.seconds / 60:.0f} minutes."
        ),
        "\n".join(f"- {version}" for version in results.versions.values()),
        METHOD.rstrip(),
        configured(results, all_peers()),
        *("## Targets", TARGETS_NOTE, targets(results, TARGETS)),
    ]
    for kind in dict.fromkeys(row.kind for row in results.rows):
        parts += [f"## {TITLES.get(kind, kind)}", table(results, kind)]
    parts += filter(None, [absent(results), results.failures and FAILURES, failures(results)])
    return "\n\n".join(parts) + "\n"


def plot(results: Results) -> str:
    """Draw the latency by size."""
    rows = [row for row in results.rows if row.kind == "latency" and row.metric == "p50"]
    sizes = sorted({row.size for row in rows})
    peers = [peer for peer in results.peers() if peer != ARRAYS]
    panels = [Panel(f"{way}, p50", tuple(_line(rows, peer, way) for peer in peers)) for way in ("copied", "loaned")]
    across = Axis("payload", tuple((float(one), size(one)) for one in sizes))
    return svg(panels, across, Axis("µs one way", decades([row.median for row in rows])))


def rounds(results: Results) -> str:
    """Say how many rounds there were.

    >>> from bench.results import Results
    >>> rounds(Results(settings={"rounds": 1})), rounds(Results(settings={"rounds": 5}))
    ('1 round', '5 rounds')
    """
    count = results.settings["rounds"]
    return f"{count} round{'s' * (count != 1)}"


def _line(rows: list[Row], peer: str, way: str) -> Line:
    points = [(float(row.size), row.median) for row in rows if row.peer == peer and row.way == way]
    return Line(peer, tuple(sorted(points)))


def head(first: str, peers: list[str]) -> list[str]:
    """Begin a table with a column for each peer."""
    return [f"| {first} | {' | '.join(peers)} |", f"|---|{'---|' * len(peers)}"]


def pair(results: Results, peer: str, count: int, way: str) -> str:
    """Write the latency of a size and way, p50 / p99."""
    found = [results.find(peer, "latency", count, 0, way, metric) for metric in ("p50", "p99")]
    return " / ".join(number(row.median) for row in found if row is not None) or "-"


def table(results: Results, kind: str) -> str:
    """Lay out all figures of a kind."""
    rows = [row for row in results.rows if row.kind == kind]
    peers = columns(results, kind)
    lines = head("", peers)
    for key in sorted(dict.fromkeys(row.key for row in rows), key=lambda key: key[:3]):
        found = {row.peer: row for row in rows if row.key == key}
        told = " ".join(filter(None, [what(key), key[3], key[4], next(iter(found.values())).unit]))
        cells = [_cell(results, found[peer]) if peer in found else missing(results, peer, key) for peer in peers]
        lines.append(f"| {told} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(results: Results, row: Row) -> str:
    told = figure(row)
    ratio = results.ratio(row)
    return f"**{told}**" if row.peer == OURS else told + (f" x{ratio:.2g}" if ratio is not None else "")


def configured(results: Results, known: Mapping[str, Peer]) -> str:
    """Say how each peer was set up."""
    told = [f"- **{name}**: {known[name].configured}" for name in results.versions if name in known]
    return "\n".join(["How each is set up:", "", *told])


def targets(results: Results, wanted: tuple[Target, ...]) -> str:
    """Lay out which targets are reached."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    lines += [f"| {' | '.join(judged.cells())} |" for judged in judge(results, wanted)]
    return "\n".join(lines)


def absent(results: Results) -> str:
    """Say which peers could not be measured, and why."""
    return "\n".join(f"{peer} is absent: {reason}." for peer, reason in results.absent.items())


def failures(results: Results) -> str:
    """List the runs without figures."""
    lines = []
    for failure in results.failures:
        of = what((failure.kind, failure.size, failure.nodes))
        kind = TITLES.get(failure.kind, failure.kind).lower()
        lines.append(f"- {failure.peer}, {kind}, {of}, round {failure.round}: {failure.short}")
    return "\n".join(lines)
