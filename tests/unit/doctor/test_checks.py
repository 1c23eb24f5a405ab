"""Each check of the machine, judged on facts that are given to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doraflow.doctor import checks
from doraflow.doctor.checks import CHECKS, Result, State, examine
from doraflow.doctor.facts import Facts, RunBase, Space, Tool
from doraflow.doctor.reading import read_facts

GIB = 2**30
GOOD = Facts(
    python=(3, 12, 1),
    libraries={"pyarrow": "20.0.0", "zmq": "27.0", "pygls": "2.0"},
    shared_memory=Space("/dev/shm", 8 * GIB, 7 * GIB),
    open_files=(65536, None),
    locked_memory=8 * 2**20,
    huge_pages="advise",
    memory=16 * GIB,
    run_base=RunBase("/dev/shm/doraflow-7"),
    logs=Space("/home/a/.local/state/doraflow", 100 * GIB, 50 * GIB),
    compiler="/usr/bin/cc",
    clock="tsc",
    governor="performance",
)


def test_a_good_machine_has_nothing_to_mend() -> None:
    assert [(result.name, result.found, result.state, result.mend) for result in examine(GOOD)] == [
        (name, found, State.OK, "")
        for name, found in [
            ("python", "Python 3.12.1"),
            ("pyarrow", "pyarrow 20.0.0"),
            ("pyzmq", "pyzmq 27.0"),
            ("compiled core", "in use"),
            ("sealed memory", "memory can be shared and sealed"),
            ("kernel", "epoll, eventfd and pidfd work"),
            ("shared memory", "7.0 GiB of 8.0 GiB free at `/dev/shm`"),
            ("memory", "16.0 GiB"),
            ("memory pages", "8.0 MiB may be locked, huge pages of shared memory: advise"),
            ("open files", "a process may open 65536"),
            ("run folder", "`/dev/shm/doraflow-7`, private"),
            ("stale runs", "none"),
            ("logs", "50.0 GiB free for `/home/a/.local/state/doraflow`"),
            ("clock", "tsc"),
            ("processor", "performance"),
            ("editor", "the language server can run, with pygls 2.0"),
        ]
    ]


PROBLEM, ADVICE, OK = State.PROBLEM, State.ADVICE, State.OK
JUDGED: list[tuple[Facts, Result]] = [
    (
        replace(GOOD, python=(3, 10, 2)),
        Result("python", PROBLEM, "Python 3.10.2", "install Python 3.11 or newer, and doraflow for it"),
    ),
    (
        replace(GOOD, libraries={}),
        Result("pyarrow", PROBLEM, "not installed: no node can run", "run `pip install 'pyarrow>=17'`"),
    ),
    (
        replace(GOOD, libraries={"pyarrow": "9.0.0"}),
        Result("pyarrow", PROBLEM, "pyarrow 9.0.0 is too old", "run `pip install 'pyarrow>=17'`"),
    ),
    (
        replace(GOOD, broken={"pyarrow": "libarrow.so: no such file"}),
        Result("pyarrow", PROBLEM, "cannot be imported: libarrow.so: no such file", "run `pip install 'pyarrow>=17'`"),
    ),
    (
        replace(GOOD, libraries={"pyarrow": "20.0"}),
        Result("pyzmq", ADVICE, "not installed: only links between machines need it", "run `pip install pyzmq`"),
    ),
    (
        replace(GOOD, broken={"zmq": "no libzmq"}),
        Result("pyzmq", ADVICE, "cannot be imported: no libzmq", "run `pip install pyzmq`"),
    ),
    (
        replace(GOOD, core_fault="it is not built", compiler=None),
        Result(
            "compiled core",
            ADVICE,
            "Python is used instead: it is not built",
            "install a C compiler, then install doraflow again, so that the core is built with it",
        ),
    ),
    (
        replace(GOOD, refused={"memfd": "function not implemented"}),
        Result(
            "sealed memory",
            PROBLEM,
            "memory cannot be shared and sealed: function not implemented",
            "allow `memfd_create` and seals, in the container's profile",
        ),
    ),
    (
        replace(GOOD, refused={"pidfd": "operation not permitted"}),
        Result(
            "kernel",
            PROBLEM,
            "refused: pidfd (operation not permitted)",
            "use Linux 5.3 or newer, and allow these calls",
        ),
    ),
    (
        replace(GOOD, shared_memory=Space("/dev/shm", 64 * 2**20, 60 * 2**20)),
        Result(
            "shared memory",
            ADVICE,
            "60.0 MiB of 64.0 MiB free at `/dev/shm`",
            "remove files there, or start the container with `--shm-size=1g`",
        ),
    ),
    (
        replace(GOOD, shared_memory=None),
        Result("shared memory", ADVICE, "not there: runs lie on a disk", "mount a tmpfs at `/dev/shm`"),
    ),
    (
        replace(GOOD, open_files=(1024, 1048576)),
        Result("open files", ADVICE, "a process may open 1024, and large dataflows need more", "run `ulimit -n 4096`"),
    ),
    (
        replace(GOOD, open_files=(1024, 1024)),
        Result(
            "open files",
            ADVICE,
            "a process may open 1024, and large dataflows need more",
            "raise `nofile` in /etc/security/limits.conf",
        ),
    ),
    (
        replace(GOOD, huge_pages="never", locked_memory=None),
        Result(
            "memory pages",
            OK,
            "any amount may be locked, huge pages of shared memory: never",
            "for large messages write `advise` to /sys/kernel/mm/transparent_hugepage/shmem_enabled",
        ),
    ),
    (
        replace(GOOD, memory_limit=256 * 2**20),
        Result(
            "memory",
            ADVICE,
            "256.0 MiB, the limit of the control group",
            "raise the limit, such as `--memory=2g`",
        ),
    ),
    (
        replace(GOOD, memory=256 * 2**20),
        Result("memory", ADVICE, "256.0 MiB", "set `shared_memory_pool_size` of the nodes lower"),
    ),
    (
        replace(GOOD, memory=None),
        Result("memory", ADVICE, "its size is not known", "compare `shared_memory_pool_size` with it"),
    ),
    (
        replace(GOOD, run_base=RunBase("/dev/shm/doraflow-7", is_private=False)),
        Result(
            "run folder",
            PROBLEM,
            "`/dev/shm/doraflow-7` is open to others",
            "run `chmod 700 /dev/shm/doraflow-7`, or set `DORAFLOW_RUN_BASE` to a folder of your own",
        ),
    ),
    (
        replace(GOOD, run_base=RunBase("/mnt/x", is_there=False, is_writable=False)),
        Result("run folder", PROBLEM, "`/mnt/x` cannot be written", "set `DORAFLOW_RUN_BASE` to a folder of your own"),
    ),
    (
        replace(GOOD, run_base=RunBase("/mnt/x", is_there=False)),
        Result("run folder", OK, "`/mnt/x`, made at the first run"),
    ),
    (
        replace(GOOD, run_base=None),
        Result("run folder", PROBLEM, "it cannot be looked at", "set `DORAFLOW_RUN_BASE` to a folder of your own"),
    ),
    (
        replace(GOOD, stale_runs=("vision-1", "vision-2")),
        Result(
            "stale runs",
            ADVICE,
            "2 runs whose launcher was killed: vision-1, vision-2",
            "start any dataflow: the next run removes what is left of them",
        ),
    ),
    (
        replace(GOOD, logs=Space("/var/logs", GIB, 2**20)),
        Result("logs", ADVICE, "1.0 MiB free for `/var/logs`", "make room, or name another place with `--log-dir`"),
    ),
    (
        replace(GOOD, logs=None),
        Result("logs", PROBLEM, "their place cannot be measured", "set `XDG_STATE_HOME` to a folder of yours"),
    ),
    (
        replace(GOOD, clock="hpet"),
        Result(
            "clock",
            ADVICE,
            "`hpet` takes a system call each time it is read",
            "write `tsc` to /sys/devices/system/clocksource/clocksource0/current_clocksource",
        ),
    ),
    (
        replace(GOOD, governor="powersave"),
        Result(
            "processor",
            ADVICE,
            "`powersave` slows waking nodes down",
            "run `sudo cpupower frequency-set -g performance`",
        ),
    ),
    (
        replace(GOOD, libraries={"pyarrow": "20.0", "zmq": "27.0"}),
        Result(
            "editor",
            OK,
            "the language server is not installed",
            "for findings in your editor run `pip install 'doraflow[lsp]'`",
        ),
    ),
    (
        replace(GOOD, tools=(Tool("cargo", "arm", is_there=False),)),
        Result(
            "cargo",
            PROBLEM,
            "not found, and `arm` is built with it",
            "install Rust from https://rustup.rs; where it is installed, add its folder to `PATH`",
        ),
    ),
    (
        replace(GOOD, tools=(Tool("git", "arm", is_there=True),)),
        Result("git", OK, "found; `arm` is built with it"),
    ),
]


@pytest.mark.parametrize(("facts", "expected"), JUDGED, ids=[f"{result.name}: {result.found}" for _, result in JUDGED])
def test_a_fact_leads_to_its_result(facts: Facts, expected: Result) -> None:
    found = {result.name: result for result in examine(facts)}
    assert found[expected.name] == expected


def test_nothing_known_is_judged_without_a_fault() -> None:
    assert len(examine(Facts())) == len(CHECKS)


def test_every_problem_and_advice_says_what_to_do() -> None:
    for facts, _ in JUDGED:
        assert all(result.mend for result in examine(facts) if result.state is not State.OK)


def test_this_machine_can_be_read_and_runs_dataflows() -> None:
    facts = read_facts()
    assert facts.libraries["pyarrow"]
    assert facts.refused == {}
    assert checks.python(facts).state is State.OK
