"""The command line of a bundle's launch scripts: options in, exit code out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.control.places import NAME_RULE, is_run_name
from doraflow_runtime.launcher import kernel
from doraflow_runtime.launcher.link_options import add_link_options, changes_of, meeting_of, seconds, seconds_or_off
from doraflow_runtime.launcher.log_folders import KEPT_RUNS
from doraflow_runtime.launcher.probing import DEFAULT_TIMEOUT, LEVELS, check_health

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow_runtime.contract import Process
    from doraflow_runtime.launcher.launch import Options
    from doraflow_runtime.warm.early import Warming

FINISH_SECONDS = 120.0
"""dora's grace for nodes that go on when their dataflow has finished otherwise."""

_EXIT_CODES = """\
exit codes:
  0    every node ended well, or the run was stopped as asked
  1    a node failed, or the bundle cannot be launched
  2    wrong usage
  130  asked twice to stop, the launcher killed what was left
"""


def main(
    bundle: Path,
    host: str,
    processes: Sequence[Process],
    arguments: Sequence[str] | None = None,
    warming: Warming | None = None,
) -> int:
    """Run `processes`, the part of the bundle that belongs to `host`, and give the exit code.

    `arguments` are those of the command line, without the program's name, and `warming` is a warm process that was
    begun for them. Raises SystemExit for wrong usage and `--help`. To be called once, from the main thread of a process
    that does nothing else.
    """
    try:
        return _main(bundle, host, processes, _parse(host, arguments), warming)
    finally:
        if warming is not None:
            warming.leave_nothing()


def _main(
    bundle: Path, host: str, processes: Sequence[Process], given: argparse.Namespace, warming: Warming | None
) -> int:
    if given.check_health:
        is_well, words = check_health(bundle, host, given.check_health, given.health_timeout)
        sys.stdout.write(f"doraflow: {words}\n")
        return 0 if is_well else 1
    # A check of the health comes every few seconds, and is to import no more than it needs.
    from doraflow_runtime.launcher.launch import KILLED, launch

    if given.stop_with_parent:
        kernel.stop_with_parent()
    try:
        return launch(bundle, host, processes, _options(given), warming)
    except KeyboardInterrupt:
        return KILLED  # Ctrl-C before there was anything to stop, or while the last lines were written


def _parse(host: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=f"Launch the nodes of this bundle that belong to host {host}; Ctrl-C stops them.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--name", type=_name, help="what the run is called (default: the dataflow and a token)")
    parser.add_argument("--sources", type=_folder, metavar="DIR", help="where the nodes' sources lie (default: nodes/)")
    parser.add_argument("--log-dir", type=Path, metavar="DIR", help="where to write one log file for each node")
    parser.add_argument(
        "--keep-logs",
        type=_count,
        default=KEPT_RUNS,
        metavar="N",
        help="how many runs keep their logs (default: 20)",
    )
    parser.add_argument("--output", choices=("text", "json"), default="text", help="json: one object a line on stdout")
    parser.add_argument(
        "--start-timeout", type=seconds, default=120.0, metavar="SECONDS", help="how long nodes may take to join"
    )
    parser.add_argument(
        "--grace", type=seconds, default=5.0, metavar="SECONDS", help="pause before SIGTERM, and before SIGKILL"
    )
    add_link_options(parser)
    parser.add_argument(
        "--finish-grace",
        type=seconds_or_off,
        default=FINISH_SECONDS,
        metavar="SECONDS",
        help="how long a node may go on when nothing more comes in and all others have finished; off: for ever "
        "(default: 120)",
    )
    parser.add_argument(
        "--detached",
        action="store_true",
        help="tell events on stdout until all nodes have started, then go on alone; events go to launcher.events too",
    )
    parser.add_argument(
        "--stop-with-parent", action="store_true", help="stop as well when the process that started this one ends"
    )
    parser.add_argument(
        "--verify",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="check first that the bundle is as it was built",
    )
    parser.add_argument(
        "--trusted-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="start only what this key of minisign has signed; may be given several times",
    )
    parser.add_argument(
        "--check-health",
        nargs="?",
        choices=LEVELS,
        const="ready",
        help="launch nothing: exit with 0 if a launcher of this bundle has started, answers, or has all its nodes "
        "running (the default), else with 1",
    )
    parser.add_argument(
        "--health-timeout",
        type=seconds,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help="how long a check of the health may take",
    )
    return parser.parse_args(sys.argv[1:] if arguments is None else arguments)


def _options(given: argparse.Namespace) -> Options:
    from doraflow_runtime.launcher.launch import Options

    return Options(
        sources=given.sources,
        log_folder=given.log_dir,
        style=given.output,
        start_timeout=given.start_timeout,
        grace=given.grace,
        finish_grace=given.finish_grace,
        is_verified=given.verify,
        trusted=tuple(given.trusted_key),
        kept_runs=given.keep_logs,
        name=given.name or "",
        is_detached=given.detached,
        changes=changes_of(given),
        meeting=meeting_of(given),
        keys=given.keys,
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of runs: the run itself is one")
    return int(text)


def _name(text: str) -> str:
    if not is_run_name(text):
        raise argparse.ArgumentTypeError(f"`{text}` is no name for a run: {NAME_RULE}")
    return text


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"the folder {text} does not exist")
    return path
