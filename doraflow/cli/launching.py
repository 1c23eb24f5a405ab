"""What `doraflow run` and `doraflow start` share: a bundle in the cache, the launcher's command line, and its life.

The options themselves are declared in `arguments`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from doraflow.cli.arguments import ProgressForm
from doraflow.cli.outputs import TextOutput

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.ir import Plan
    from doraflow.pipeline import Options


@dataclass(frozen=True, slots=True)
class Launch:
    """How a launcher is started: where sources and logs lie, the run's name, and times in seconds.

    An empty `name` lets the launcher make one, no `log_folder` lets it choose one.
    """

    sources: Path
    log_folder: Path | None
    kept_logs: int
    start_timeout: float
    grace: float
    name: str = ""

    def command(self, launcher: Path) -> list[str]:
        """Write the command line of a launcher."""
        command = [sys.executable, str(launcher), "--sources", str(self.sources.resolve())]
        command += ["--start-timeout", str(self.start_timeout), "--grace", str(self.grace)]
        command += ["--keep-logs", str(self.kept_logs)]
        command += ["--log-dir", str(self.log_folder)] if self.log_folder else []
        return command + (["--name", self.name] if self.name else [])


def checked_name(name: str) -> str:
    """Give a run's name if runs can be called so."""
    from doraflow_runtime.control.places import NAME_RULE, is_run_name

    if name and not is_run_name(name):
        raise typer.BadParameter(f"`{name}` is no name for a run: {NAME_RULE}", param_hint="--name")
    return name


def build_bundle(
    file: Path, jobs: int, options: Options, *, rebuild: bool, progress: ProgressForm = ProgressForm.AUTO
) -> tuple[Plan, Path]:
    """Build into the cache folder; give the plan and the launcher. Exits after findings."""
    from doraflow.build.writer import write
    from doraflow.cli.building import load, run_build_steps
    from doraflow.cli.cache import cache_folder
    from doraflow.cli.progress import progress_as
    from doraflow.cli.report import show_findings
    from doraflow.ir import DEFAULT_HOST
    from doraflow.pipeline import generate

    told = progress_as(progress)
    made, planned = load(file, options, told)
    if planned is not None:
        _refuse_several_hosts(planned, made.sink)
    if planned is not None and not made.sink.has_errors:
        run_build_steps(made, jobs, told, rebuild=rebuild)
    folder = cache_folder(file) / "bundle"
    files = None
    if planned is not None and not made.sink.has_errors:
        with told.stage("generating", "the bundle") as generating:
            files = generate(made)
            if files is not None:
                write(files, folder, made.sink, elsewhere="choose another cache folder with `XDG_CACHE_HOME`")
            generating.failed = made.sink.has_errors
    show_findings(made)
    if files is None or planned is None or made.sink.has_errors:
        raise typer.Exit(1)
    host = planned.hosts[0].host if planned.hosts else DEFAULT_HOST
    return planned, folder / f"launch_{host}.py"


def _refuse_several_hosts(planned: Plan, sink: Sink) -> None:
    """Refuse a dataflow of which only a part would run: a launcher starts the nodes of its own host."""
    if len(planned.hosts) < 2:
        return
    names = [host.host for host in planned.hosts]
    scripts = " and ".join(f"`launch_{name}.py`" for name in names[:3])
    other = next(node for node in planned.graph.nodes if node.host != names[0])
    sink.error(
        "DF833",
        f"`{other.id}` is placed on `{other.host}`, and one machine runs the nodes of one host, here `{names[0]}`",
        other.machine_span or other.span,
        help=f"run `doraflow build`, and start {scripts} of the bundle, each on its host",
    )


def run_launcher(command: list[str], nodes: list[str], output: TextOutput = TextOutput.TEXT) -> int:
    """Run the launcher to its end. A terminal's Ctrl-C reaches it by itself; a SIGTERM is handed on."""
    from doraflow.cli.loudness import Loudness, loudness
    from doraflow.cli.report import has_colour

    # A launcher by itself tells all that happens, so a quiet command shows its lines in its stead too.
    is_shown = output is TextOutput.TEXT and (has_colour(sys.stdout) or loudness() is Loudness.QUIET)
    style = ["--output", "json"] if is_shown or output is TextOutput.JSON else []
    # A handler, unlike SIG_IGN, is not inherited: the launcher hears Ctrl-C, and this process waits for its end.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        process = subprocess.Popen([*command, *style], stdout=subprocess.PIPE if is_shown else None)
        signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM))
        if process.stdout is not None:
            from doraflow.cli.stream import Stream

            Stream(nodes).show_all(line.decode("utf-8", "replace") for line in process.stdout)
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
