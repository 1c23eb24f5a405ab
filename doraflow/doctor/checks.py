"""The checks: each judges some facts and gives one result, in the order in which they are told.

Pure: a machine that is not at hand can be judged as well. A problem keeps dataflows from running; an advice makes them
run better.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from doraflow.build.mends import mend_of_program

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow.doctor.facts import Facts

_MIB = 2**20
_GIB = 2**30
OLDEST_PYTHON = (3, 11)
OLDEST_PYARROW = 17
ENOUGH_FILES = 4096
ENOUGH_SHARED_MEMORY = 256 * _MIB
ENOUGH_MEMORY = 512 * _MIB
ENOUGH_FOR_LOGS = _GIB
QUICK_CLOCKS = ("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page")
STEADY_GOVERNORS = ("performance", "schedutil")


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    ADVICE = "advice"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found, and the edit or command that mends it."""

    name: str
    state: State
    found: str
    mend: str = ""


def examine(facts: Facts) -> tuple[Result, ...]:
    """Judge a machine."""
    tools = tuple(_tool(tool.program, tool.owner, is_there=tool.is_there) for tool in facts.tools)
    return (*(check(facts) for check in CHECKS), *tools)


def python(facts: Facts) -> Result:
    """Judge the version of Python."""
    version = ".".join(map(str, facts.python))
    if facts.python[:2] < OLDEST_PYTHON:
        return Result("python", State.PROBLEM, f"Python {version}", "install Python 3.11 or newer, and doraflow for it")
    return Result("python", State.OK, f"Python {version}")


def pyarrow(facts: Facts) -> Result:
    """Judge pyarrow, which every node needs."""
    install = f"run `pip install 'pyarrow>={OLDEST_PYARROW}'`"
    if "pyarrow" in facts.broken:
        return Result("pyarrow", State.PROBLEM, f"cannot be imported: {facts.broken['pyarrow']}", install)
    version = facts.libraries.get("pyarrow")
    if version is None:
        return Result("pyarrow", State.PROBLEM, "not installed: no node can run", install)
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST_PYARROW:
        return Result("pyarrow", State.PROBLEM, f"pyarrow {version} is too old", install)
    return Result("pyarrow", State.OK, f"pyarrow {version}")


def pyzmq(facts: Facts) -> Result:
    """Judge pyzmq, which links between machines need."""
    if "zmq" in facts.broken:
        return Result("pyzmq", State.ADVICE, f"cannot be imported: {facts.broken['zmq']}", "run `pip install pyzmq`")
    version = facts.libraries.get("zmq")
    if version is None:
        return Result(
            "pyzmq", State.ADVICE, "not installed: only links between machines need it", "run `pip install pyzmq`"
        )
    return Result("pyzmq", State.OK, f"pyzmq {version}")


def sealed_memory(facts: Facts) -> Result:
    """Judge whether shared memory can be sealed."""
    if "memfd" in facts.refused:
        found = f"memory cannot be shared and sealed: {facts.refused['memfd']}"
        return Result(
            "sealed memory", State.PROBLEM, found, "allow `memfd_create` and seals, in the container's profile"
        )
    return Result("sealed memory", State.OK, "memory can be shared and sealed")


def kernel(facts: Facts) -> Result:
    """Judge what the runtime asks of the kernel beside memory."""
    missing = [name for name in ("epoll", "eventfd", "pidfd") if name in facts.refused]
    if missing:
        told = ", ".join(f"{name} ({facts.refused[name]})" for name in missing)
        return Result("kernel", State.PROBLEM, f"refused: {told}", "use Linux 5.3 or newer, and allow these calls")
    return Result("kernel", State.OK, "epoll, eventfd and pidfd work")


def shared_memory(facts: Facts) -> Result:
    """Judge the size of /dev/shm."""
    space = facts.shared_memory
    if space is None:
        return Result("shared memory", State.ADVICE, "not there: runs lie on a disk", "mount a tmpfs at `/dev/shm`")
    told = f"{size(space.free)} of {size(space.total)} free at `{space.path}`"
    if space.free < ENOUGH_SHARED_MEMORY:
        return Result(
            "shared memory", State.ADVICE, told, "remove files there, or start the container with `--shm-size=1g`"
        )
    return Result("shared memory", State.OK, told)


def open_files(facts: Facts) -> Result:
    """Judge how many files a process may open; each connection of a node is one."""
    soft, hard = facts.open_files
    if soft is not None and soft < ENOUGH_FILES:
        room = hard is None or hard >= ENOUGH_FILES
        mend = f"run `ulimit -n {ENOUGH_FILES}`" if room else "raise `nofile` in /etc/security/limits.conf"
        return Result("open files", State.ADVICE, f"a process may open {soft}, and large dataflows need more", mend)
    return Result("open files", State.OK, f"a process may open {'any number' if soft is None else soft}")


def locked_memory(facts: Facts) -> Result:
    """Tell of locked memory and huge pages: neither is needed."""
    locked = "any amount" if facts.locked_memory is None else size(facts.locked_memory)
    pages = facts.huge_pages or "unknown"
    told = f"{locked} may be locked, huge pages of shared memory: {pages}"
    if facts.huge_pages in ("never", "deny"):
        mend = "for large messages write `advise` to /sys/kernel/mm/transparent_hugepage/shmem_enabled"
        return Result("memory pages", State.OK, told, mend)
    return Result("memory pages", State.OK, told)


def memory(facts: Facts) -> Result:
    """Judge the memory, or what the control group leaves of it."""
    known = [each for each in (facts.memory, facts.memory_limit) if each is not None]
    if not known:
        return Result("memory", State.ADVICE, "its size is not known", "compare `shared_memory_pool_size` with it")
    least = min(known)
    limited = facts.memory_limit is not None and least == facts.memory_limit
    told = f"{size(least)}{', the limit of the control group' if limited else ''}"
    if least < ENOUGH_MEMORY:
        mend = (
            "raise the limit, such as `--memory=2g`" if limited else "set `shared_memory_pool_size` of the nodes lower"
        )
        return Result("memory", State.ADVICE, told, mend)
    return Result("memory", State.OK, told)


def run_base(facts: Facts) -> Result:
    """Judge the folder of the runs."""
    base = facts.run_base
    name = "run folder"
    if base is None:
        return Result(name, State.PROBLEM, "it cannot be looked at", "set `DORAFLOW_RUN_BASE` to a folder of your own")
    if not base.is_private:
        mend = f"run `chmod 700 {base.path}`, or set `DORAFLOW_RUN_BASE` to a folder of your own"
        return Result(name, State.PROBLEM, f"`{base.path}` is open to others", mend)
    if not base.is_writable:
        mend = "set `DORAFLOW_RUN_BASE` to a folder of your own"
        return Result(name, State.PROBLEM, f"`{base.path}` cannot be written", mend)
    return Result(name, State.OK, f"`{base.path}`, {'private' if base.is_there else 'made at the first run'}")


def stale_runs(facts: Facts) -> Result:
    """Tell of runs whose launcher was killed."""
    if facts.stale_runs:
        count = len(facts.stale_runs)
        told = f"{count} run{'' if count == 1 else 's'} whose launcher was killed: {', '.join(facts.stale_runs[:5])}"
        return Result("stale runs", State.ADVICE, told, "start any dataflow: the next run removes what is left of them")
    return Result("stale runs", State.OK, "none")


def logs(facts: Facts) -> Result:
    """Judge the room for logs."""
    space = facts.logs
    if space is None:
        return Result(
            "logs", State.PROBLEM, "their place cannot be measured", "set `XDG_STATE_HOME` to a folder of yours"
        )
    told = f"{size(space.free)} free for `{space.path}`"
    if space.free < ENOUGH_FOR_LOGS:
        return Result("logs", State.ADVICE, told, "make room, or name another place with `--log-dir`")
    return Result("logs", State.OK, told)


def compiled_core(facts: Facts) -> Result:
    """Tell whether the message path is compiled."""
    if not facts.core_fault:
        return Result("compiled core", State.OK, "in use")
    first = "install a C compiler, then " if facts.compiler is None else ""
    mend = f"{first}install doraflow again, so that the core is built with it"
    return Result("compiled core", State.ADVICE, f"Python is used instead: {facts.core_fault}", mend)


def clock(facts: Facts) -> Result:
    """Judge the clock, which every message reads."""
    if facts.clock is not None and facts.clock not in QUICK_CLOCKS:
        mend = "write `tsc` to /sys/devices/system/clocksource/clocksource0/current_clocksource"
        return Result("clock", State.ADVICE, f"`{facts.clock}` takes a system call each time it is read", mend)
    return Result("clock", State.OK, facts.clock or "not known")


def governor(facts: Facts) -> Result:
    """Judge how the processor chooses its speed."""
    if facts.governor is not None and facts.governor not in STEADY_GOVERNORS:
        told = f"`{facts.governor}` slows waking nodes down"
        return Result("processor", State.ADVICE, told, "run `sudo cpupower frequency-set -g performance`")
    return Result("processor", State.OK, facts.governor or "its speed is not governed from here")


def editor(facts: Facts) -> Result:
    """Tell whether the language server can run."""
    version = facts.libraries.get("pygls")
    if version is None:
        told = "the language server is not installed"
        return Result("editor", State.OK, told, "for findings in your editor run `pip install 'doraflow[lsp]'`")
    return Result("editor", State.OK, f"the language server can run, with pygls {version}")


CHECKS: tuple[Callable[[Facts], Result], ...] = (
    *(python, pyarrow, pyzmq, compiled_core, sealed_memory, kernel, shared_memory, memory, locked_memory),
    *(open_files, run_base, stale_runs, logs, clock, governor, editor),
)


def _tool(program: str, owner: str, *, is_there: bool) -> Result:
    if is_there:
        return Result(program, State.OK, f"found; `{owner}` is built with it")
    return Result(program, State.PROBLEM, f"not found, and `{owner}` is built with it", mend_of_program(program))


def size(count: int) -> str:
    """Write a number of bytes for people.

    >>> size(3 * 2**30), size(64 * 2**10)
    ('3.0 GiB', '64.0 KiB')
    """
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
