"""What helps after a failed build command: each row of the table, with what the tools really print."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from doraflow.build.mends import MENDS, mend_of_output, mend_of_program

if TYPE_CHECKING:
    from pathlib import Path

COMPILER = "install a C and C++ compiler, with `apt install build-essential` on Debian and Ubuntu"
OFFLINE = "connect this machine to the network, or name a package index that it can reach with `PIP_INDEX_URL`"
MANAGED = (
    "install doraflow into a virtual environment and run it from there: `python3 -m venv .venv`, then "
    "`.venv/bin/pip install doraflow`; the system looks after the packages of this Python itself"
)

OUTPUTS = [
    # pip
    (
        (
            "error: externally-managed-environment\n\n\u00d7 This environment is externally managed\n"
            "╰─> To install Python packages system-wide, try apt install\n    python3-xyz, where xyz is the package"
        ),
        MANAGED,
    ),
    (
        "ERROR: Could not open requirements file: [Errno 2] No such file or directory: 'requirements.txt'",
        "create `requirements.txt` in the folder of the command, or correct it",
    ),
    (
        (
            "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection "
            "broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7fc298118890>: "
            "Failed to establish a new connection: [Errno -2] Name or service not known')': /simple/idna/\n"
            "ERROR: Could not find a version that satisfies the requirement idna (from versions: none)\n"
            "ERROR: No matching distribution found for idna"
        ),
        OFFLINE,
    ),
    (
        (
            "ERROR: Could not find a version that satisfies the requirement nosuch-xyz (from versions: none)\n"
            "ERROR: No matching distribution found for nosuch-xyz"
        ),
        "correct the name `nosuch-xyz`: the package index has no such package",
    ),
    (
        (
            "ERROR: Could not find a version that satisfies the requirement idna==99.1 (from versions: 3.19, 3.20)\n"
            "ERROR: No matching distribution found for idna==99.1"
        ),
        "ask for a version that exists, such as `idna==3.20`",
    ),
    (
        "ERROR: Package 'needs-new' requires a different Python: 3.11.7 not in '>=3.99'",
        "run doraflow with a Python `>=3.99`; this is 3.11.7",
    ),
    (
        (
            "Obtaining file:///work/arm\nERROR: file:///work/arm does not appear to be a Python project: neither "
            "'setup.py' nor 'pyproject.toml' found."
        ),
        "name a folder with a `pyproject.toml`: `file:///work/arm` has none",
    ),
    (
        "ERROR: Invalid requirement: './nothere'\nHint: It looks like a path. File './nothere' does not exist.",
        "create `./nothere` in the folder of the command, or correct it",
    ),
    (
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/opt/ve/idna'\n"
            "Check the permissions."
        ),
        "get the right to write to `/opt/ve/idna`, or choose another place",
    ),
    (
        "      error: invalid command 'bdist_wheel'\n      [end of output]\nerror: metadata-generation-failed",
        "put `pip install wheel` before the command in `build`",
    ),
    ("/usr/bin/python3: No module named pip", "install pip, with `python3 -m ensurepip` or `apt install python3-pip`"),
    # Python
    (
        (
            'Traceback (most recent call last):\n  File "gen.py", line 1, in <module>\n    import cv2\n'
            "ModuleNotFoundError: No module named 'cv2'"
        ),
        "install what provides `cv2` with `pip install opencv-python`, before the command in `build` of `camera`",
    ),
    (
        "/opt/venv/bin/python: No module named nosuchtool",
        "install what provides `nosuchtool` with `pip install nosuchtool`, before the command in `build` of `camera`",
    ),
    (
        "ModuleNotFoundError: No module named 'yaml.nodes'; 'yaml' is not a package",
        "another file is called `yaml.py` and hides the package `yaml`: rename it",
    ),
    (
        "python: can't open file '/work/gen.py': [Errno 2] No such file or directory",
        "create `/work/gen.py`, or correct its path",
    ),
    (
        "Traceback (most recent call last):\nFileNotFoundError: [Errno 2] No such file or directory: 'data.bin'",
        "create `data.bin`, or correct its path",
    ),
    (
        "PermissionError: [Errno 13] Permission denied: '/etc/x'",
        "get the right to write to `/etc/x`, or choose another place",
    ),
    ("OSError: [Errno 28] No space left on device", "make room on the disk"),
    # compilers
    (
        (
            "      ext.c:1:10: fatal error: nosuch.h: No such file or directory\n      compilation terminated.\n"
            "      error: Command '['gcc', '-c', 'ext.c']' returned non-zero exit status 1.\n"
            "  ERROR: Failed building wheel for ext"
        ),
        "install what has the header `nosuch.h`, or add its folder with `-I`",
    ),
    (
        "h.c:1:10: fatal error: Python.h: No such file or directory\n    1 | #include <Python.h>",
        "install the headers of Python: `apt install python3-dev`",
    ),
    (
        "cc1: fatal error: z.c: No such file or directory\ncompilation terminated.",
        "create `z.c`, or correct its path",
    ),
    (
        "/usr/bin/ld: cannot find -lnosuch: No such file or directory\ncollect2: error: ld returned 1 exit status",
        "install the library `nosuch` with its headers, or add its folder with `-L`",
    ),
    ("      error: [Errno 2] No such file or directory: 'gcc'\n  ERROR: Failed building wheel for ext", COMPILER),
    ("error: linker `cc` not found\n  |\n  = note: No such file or directory (os error 2)", COMPILER),
    # cargo
    (
        "error: could not find `Cargo.toml` in `/work/arm` or any parent directory",
        "add `--manifest-path` and where `Cargo.toml` is: `/work/arm` has none",
    ),
    (
        "error: rustc 1.95.0 is not supported by the following package:\n  cr@0.1.0 requires rustc 1.999",
        "get a newer Rust with `rustup update`: 1.999 is asked for",
    ),
    (
        "error: no bin target named `other` in default-run packages\nhelp: available bin targets:\n    cr",
        "correct `--bin other`: there is no such program in the package",
    ),
    (
        (
            "error: no matching package named `serde` found\nlocation searched: crates.io index\nAs a reminder, you're "
            "using offline mode (--offline) which can sometimes cause surprising resolution failures"
        ),
        "leave `--offline` out, or run `cargo fetch` while there is a network",
    ),
    (
        "Caused by:\n  failed to read `/work/nope/Cargo.toml`\n\nCaused by:\n  No such file or directory (os error 2)",
        "create `/work/nope/Cargo.toml`, or correct the `path` of that dependency",
    ),
    # cmake, make, ninja
    (
        'CMake Error: The source directory "/work/cm" does not appear to contain CMakeLists.txt.',
        "name the folder of `CMakeLists.txt` with `-S`",
    ),
    (
        '  Could not find a package configuration file provided by "OpenCV" with any\n  of the following names:',
        "install `OpenCV` with its headers, or set `OpenCV_DIR`",
    ),
    (
        "  The CMAKE_CXX_COMPILER:\n\n    nosuch\n\n  is not a full path and was not found in the PATH.",
        "install the compiler `nosuch`, or set the variable `CXX` to another",
    ),
    (
        "  CMake 3.99 or higher is required.  You are running version 3.25.1",
        "install a newer CMake: `pip install 'cmake>=3.99'`",
    ),
    (
        "Error: /work/cm/build is not a directory",
        "put `cmake -S . -B /work/cm/build` before the command in `build`",
    ),
    (
        "make: *** No targets specified and no makefile found.  Stop.",
        "create a `Makefile` in the folder of the command, or name one with `-f`",
    ),
    (
        "make: *** No rule to make target 'other'.  Stop.",
        "correct `other`: the `Makefile` has no such target",
    ),
    (
        "make: *** No rule to make target 'y.c', needed by 'all'.  Stop.",
        "create `y.c`, which `all` is made of",
    ),
    (
        "nosuchprog\nmake: nosuchprog: No such file or directory\nmake: *** [Makefile:2: all] Error 127",
        "install `nosuchprog`, or add its folder to `PATH`",
    ),
    (
        "ninja: error: loading 'build.ninja': No such file or directory",
        "put the command that writes `build.ninja` before it, such as `cmake -G Ninja -B .`",
    ),
    # git, node
    (
        "fatal: unable to access 'https://no-such-host.invalid/x.git/': Could not resolve host: no-such-host.invalid",
        "connect this machine to the network, or correct the address: `no-such-host.invalid` is not known",
    ),
    (
        (
            "fatal: unable to access 'http://127.0.0.1:9/x.git/': Failed to connect to 127.0.0.1 port 9 after 0 ms: "
            "Couldn't connect to server"
        ),
        "start the server at `127.0.0.1:9`, or correct the address",
    ),
    (
        "ssh: connect to host 127.0.0.1 port 9: Connection refused\nfatal: Could not read from remote repository.",
        "start the SSH server at `127.0.0.1:9`, or correct the address",
    ),
    (
        "fatal: repository '/nope/x' does not exist",
        "correct the address: there is no repository `/nope/x`",
    ),
    (
        "fatal: not a git repository (or any of the parent directories): .git",
        "run the command in a clone, or set its folder",
    ),
    (
        "npm error enoent Could not read package.json: Error: ENOENT: no such file or directory",
        "create `package.json` in the folder of the command, or correct the folder",
    ),
    ("Error: Cannot find module '/work/nothere.js'", "create `/work/nothere.js`, or correct its path"),
    ("Error: Cannot find module 'zeromq'", "put `npm install zeromq` before the command in `build`"),
]


@pytest.mark.parametrize(("output", "expected"), OUTPUTS, ids=lambda text: text[:40])
def test_what_a_tool_prints_leads_to_the_edit_that_mends_it(output: str, expected: str) -> None:
    assert mend_of_output(output.splitlines(), "camera", 1) == expected


def test_a_command_that_the_system_killed_is_told_so() -> None:
    assert mend_of_output([], "camera", -9) == (
        "give the command more memory, or run fewer at once with `--jobs 1`: the system ended it"
    )


def test_an_output_that_the_table_does_not_know_leads_to_no_mend() -> None:
    assert mend_of_output(["error: the sky is green"], "camera", 1) is None


def test_every_mend_can_be_written_with_the_groups_of_its_pattern() -> None:
    for row in MENDS:
        highest = max((int(digit) for digit in row.advice.split("\\")[1:] for digit in digit[:1]), default=0)
        assert highest <= row.pattern.groups, row.pattern.pattern


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("cargo", "install Rust from https://rustup.rs; where it is installed, add its folder to `PATH`"),
        ("g++", f"{COMPILER}; where it is installed, add its folder to `PATH`"),
        ("pyhton", "to use the closest program, write `python`"),
        ("./build.sh", "create `./build.sh`, or correct its path"),
        ("frobnicate", "install `frobnicate`, or add its folder to `PATH`"),
    ],
)
def test_a_program_that_is_not_there_can_be_got(program: str, expected: str) -> None:
    assert mend_of_program(program) == expected


def printed_by(folder: Path, *command: str, **environment: str) -> list[str]:
    """Run a tool as it is on this machine; skip where it is not."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"no {command[0]} here")
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stdout.splitlines()


TOOLS = [
    (["make"], "create a `Makefile` in the folder of the command, or name one with `-f`"),
    (["ninja"], "put the command that writes `build.ninja` before it, such as `cmake -G Ninja -B .`"),
    (["cargo", "build"], "add `--manifest-path` and where `Cargo.toml` is: `{folder}` has none"),
    (["cmake", "-S", ".", "-B", "made"], "name the folder of `CMakeLists.txt` with `-S`"),
    (["gcc", "camera.c"], "create `camera.c`, or correct its path"),
    (["git", "clone", "/nowhere/at/all"], "correct the address: there is no repository `/nowhere/at/all`"),
    ([sys.executable, "gen.py"], "create `{folder}/gen.py`, or correct its path"),
    (
        [sys.executable, "-m", "pip", "install", "-r", "wishes.txt"],
        "create `wishes.txt` in the folder of the command, or correct it",
    ),
    (
        [sys.executable, "-c", "import no_module"],
        ("install what provides `no_module` with `pip install no_module`, before the command in `build` of `camera`"),
    ),
]


@pytest.mark.parametrize(("command", "expected"), TOOLS, ids=lambda item: " ".join(map(str, item))[:30])
def test_the_tools_of_this_machine_print_what_the_table_expects(
    command: list[str], expected: str, tmp_path: Path
) -> None:
    lines = printed_by(tmp_path, *command)
    assert mend_of_output(lines, "camera", 1) == expected.format(folder=tmp_path), lines
