"""The command of the comparison across a link: `python -m bench.far`."""

from __future__ import annotations

import sys
from dataclasses import replace

from bench.command import Comparison, carry_out
from bench.far.hosts import Hosts
from bench.far.peers import peers
from bench.far.targets import TARGETS
from bench.kinds import latency, throughput
from bench.settings import QUICK, Settings

SIZES = (4096, 4_194_304)
NOTE = """\
The hosts are network namespaces of this machine with a cable between them, which takes root.
Peers are installed from PyPI into a virtual environment of the benchmark's own, in the user's cache folder.
`python -m bench.report --far FILE` writes the pages from what --json wrote.
"""


def main() -> int:
    """Measure between two hosts, and give the exit code."""
    hosts = Hosts()
    return carry_out(
        Comparison(
            program="python -m bench.far",
            about="Measure links between two hosts beside those of peers, in turn, in one run.",
            note=NOTE,
            peers=peers(hosts),
            kinds={"latency": latency, "throughput": throughput},
            full=Settings(SIZES),
            quick=replace(QUICK, sizes=SIZES),
            targets=TARGETS,
            place=hosts,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
