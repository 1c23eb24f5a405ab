"""One run of a bundle, from its files to the exit code.

The order matters: everything that can be refused is refused before the first process starts, and the run directory
outlives all processes.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.bundles.trust import find_trusted
from doraflow_runtime.control.places import RunFacts, base_directory, write_facts
from doraflow_runtime.launcher import kernel, run_directory
from doraflow_runtime.launcher.commands import commands
from doraflow_runtime.launcher.console import Console, Style
from doraflow_runtime.launcher.detaching import DetachedConsole
from doraflow_runtime.launcher.environment import inherited
from doraflow_runtime.launcher.fabric import check_fabric
from doraflow_runtime.launcher.findings import LaunchError
from doraflow_runtime.launcher.guardian import Guardian
from doraflow_runtime.launcher.host_findings import not_found_yet
from doraflow_runtime.launcher.key_folder import find_keys
from doraflow_runtime.launcher.log_files import LogFiles
from doraflow_runtime.launcher.log_folders import KEPT_RUNS, create_folder, default_folder, remove_oldest
from doraflow_runtime.launcher.log_links import log_links
from doraflow_runtime.launcher.log_readers import LogReaders
from doraflow_runtime.launcher.loop import Loop
from doraflow_runtime.launcher.meeting import AS_USUAL, Meeting, find_terms
from doraflow_runtime.launcher.node_logs import NodeLogs
from doraflow_runtime.launcher.notifying import notified
from doraflow_runtime.launcher.outlet import Outlet
from doraflow_runtime.launcher.reach import UNCHANGED, Changes, check_ports, find_reach
from doraflow_runtime.launcher.records import timestamp
from doraflow_runtime.launcher.run import Run
from doraflow_runtime.launcher.signals import SignalPipe
from doraflow_runtime.launcher.spawn import allow_many_files
from doraflow_runtime.launcher.verify import verify, verify_signed
from doraflow_runtime.launcher.wiring import address, match, node_configs, read_wiring, write_configs
from doraflow_runtime.warm.early import complete_standard_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from doraflow_runtime.contract import HostWiring, NodeConfig, Process
    from doraflow_runtime.warm.early import Warming

FAILED = 1
KILLED = 130
_STDOUT, _STDERR = 1, 2


@dataclass(frozen=True, slots=True)
class Options:
    """How to launch; `sources` and `log_folder` are None for their defaults, times are in seconds.

    `name` is that of the run, empty for one made of the dataflow's. `finish_grace` is for nodes that go on when nothing
    more comes in and all others have finished; None is for ever. `changes` is what the launch changes of the links to
    other hosts, `keys` the folder with the keys for them, and `meeting` how their launchers are waited for. `trusted`
    are files of keys, one of which must have signed the bundle.
    """

    sources: Path | None = None
    log_folder: Path | None = None
    style: Style = "text"
    start_timeout: float = 120.0
    grace: float = 5.0
    finish_grace: float | None = 120.0
    is_verified: bool = True
    trusted: tuple[Path, ...] = ()
    kept_runs: int = KEPT_RUNS
    name: str = ""
    is_detached: bool = False
    changes: Changes = UNCHANGED
    keys: Path | None = None
    meeting: Meeting = AS_USUAL


def launch(
    bundle: Path, host: str, processes: Sequence[Process], options: Options, warming: Warming | None = None
) -> int:
    """Run the processes of `host` until they have ended; the exit code.

    0 if all went well or was stopped as asked, 1 if a node failed or the bundle cannot be launched, 130 if the user
    had what was left killed. Shows what is wrong instead of raising. Main thread only: signals are handled here.
    """
    complete_standard_streams()
    loop = Loop()
    console = _console(options, loop)
    with SignalPipe() as signals:
        try:
            code = _launch(bundle, host, processes, options, loop, console, signals, warming)
        except LaunchError as error:
            for finding in error.findings:
                console.finding(finding)
            code = FAILED
        console.progress("ended", "", code=code)
    # A reader that never reads could hold us up only now, when everything has ended and signals work as usual.
    console.finish()
    loop.close()
    return code


def _console(options: Options, loop: Loop) -> Console:
    if options.is_detached:
        return DetachedConsole(Outlet(_STDOUT, loop))
    return Console(options.style, Outlet(_STDOUT, loop), Outlet(_STDERR, loop))


def _launch(
    bundle: Path,
    host: str,
    processes: Sequence[Process],
    options: Options,
    loop: Loop,
    console: Console,
    signals: SignalPipe,
    warming: Warming | None,
) -> int:
    _verify(bundle, options)
    if warming is not None:
        warming.go((str(bundle), str(bundle / "runtime")))
    # A third of what the launcher imports, which the warm process does not wait for.
    from doraflow_runtime.launcher.operating import operated
    from doraflow_runtime.launcher.supervisor import Supervisor

    wiring = read_wiring(bundle, host)
    match(wiring, processes)
    reach = find_reach(wiring, options.changes, os.environ)
    for other in reach.unknown:
        console.progress("unknown_address", not_found_yet(other, reach.addresses[other]), host=other)
    keys = find_keys(wiring, options.keys, os.environ)
    check_ports(wiring, reach)
    root = (options.sources or _sources(bundle)).resolve()
    check_fabric(wiring, root)
    shared = inherited(os.environ, bundle)
    checked = commands(processes, root, shared)
    run_id = str(uuid.uuid4())
    console.width = max((len(process.node) for process in processes), default=0)
    with _log_files(wiring, run_id, options, console) as files, contextlib.ExitStack() as ending:
        configurations = node_configs(wiring, processes, run_id, root, bundle, reach, keys)
        directory, guardian = ending.enter_context(_guarded_directory(wiring, configurations, run_id, options.name))
        if isinstance(console, DetachedConsole):
            console.keep_in(files.path)
        facts = _facts(wiring, directory, files.path, bundle)
        _write_facts(directory, facts)
        addresses = {node.id: address(index) for index, node in enumerate(wiring.nodes)}
        writers = [process.node for process in processes]
        readers = LogReaders(log_links(wiring), addresses, writers, run_id, directory, loop)
        ending.callback(readers.close)
        logs = NodeLogs(wiring.nodes, files, console, readers)
        console.progress(
            "launching", f"run {directory.name}, logs in {files.path}", run=directory.name, logs=str(files.path)
        )
        times = options.start_timeout, options.grace, options.finish_grace
        terms = find_terms(wiring, reach, run_id, bundle, keys, options.meeting, options.start_timeout)
        run = Run(wiring, checked, directory, *times, allow_many_files(), shared, root, terms, warming)
        supervisor = Supervisor(run, loop, console, logs, guardian, signals)
        with (
            operated(supervisor, facts, directory, loop, console),
            notified(lambda: supervisor.phase, os.environ, loop, console),
        ):
            supervisor.run()
    for finding in supervisor.findings:
        console.finding(finding)
    if supervisor.findings:
        return FAILED
    return KILLED if supervisor.was_hurried else 0


def _verify(bundle: Path, options: Options) -> None:
    """Check the bundle as far as was asked; a trusted key asks whatever the options say."""
    if trusted := find_trusted(options.trusted, options.keys, os.environ):
        verify_signed(bundle, trusted, options.sources)
    elif options.is_verified:
        verify(bundle)


def _sources(bundle: Path) -> Path:
    """Find the folder that paths are relative to; a bundle whose nodes all lie elsewhere has none of its own."""
    nodes = bundle / "nodes"
    return nodes if nodes.is_dir() else bundle


@contextlib.contextmanager
def _log_files(wiring: HostWiring, run_id: str, options: Options, console: Console) -> Iterator[LogFiles]:
    """Make the folder of the run's logs, where old ones of the same dataflow make room for it."""
    path = (options.log_folder or default_folder(wiring.dataflow, os.environ)).absolute()
    folder = create_folder(path, wiring.dataflow, run_id, [node.id for node in wiring.nodes], options.name)
    if options.log_folder is None:
        remove_oldest(path, options.kept_runs)
    with contextlib.closing(folder):
        files = LogFiles(path, lambda text: console.progress("log_trouble", text))
        with contextlib.closing(files):
            try:
                yield files
            except LaunchError:
                folder.discard()  # lest `doraflow logs` takes it for the newest run
                raise


@contextlib.contextmanager
def _guarded_directory(
    wiring: HostWiring, configurations: Sequence[NodeConfig], run_id: str, name: str
) -> Iterator[tuple[Path, Guardian]]:
    """Make and fill the run directory, with a guardian over it; in the end both are gone.

    The guardian goes first and removes the directory itself, unless it was killed.
    """
    directory = run_directory.create(base_directory(os.environ), wiring.dataflow, run_id[:8], name)
    kernel.adopt_orphans()
    with contextlib.ExitStack() as ending:
        ending.callback(directory.remove)
        try:
            guardian = Guardian(directory.path)
            ending.callback(guardian.dismiss)
            write_configs(configurations, directory.path)
        except OSError as error:
            raise LaunchError(run_directory.unusable(directory.path, error)) from error
        yield directory.path, guardian


def _facts(wiring: HostWiring, directory: Path, logs: Path, bundle: Path) -> RunFacts:
    """Say of the run what those need who look for it."""
    return RunFacts(
        name=directory.name,
        dataflow=wiring.dataflow,
        host=wiring.host,
        launcher=os.getpid(),
        started=timestamp(),
        logs=str(logs),
        bundle=str(bundle.absolute()),
        nodes=len(wiring.nodes),
    )


def _write_facts(directory: Path, facts: RunFacts) -> None:
    try:
        write_facts(directory, facts)
    except OSError as error:
        raise LaunchError(run_directory.unusable(directory, error)) from error
