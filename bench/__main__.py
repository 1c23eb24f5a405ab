"""The benchmark's command: `python -m bench`."""

from __future__ import annotations

import sys

from bench.command import Comparison, carry_out
from bench.kinds.all import KINDS
from bench.peers.all import peers
from bench.settings import QUICK, Settings
from bench.targets import TARGETS

NOTE = """\
Peers are installed from PyPI into a virtual environment of the benchmark's own, in the user's cache folder.
`python -m bench.report FILE` writes the pages and the README's table from what --json wrote.
"""


def main() -> int:
    """Measure on one host, and give the exit code."""
    about = "Measure doraflow beside its peers, in turn, in one run."
    return carry_out(Comparison("python -m bench", about, NOTE, peers(), KINDS, Settings(), QUICK, TARGETS))


if __name__ == "__main__":
    sys.exit(main())
