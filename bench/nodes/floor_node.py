"""The nodes of the floor: runs the C program, which is both of them, and writes what it measured as they would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run `sys.argv[1]` once for each way of sending."""
    folder = Path(os.environ["BENCH_FOLDER"])
    flow = json.loads((folder / "flow.json").read_text())
    settings = flow["settings"]
    pace = int(settings.get("pace_us", 0)) * 1000
    taken = []
    for way in settings["ways"].split(","):
        words = [sys.argv[1], flow["kind"], settings["size"], way, settings["messages"], str(pace)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        taken.append([int(line) for line in done.stdout.split()])
    if flow["kind"] == "latency":
        (folder / "sink.json").write_text(json.dumps([value for numbers in taken for value in numbers]))
    else:
        (folder / "source.json").write_text(json.dumps(taken))


if __name__ == "__main__":
    main()
