"""The compiler's stages in their order: from a path to a graph, a plan, and the files of a bundle.

Each stage gets what the one before it made; after errors a stage gives None and the rest is not run.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.collector import held_back
from doraflow.diagnostics import Sink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.analysis.locking import Facts
    from doraflow.codegen.fileset import FileSet, GeneratedFile
    from doraflow.diagnostics import Diagnostic
    from doraflow.ir import BuildStep, Graph, Pin, Plan
    from doraflow.parser.document import Document
    from doraflow.parser.lock import Lock
    from doraflow.policy.apply import Ignored
    from doraflow.target_registry import Target


class LockUse(StrEnum):
    """What the lock is to a compilation.

    It is kept to as far as that is possible, the dataflow is held to it, it is taken as it is, or it is made anew.
    """

    KEPT = "kept"
    LOCKED = "locked"
    FROZEN = "frozen"
    ANEW = "anew"


@dataclass(frozen=True, slots=True)
class Options:
    """How to compile.

    Whether warnings are errors, whether sources must exist, where the machines are listed, which profile is chosen,
    and whether types are asked for as the dataflow's `strict_types` does.

    `unsaved` are texts that stand for those of their files, by the path that messages show. `lock` tells how the lock
    is used, and `freed` names the nodes that are placed anew whatever it says.
    """

    strict: bool = False
    check_sources: bool = True
    inventory: Path | None = None
    profile: str | None = None
    strict_types: bool = False
    unsaved: Mapping[str, str] = field(default_factory=dict)
    lock: LockUse = LockUse.KEPT
    freed: frozenset[str] = frozenset()


@dataclass(slots=True)
class Compilation:
    """What a compilation has come to so far.

    `texts` maps the display path of each file of the dataflow to its text, `settings_texts` those of the
    settings file and the lock.
    `ignored` are the findings that comments in these files ignore. `lock` is the lock file that was found.
    """

    source: Path
    sink: Sink
    texts: dict[str, str] = field(default_factory=dict)
    document: Document | None = None
    graph: Graph | None = None
    plan: Plan | None = None
    settings_texts: dict[str, str] = field(default_factory=dict)
    ignored: tuple[Ignored, ...] = ()
    lock: Lock | None = None
    options: Options = field(default_factory=Options)

    @property
    def folder(self) -> Path:
        """The folder that paths in the dataflow are relative to."""
        return self.source.parent

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings so far, in the order of the source."""
        return self.sink.diagnostics()

    def all_texts(self) -> dict[str, str]:
        """The texts of all files that findings may stand in."""
        return {**self.texts, **self.settings_texts}

    def steps(self) -> tuple[BuildStep, ...]:
        """The build steps, those of modules before those of the nodes inside."""
        inner = [step for node in self.graph.nodes for step in node.builds] if self.graph else []
        return (*(self.document.module_builds if self.document else ()), *inner)


@held_back()
def check(source: Path, options: Options) -> Compilation:
    """Read and analyse a dataflow: all findings, and the graph if it has no errors."""
    from doraflow.analysis.graph import build_graph
    from doraflow.analysis.passes import analyse
    from doraflow.analysis.user_types import read_library
    from doraflow.build.sources import check_paths, check_sources
    from doraflow.parser.load import load
    from doraflow.policy.apply import Policy, apply_policy
    from doraflow.policy.provenance import with_provenance
    from doraflow.policy.settings import read_settings

    made = Compilation(source, Sink(), dict(options.unsaved), options=options)
    sink = made.sink
    settings = read_settings(made.folder, sink, made.settings_texts)
    made.document = load(source, sink, options.inventory, made.texts, options.profile)
    graph = build_graph(made.document, sink) if made.document and not sink.is_flooded else None
    if made.document is not None and graph is not None and not sink.is_flooded:
        is_strict = graph.strict_types or options.strict_types
        graph = replace(graph, strict_types=is_strict, pins=_read_pins(made))
        graph = analyse(graph, read_library(made.document.type_files, sink), sink)
        missing = check_sources(graph, made.folder, sink) if options.check_sources else ()
        check_paths(graph, sink, missing)
        made.graph = graph
        _hold_to_lock(made, graph)
    sink.found = with_provenance(sink.found, made.document.included if made.document else {})
    policy = Policy(settings, options.strict or settings.strict, options.check_sources)
    made.ignored = apply_policy(sink, policy, made.texts)
    sink.strict = policy.strict
    if options.lock is LockUse.LOCKED:
        sink.raise_to_error("DF893")
    return made


def _read_pins(made: Compilation) -> dict[str, Pin]:
    """Read the lock, and give the machines that it has for nodes; a module file has none."""
    from doraflow.parser.lock import read_lock

    if made.document is None or made.document.exports is not None:
        return {}
    made.lock = read_lock(made.source, made.sink, made.settings_texts)
    if made.lock is None or made.options.lock is LockUse.ANEW:
        return {}
    from doraflow.analysis.locking import pins_of

    section = made.lock.section(made.options.profile)
    return pins_of(section, made.options.freed, is_firm=made.options.lock is LockUse.FROZEN)


def _hold_to_lock(made: Compilation, graph: Graph) -> None:
    """Report where lock and dataflow differ, as far as that is asked for."""
    if made.sink.has_errors or made.options.lock not in (LockUse.LOCKED, LockUse.FROZEN):
        return
    from doraflow.analysis.locking import check_drift, check_firm, check_unpinned

    facts = _facts(made)
    if made.lock is None:
        check_unpinned(graph, facts, made.sink)
    elif made.options.lock is LockUse.FROZEN:
        check_firm(graph, made.lock.section(made.options.profile), facts, made.sink)
    else:
        check_drift(graph, made.lock.section(made.options.profile), facts, made.sink)


def new_lock(made: Compilation, *, is_wanted: bool = False) -> tuple[Path, str] | None:
    """Give the lock that a compilation without errors asks for, where it lies and its text; None if it asks for none.

    A dataflow in which machines are chosen asks for one. Any other gets one if that `is_wanted`, or has one already.
    """
    from doraflow.analysis.locking import chosen_hosts
    from doraflow.codegen.lock_text import Pins, lock_text
    from doraflow.parser.lock import lock_path

    if made.graph is None or made.graph.exports is not None or made.sink.has_errors:
        return None
    profile = made.options.profile
    placement = chosen_hosts(made.graph)
    if placement is None:  # nothing could be chosen, so nothing is known of what was
        before = made.lock.section(profile).placement if made.lock is not None else {}
        placement = {node: pinned.value for node, pinned in before.items()}
    pins = Pins(placement, _facts(made).files)
    if made.lock is None and not placement and not (is_wanted and pins):
        return None
    return lock_path(made.source), lock_text(pins, profile, made.lock)


def _facts(made: Compilation) -> Facts:
    """Say what a lock is held against: the dataflow's modules, types and manifests, but not its list of machines."""
    from doraflow.analysis.locking import Facts
    from doraflow.codegen.fileset import digest_of
    from doraflow.parser.lock import lock_path

    inventory = made.options.inventory
    apart = {made.source.as_posix(), inventory.as_posix() if inventory is not None else ""}
    texts = {name: text for name, text in made.texts.items() if name not in apart}
    files = {_relative(name, made.folder): f"sha256:{digest_of(text.encode())}" for name, text in texts.items()}
    included = made.document.included if made.document is not None else {}
    asked = {_relative(name, made.folder): label for name, label in included.items()}
    chosen = (("--inventory", inventory and inventory.as_posix()), ("--profile", made.options.profile))
    options = "".join(f" {option} {shlex.quote(value)}" for option, value in chosen if value)
    return Facts(lock_path(made.source).as_posix(), made.source.as_posix(), files, asked, options)


@held_back()
def plan(made: Compilation) -> Plan | None:
    """Lower a checked dataflow; None after errors. What this version cannot run is an error from here on."""
    from doraflow.analysis.lower import lower
    from doraflow.analysis.support import UNRUNNABLE

    made.sink.raise_to_error(UNRUNNABLE)
    if made.document is not None and made.document.exports is not None:
        _refuse_module(made.document, made.sink)
    if made.graph is None or made.sink.has_errors:
        return None
    made.plan = lower(made.graph)
    return made.plan


def _refuse_module(document: Document, sink: Sink) -> None:
    sink.error(
        "DF120",
        "this is a module file, and only a dataflow can be built and run",
        document.syntax.key_span("module"),
        help=f"name it in a node of a dataflow, `module: {document.source}`, and give the dataflow's path",
    )


@held_back()
def generate(made: Compilation, targets: Sequence[Target] = ()) -> FileSet | None:
    """Generate the bundle of a planned dataflow, with the files of deploy targets; None after errors."""
    from doraflow import __version__
    from doraflow.build.sources import collect_sources
    from doraflow.codegen.bundle import generate as generate_files

    if made.plan is None or made.sink.has_errors:
        return None
    try:
        sources = collect_sources(made.plan, made.folder)
    except OSError as error:
        made.sink.error(
            "DF601",
            f"`{error.filename}` cannot be read: {(error.strerror or str(error)).lower()}",
            help="make the file readable",
        )
        return None
    engines = _target_files(made.plan, targets, made.sink) if targets else ()
    if made.sink.has_errors:
        return None
    inputs = {_relative(name, made.folder): text.encode() for name, text in made.texts.items()}
    return generate_files(made.plan, sources, runtime_files(), inputs, __version__, engines)


def _target_files(plan: Plan, targets: Sequence[Target], sink: Sink) -> Sequence[GeneratedFile]:
    from doraflow.target_registry import target_files

    return target_files(targets, plan, sink)


def runtime_files() -> dict[str, bytes]:
    """Read the runtime package, which every bundle carries: its modules by path, in order."""
    import doraflow_runtime

    root = Path(doraflow_runtime.__path__[0])
    wanted = [path for path in sorted(root.rglob("*")) if path.suffix in (".py", ".pyi") or path.name == "py.typed"]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in wanted}


def _relative(name: str, folder: Path) -> str:
    return Path(os.path.relpath(name, folder)).as_posix()
