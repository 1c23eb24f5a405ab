"""The options of a launch script that concern links to other hosts.

What they change is settled in `reach`; keys are found in `key_folder`.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from doraflow_runtime.fleet.terms import AWAY_SECONDS
from doraflow_runtime.launcher.meeting import Meeting
from doraflow_runtime.launcher.reach import ANY_ADDRESS, HIGHEST_PORT, Changes


def add_link_options(parser: argparse.ArgumentParser) -> None:
    """Let a launch script take these options."""
    parser.add_argument(
        "--address",
        type=_address,
        action="append",
        default=[],
        metavar="HOST=ADDRESS",
        help="where another host of the dataflow is reached; may be given several times",
    )
    parser.add_argument(
        "--port-base", type=_port, default=0, metavar="PORT", help="the first TCP port of the links between hosts"
    )
    parser.add_argument(
        "--listen",
        type=_listen,
        default=ANY_ADDRESS,
        metavar="ADDRESS",
        help="where to listen for other hosts (default: everywhere)",
    )
    parser.add_argument("--keys", type=Path, metavar="DIR", help="the folder with the keys of this host")
    parser.add_argument(
        "--start-alone", action="store_true", help="start without waiting for the launchers of the other hosts"
    )
    parser.add_argument(
        "--host-timeout",
        type=seconds_or_off,
        default=AWAY_SECONDS,
        metavar="SECONDS",
        help="how long senders with backpressure wait for a host that is lost; off: for ever (default: 60)",
    )


def changes_of(given: argparse.Namespace) -> Changes:
    """Gather what was given."""
    return Changes(dict(given.address), given.port_base, given.listen)


def meeting_of(given: argparse.Namespace) -> Meeting:
    """Gather what was given on the other launchers."""
    return Meeting(given.start_alone, given.host_timeout)


def seconds_or_off(text: str) -> float | None:
    """Read a number of seconds, or `off`, which is None."""
    if text == "off":
        return None
    return seconds(text, "is not a number of seconds, and not `off`")


def seconds(text: str, fault: str = "is not a number of seconds") -> float:
    """Read a number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"`{text}` {fault}")
    return value


def _listen(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("an empty text is no address: name one of this host, or leave the option out")
    return text


def _address(text: str) -> tuple[str, str]:
    host, _, address = text.partition("=")
    if not host or not address:
        raise argparse.ArgumentTypeError(f"`{text}` is no HOST=ADDRESS, such as gpu=10.0.0.2")
    return host, address


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"`{text}` is no port: give a number from 1 to {HIGHEST_PORT}")
    return int(text)
