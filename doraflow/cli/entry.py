"""The way in: a result that is known is told at once, everything else is the command line's.

Only what that takes is imported here: reading the options alone would cost more than telling a result.
"""

from __future__ import annotations

import sys

from doraflow.cli.fingerprint import key_of
from doraflow.cli.remembered import recall

REMEMBERED = ("check", "build")
"""The commands whose results are kept."""

NEVER_KEPT = frozenset({"--no-cache", "--rebuild", "--quiet", "-q", "--verbose", "-v", "--progress"})


def main() -> None:
    """Run a command and exit."""
    arguments = sys.argv[1:]
    is_kept = arguments[:1] and arguments[0] in REMEMBERED and NEVER_KEPT.isdisjoint(arguments)
    key = key_of(arguments) if is_kept else None
    code = recall(key) if key is not None else None
    if code is None:
        from doraflow.cli.main import main as run

        run(key)
    sys.exit(code)
