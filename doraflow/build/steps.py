"""Build steps as doit tasks: run in parallel, and again only when something that decides has changed.

doit keeps the digests in a database in the state folder; each step's output is a log file there.
"""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

from doraflow.analysis.command_line import shown_syntax
from doraflow.build.digests import environment_digest, sources_digest
from doraflow.build.running import Processes, StepFailure, run_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from doraflow.diagnostics import Sink
    from doraflow.ir import BuildStep

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def run_steps(
    steps: Sequence[BuildStep],
    folder: Path,
    state: Path,
    jobs: int,
    sink: Sink,
    *,
    notice: Callable[[BuildStep, str], None] = lambda _step, _event: None,
    decided: Callable[[BuildStep, str | None], None] = lambda _step, _digest: None,
    rebuild: bool = False,
) -> bool:
    """Run the steps that need it, at most `jobs` at a time; False after findings (DF604, DF605).

    `folder` is the dataflow's, `state` holds database and logs. When a step fails, those that run are finished, and
    those that wait for it are not begun. Nothing is left running on any way out. `decided` gets the digest of what each
    step has read, as doit keeps it.
    """
    if not steps:
        return True
    processes = Processes()
    failures: list[StepFailure] = []
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = frozenset(map(_name, steps))
        tasks = [_task(step, names, folder, state, processes, failures, notice, decided) for step in steps]
        # doit puts other streams in their places while a step runs, and of several at once one is not put back.
        with redirect_stdout(sys.stdout), redirect_stderr(sys.stderr):
            code = _run_doit(tasks, state, jobs, rebuild=rebuild)
    except OSError as error:
        sink.error(
            "DF605",
            f"the build's state cannot be kept in `{state}`: {(error.strerror or str(error)).lower()}",
            help="set XDG_CACHE_HOME to a folder that you may write to",
        )
        return False
    finally:
        processes.end()
    for failure in sorted(failures, key=lambda item: steps.index(item.step)):
        _tell(failure, sink)
    if code and not failures:
        sink.error("DF605", "the build steps were not run to their end", help="run the command again")
    return code == 0


def _task(
    step: BuildStep,
    names: frozenset[str],
    folder: Path,
    state: Path,
    processes: Processes,
    failures: list[StepFailure],
    notice: Callable[[BuildStep, str], None],
    decided: Callable[[BuildStep, str | None], None],
) -> dict[str, object]:
    from doit.tools import config_changed

    def act() -> bool:
        notice(step, "started")
        failure = run_step(step, folder, log_file(state, step), processes)
        if failure is not None:
            failures.append(failure)
        notice(step, "failed" if failure else "done")
        return failure is None

    def digest() -> str | None:
        taken = sources_digest(step, folder)
        decided(step, taken)
        return taken

    def is_unchanged(task: object, values: dict[str, str | None]) -> bool:
        task.value_savers.append(lambda: {"sources": digest()})  # type: ignore[attr-defined]
        before = values.get("sources")
        return before is not None and before == digest()

    return {
        "name": _name(step),
        "actions": [act],
        "uptodate": [config_changed(environment_digest(step)), is_unchanged],
        "task_dep": [name for name in _around(step) if name in names],
        "doc": step.owner,
        "meta": {"skipped": lambda: notice(step, "unchanged")},
    }


def log_file(state: Path, step: BuildStep) -> Path:
    """Name the log file of a step."""
    return state / "logs" / f"{_name(step)}.log"


def _name(step: BuildStep) -> str:
    return _UNSAFE.sub("__", step.owner)


def _around(step: BuildStep) -> list[str]:
    """Name the builds of the modules that `step` may lie in, the outermost first."""
    parts = step.owner.split(".")
    return [_UNSAFE.sub("__", ".".join(parts[:end])) for end in range(1, len(parts))]


def _run_doit(tasks: list[dict[str, object]], state: Path, jobs: int, *, rebuild: bool) -> int:
    from doit.cmd_base import TaskLoader2
    from doit.doit_cmd import DoitMain
    from doit.reporter import ZeroReporter
    from doit.task import dict_to_task

    class Reporter(ZeroReporter):  # type: ignore[misc]
        """Passes the news of an unchanged step on; everything else is told by the steps themselves."""

        def skip_uptodate(self, task: object) -> None:
            task.meta["skipped"]()  # type: ignore[attr-defined]

    class Loader(TaskLoader2):  # type: ignore[misc]
        """Gives doit the tasks."""

        def setup(self, opt_values: object) -> None:
            del opt_values

        def load_doit_config(self) -> dict[str, object]:
            return {
                "dep_file": str(state / "steps.db"),
                "backend": "sqlite3",
                "reporter": Reporter,
                "continue": True,
                "verbosity": 0,
                "num_process": jobs if jobs > 1 else 0,
                "par_type": "thread",
                "always": rebuild,
            }

        def load_tasks(self, cmd: object, pos_args: object) -> list[object]:
            del cmd, pos_args
            return [dict_to_task(task) for task in tasks]

    return int(DoitMain(Loader(), config_filenames=()).run(["run"]) or 0)


def _tell(failure: StepFailure, sink: Sink) -> None:
    step = failure.step
    if failure.exit_code is None:
        found = shown_syntax(failure.shell_syntax) if failure.shell_syntax else None
        mend = f"no shell reads build commands, so {found} means nothing: write one command a line" if found else None
        sink.error(
            "DF605",
            f"the build command `{failure.command}` of `{step.owner}` cannot be started: {failure.reason}",
            step.span,
            help=mend or failure.mend,
        )
        return
    ended = f"exit code {failure.exit_code}" if failure.exit_code > 0 else f"signal {-failure.exit_code}"
    sink.error(
        "DF604",
        f"the build command `{failure.command}` of `{step.owner}` failed with {ended}",
        step.span,
        notes=[f"it ran in `{failure.folder}`", *failure.tail],
        help=f"{failure.mend}; the whole output is in `{failure.log}`"
        if failure.mend
        else f"read the whole output in `{failure.log}`",
    )
