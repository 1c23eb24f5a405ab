"""The facts of this machine, read from the system.

What cannot be read is left unknown; nothing here judges, changes or raises.
"""

from __future__ import annotations

import fcntl
import importlib
import importlib.metadata
import importlib.util
import os
import resource
import select
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.doctor.facts import Facts, RunBase, Space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doraflow.doctor.facts import Tool

NEEDED = ("pyarrow",)
OPTIONAL = ("zmq", "pygls")
_DISTRIBUTIONS = {"zmq": "pyzmq"}


def read_facts(tools: tuple[Tool, ...] = ()) -> Facts:
    """Read the facts; `tools` are those that a dataflow needs."""
    from doraflow_runtime.compiled import choose

    libraries, broken = _libraries()
    refused = _refused()
    try:
        core_fault = "" if choose("on") else "it is not used"
    except RuntimeError as error:
        core_fault = str(error).partition(", but ")[2] or str(error)
    return Facts(
        python=sys.version_info[:3],
        libraries=libraries,
        broken=broken,
        refused=refused,
        shared_memory=_space(Path("/dev/shm")),  # noqa: S108 - it is looked at only
        open_files=_limits(resource.RLIMIT_NOFILE),
        locked_memory=_limits(resource.RLIMIT_MEMLOCK)[0],
        huge_pages=_chosen(_text("/sys/kernel/mm/transparent_hugepage/shmem_enabled")),
        memory=_total_memory(),
        memory_limit=_memory_limit(),
        run_base=_run_base(),
        stale_runs=_stale_runs(),
        logs=_space(_log_folder(os.environ)),
        compiler=shutil.which("cc") or shutil.which("gcc") or shutil.which("clang"),
        core_fault=core_fault,
        clock=_text("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        governor=_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        tools=tools,
    )


def _libraries() -> tuple[dict[str, str], dict[str, str]]:
    """Give the versions of what is installed, and the errors of what cannot be imported though it is."""
    versions, broken = {}, {}
    for name in (*NEEDED, *OPTIONAL):
        try:
            if importlib.util.find_spec(name) is None:
                continue
            if name in NEEDED or name == "zmq":
                importlib.import_module(name)
            versions[name] = importlib.metadata.version(_DISTRIBUTIONS.get(name, name))
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "of unknown version"
        except Exception as error:  # noqa: BLE001 - a broken library may raise anything, which is what is told
            broken[name] = str(error) or type(error).__name__
    return versions, broken


def _refused() -> dict[str, str]:
    """Try what the runtime needs of the kernel, and give what it refuses."""
    probes: Mapping[str, Callable[[], None]] = {
        "memfd": _seal,
        "epoll": lambda: select.epoll().close(),
        "eventfd": lambda: os.close(os.eventfd(0)),
        "pidfd": lambda: os.close(os.pidfd_open(os.getpid())),
    }
    refused = {}
    for name, probe in probes.items():
        try:
            probe()
        except (OSError, AttributeError) as error:
            refused[name] = (getattr(error, "strerror", None) or str(error)).lower()
    return refused


def _seal() -> None:
    descriptor = os.memfd_create("doraflow-doctor", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, 4096)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    finally:
        os.close(descriptor)


def _space(path: Path) -> Space | None:
    """Measure the place of a folder, or of the nearest one above it that is there."""
    there = next((each for each in (path, *path.parents) if each.is_dir()), None)
    if there is None:
        return None
    try:
        usage = shutil.disk_usage(there)
    except OSError:
        return None
    return Space(str(path), usage.total, usage.free)


def _limits(which: int) -> tuple[int | None, int | None]:
    soft, hard = resource.getrlimit(which)
    return tuple(None if each == resource.RLIM_INFINITY else each for each in (soft, hard))  # type: ignore[return-value]  # of two


def _total_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def _memory_limit() -> int | None:
    """Read the least limit of the control groups that this process is in."""
    group = (_text("/proc/self/cgroup") or "").rpartition("::")[2].strip().strip("/")
    above = [Path("/sys/fs/cgroup", group), *Path("/sys/fs/cgroup", group).parents]
    texts = [_text(str(each / "memory.max")) for each in above]
    texts.append(_text("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
    limits = [int(text) for text in texts if text and text.isdigit()]
    return min(limits, default=None)


def _run_base() -> RunBase | None:
    from doraflow_runtime.control.places import base_directory

    try:
        path = base_directory(os.environ)
        found = path.stat()
    except FileNotFoundError:
        return RunBase(str(path), is_there=False, is_writable=os.access(path.parent, os.W_OK | os.X_OK))
    except OSError:
        return None
    is_private = found.st_uid == os.getuid() and not found.st_mode & 0o077
    return RunBase(str(path), is_private=is_private, is_writable=os.access(path, os.W_OK | os.X_OK))


def _stale_runs() -> tuple[str, ...]:
    from doraflow.operate.choosing import known_runs

    try:
        return tuple(run.name for run in known_runs() if not run.is_alive)
    except OSError:
        return ()


def _log_folder(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/"), ".local", "state"))
    return Path(state, "doraflow")


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _chosen(text: str | None) -> str | None:
    """Take the word in brackets: `always [never]` is `never`."""
    return text.partition("[")[2].partition("]")[0] or None if text else None
