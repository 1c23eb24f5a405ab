r"""What mends a failed build command: a table from what the tools print to the edit or command that helps.

A row's pattern is looked for in the command's last lines, the rows in their order: what is a cause stands above what
only follows from it. `\N` in a mend is a group of the pattern, `{owner}` the node. Nothing is run or read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from doraflow_runtime.distributions import module_mend

from doraflow.parser.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OFFLINE = "connect this machine to the network, or name a package index that it can reach with `PIP_INDEX_URL`"
_NO_HOST = "connect this machine to the network, or correct the address: `\\1` is not known"
_COMPILER = "install a C and C++ compiler, with `apt install build-essential` on Debian and Ubuntu"
_MANAGED = (
    "install doraflow into a virtual environment and run it from there: `python3 -m venv .venv`, then "
    "`.venv/bin/pip install doraflow`; the system looks after the packages of this Python itself"
)
_KILLED = "give the command more memory, or run fewer at once with `--jobs 1`: the system ended it"


@dataclass(frozen=True, slots=True)
class Mend:
    """A row of the table: what the tools print, and what helps."""

    pattern: re.Pattern[str]
    advice: str


def _rows(*rows: tuple[str, str]) -> tuple[Mend, ...]:
    return tuple(Mend(re.compile(pattern, re.MULTILINE), advice) for pattern, advice in rows)


MENDS: tuple[Mend, ...] = _rows(
    # the machine
    (r"No space left on device|Disk quota exceeded", "make room on the disk"),
    (r"CERTIFICATE_VERIFY_FAILED|SSL certificate problem", "install the certificate of the proxy or server here"),
    (r"Could not resolve host:? ([\w.-]+)", _NO_HOST),
    (r"NewConnectionError|Temporary failure in name resolution|ConnectTimeoutError|ReadTimeoutError", _OFFLINE),
    (r"Failed to connect to (\S+) port (\d+)", "start the server at `\\1:\\2`, or correct the address"),
    (r"connect to host (\S+) port (\d+): ", "start the SSH server at `\\1:\\2`, or correct the address"),
    # pip
    (r"externally-managed-environment", _MANAGED),
    (r"Could not open requirements file: .*: '(.+?)'", "create `\\1` in the folder of the command, or correct it"),
    (r"^ERROR: (\S+) does not appear to be a Python project", "name a folder with a `pyproject.toml`: `\\1` has none"),
    (r"It looks like a path\. File '(.+?)' does not exist", "create `\\1` in the folder of the command, or correct it"),
    (r"requires a different Python: (\S+) not in '(.+?)'", "run doraflow with a Python `\\2`; this is \\1"),
    (r"requirement (\S+?)==\S* \(from versions: .*?(\S+)\)", "ask for a version that exists, such as `\\1==\\2`"),
    (r"No matching distribution found for (\S+)", "correct the name `\\1`: the package index has no such package"),
    (r"because these package versions have conflicting dependencies", "loosen the versions that are asked for"),
    (r"No virtual environment found; run `uv venv`", "add `--system` to the command, or run doraflow in a `.venv`"),
    (r"[Ii]nvalid command 'bdist_wheel'", "put `pip install wheel` before the command in `build`"),
    (r"No module named '?pip'?$", "install pip, with `python3 -m ensurepip` or `apt install python3-pip`"),
    # compilers
    (r"fatal error: (Python\.h): No such file", "install the headers of Python: `apt install python3-dev`"),
    (r"fatal error: (\S+\.h\S*): No such file", "install what has the header `\\1`, or add its folder with `-I`"),
    (r"fatal error: (\S+\.(?:c|cc|cpp|cxx)): No such file", "create `\\1`, or correct its path"),
    (r"cannot find -l(\w+)", "install the library `\\1` with its headers, or add its folder with `-L`"),
    (r"linker `(.+?)` not found", _COMPILER),
    (r"command '?\S*(?:gcc|g\+\+|cc|clang)'? failed: No such file", _COMPILER),
    (r"No such file or directory: '(?:gcc|g\+\+|cc)'", _COMPILER),
    (r"No CMAKE_(?:C|CXX)_COMPILER could be found|unable to find a build program corresponding", _COMPILER),
    # cargo
    (r"could not find `Cargo\.toml` in `(.+?)`", "add `--manifest-path` and where `Cargo.toml` is: `\\1` has none"),
    (r"requires rustc (\S+)", "get a newer Rust with `rustup update`: \\1 is asked for"),
    (r"rustup could not choose a version of cargo", "choose a version of Rust: `rustup default stable`"),
    (r"you're using offline mode", "leave `--offline` out, or run `cargo fetch` while there is a network"),
    (r"no bin target named `(.+?)`", "correct `--bin \\1`: there is no such program in the package"),
    (r"no matching package named `(.+?)` found", "correct `\\1` in `Cargo.toml`: the registry has no such crate"),
    (r"failed to read `(.+?/Cargo\.toml)`", "create `\\1`, or correct the `path` of that dependency"),
    # cmake, make, ninja
    (r"source directory \"(.+?)\" does not appear to contain", "name the folder of `CMakeLists.txt` with `-S`"),
    (r"package configuration file provided by \"(\w+)\"", "install `\\1` with its headers, or set `\\1_DIR`"),
    (r"CMake (\S+) or higher is required", "install a newer CMake: `pip install 'cmake>=\\1'`"),
    (r"The CMAKE_(CXX|C)_COMPILER:\s+(\S+)", "install the compiler `\\2`, or set the variable `\\1` to another"),
    (r"^Error: (\S+) is not a directory", "put `cmake -S . -B \\1` before the command in `build`"),
    (r"no makefile found", "create a `Makefile` in the folder of the command, or name one with `-f`"),
    (r"No rule to make target '(.+?)', needed by '(.+?)'", "create `\\1`, which `\\2` is made of"),
    (r"No rule to make target '(.+?)'", "correct `\\1`: the `Makefile` has no such target"),
    (r"loading 'build\.ninja'", "put the command that writes `build.ninja` before it, such as `cmake -G Ninja -B .`"),
    (r"make: (\S+): No such file or directory", "install `\\1`, or add its folder to `PATH`"),
    # git, node
    (r"[Hh]ost key verification failed", "accept the key of the host once by hand: `ssh HOST`"),
    (r"Permission denied \(publickey", "give this machine an SSH key that the server knows, or use an `https` address"),
    (r"repository '(.+?)' (?:does not exist|not found)", "correct the address: there is no repository `\\1`"),
    (r"not a git repository", "run the command in a clone, or set its folder"),
    (r"Could not read package\.json", "create `package.json` in the folder of the command, or correct the folder"),
    (r"Cannot find module '(/.+?)'", "create `\\1`, or correct its path"),
    (r"Cannot find module '(.+?)'", "put `npm install \\1` before the command in `build`"),
    # files; last, since many a tool ends with such a line of its own
    (r"can't open file '(.+?)': \[Errno 2\]", "create `\\1`, or correct its path"),
    (r"Permission denied: '(.+?)'", "get the right to write to `\\1`, or choose another place"),
    (r"No such file or directory: '(.+?)'", "create `\\1`, or correct its path"),
)  # fmt: skip

PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "cargo": "install Rust from https://rustup.rs",
        "rustc": "install Rust from https://rustup.rs",
        "rustup": "install Rust from https://rustup.rs",
        "cmake": "install CMake with `pip install cmake`, or `apt install cmake`",
        "ninja": "install Ninja with `pip install ninja`, or `apt install ninja-build`",
        "meson": "install Meson with `pip install meson`, or `apt install meson`",
        "make": "install make with `apt install make`",
        "gcc": _COMPILER,
        "g++": _COMPILER,
        "cc": _COMPILER,
        "c++": _COMPILER,
        "clang": "install clang with `apt install clang`",
        "git": "install git with `apt install git`",
        "pip": "install pip with `python3 -m ensurepip`, or `apt install python3-pip`",
        "uv": "install uv with `pip install uv`",
        "poetry": "install poetry with `pipx install poetry`",
        "conda": "install conda from https://conda-forge.org/download",
        "mamba": "install mamba from https://conda-forge.org/download",
        "npm": "install Node.js, which brings npm",
        "node": "install Node.js",
        "go": "install Go from https://go.dev/dl",
        "protoc": "install protoc with `apt install protobuf-compiler`",
        "capnp": "install Cap'n Proto with `apt install capnproto`",
        "flatc": "install flatc with `apt install flatbuffers-compiler`",
        "maturin": "install maturin with `pip install maturin`",
        "colcon": "install colcon with `pip install colcon-common-extensions`",
        "dora": "install dora with `pip install dora-rs-cli`",
        "wget": "install wget with `apt install wget`",
        "curl": "install curl with `apt install curl`",
    }
)
_BUILT_IN = ("python", "python3", "pip", "pip3")


def mend_of_output(lines: Sequence[str], owner: str, exit_code: int) -> str | None:
    """State what mends a command that printed these last lines; None if the table does not know them.

    >>> mend_of_output(["make: *** No targets specified and no makefile found.  Stop."], "camera", 2)
    'create a `Makefile` in the folder of the command, or name one with `-f`'
    """
    if exit_code == -9:
        return _KILLED
    text = "\n".join(lines)
    for row in MENDS:
        found = row.pattern.search(text)
        if found:
            return found.expand(row.advice)
    missing = next(filter(None, map(module_mend, reversed(lines))), None)
    return f"{missing}, before the command in `build` of `{owner}`" if missing and "pip install" in missing else missing


def mend_of_program(program: str) -> str:
    """State how to get a program that is not there.

    >>> mend_of_program("cmaek")
    'to use the closest program, write `cmake`'
    """
    known = PROGRAMS.get(program)
    if known is not None:
        return f"{known}; where it is installed, add its folder to `PATH`"
    if "/" in program:
        return f"create `{program}`, or correct its path"
    near = nearest(program, (*_BUILT_IN, *PROGRAMS))
    if near:
        return f"to use the closest program, write `{near[0]}`"
    return f"install `{program}`, or add its folder to `PATH`"
