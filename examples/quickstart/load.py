"""Measures the load of this machine at every tick and sends it as percent."""

import argparse

import psutil
from quickstart_stubs.load import Load, TickEvent


def main() -> None:
    """Send `--samples` measurements, one a tick, then end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=25, help="how many measurements to send")
    remaining = parser.parse_args().samples
    psutil.cpu_percent()  # the first call has no interval to measure and always says 0.0
    with Load() as node:
        for event in node:
            if not isinstance(event, TickEvent):
                continue
            node.outputs.cpu.send([psutil.cpu_percent()])
            node.outputs.memory.send([psutil.virtual_memory().percent])
            remaining -= 1
            if remaining == 0:
                break


main()
