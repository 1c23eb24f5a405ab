"""Prints the smoothed load, and an alarm line while one of the values is above the threshold."""

import os

from quickstart_stubs.alarm import Alarm, CpuEvent, InputClosed, MemoryEvent, Stop


def report(what: str, percent: float, threshold: float) -> None:
    """Print one value; values above the threshold are marked."""
    print(f"{what:<6} {percent:5.1f} %" + ("  ALARM" if percent > threshold else ""))


def main() -> None:
    """Watch both inputs until they close."""
    threshold = float(os.environ["ALARM_PERCENT"])
    with Alarm() as node:
        for event in node:
            match event:
                case CpuEvent(value=samples):
                    report("cpu", samples[0].as_py(), threshold)
                case MemoryEvent(value=samples):
                    report("memory", samples[0].as_py(), threshold)
                case InputClosed() | Stop():
                    pass


main()
