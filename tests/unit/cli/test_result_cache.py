"""The result cache: what is told again is what would be told anew, and whatever decides it is noticed."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from doraflow.build import standing
from doraflow.cli import entry
from doraflow.cli.fingerprint import key_of
from doraflow.cli.remembered import recall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FLOW = """\
nodes:
  - id: camera
    path: nodes/camera.py
    outputs: [image, spare]
    output_types: {image: own/Frame}
  - id: arm
    module: arm.yml
    inputs: {image: camera/image}
  - id: tool
    path: some-tool-that-is-nowhere
    inputs: {image: camera/image}
    deploy: {machine: edge}
"""
MODULE = """\
module: {name: arm, inputs: [image]}
nodes:
  - {id: motor, path: nodes/motor.py, inputs: {image: _mod/image}}
"""
TYPES = "types: {Frame: {arrow: UInt8}}\n"
INVENTORY = "hosts: {edge: {address: 10.0.0.2}}\n"
CHECK = ("check", "flow.yml", "--inventory", "hosts.yml")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """doraflow as a user calls it, in this process."""

    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.patch.setattr(sys, "argv", ["doraflow", *arguments])
        with pytest.raises(SystemExit) as ended:
            entry.main()
        return (int(ended.value.code or 0), *self.capsys.readouterr())

    def recalls(self, *arguments: str) -> tuple[int, str, str] | None:
        """Give what the cache tells; None if it tells nothing."""
        key = key_of(arguments)
        assert key is not None
        code = recall(key)
        said = self.capsys.readouterr()
        assert code is not None or said == ("", "")
        return None if code is None else (code, *said)


@pytest.fixture
def doraflow(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    yield CommandLine(capsys, monkeypatch)
    gc.enable()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "nodes").mkdir(parents=True)
    (folder / "types").mkdir()
    for name, text in {
        "flow.yml": FLOW,
        "arm.yml": MODULE,
        "hosts.yml": INVENTORY,
        "types/own.yml": TYPES,
        "nodes/camera.py": "import helper\n",
        "nodes/helper.py": "",
        "nodes/motor.py": "",
    }.items():
        (folder / name).write_text(text)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
@pytest.mark.parametrize("options", [(), ("--strict",), ("--no-sources",)])
def test_a_result_is_told_again_byte_for_byte(
    project: Path, doraflow: CommandLine, form: str, options: tuple[str, ...]
) -> None:
    command = (*CHECK, "--format", form, *options)
    anew = doraflow(*command, "--no-cache")
    assert anew[1] + anew[2]
    assert doraflow.recalls(*command) is None
    assert doraflow(*command) == anew
    assert doraflow.recalls(*command) == anew
    assert doraflow(*command) == anew


CHANGES: dict[str, Callable[[Path], object]] = {
    "the dataflow": lambda folder: (folder / "flow.yml").write_text(FLOW.replace("spare", "other")),
    "a comment in the dataflow": lambda folder: (folder / "flow.yml").write_text(FLOW + "#"),
    "a module": lambda folder: (folder / "arm.yml").write_text(MODULE + "#"),
    "a module that goes": lambda folder: (folder / "arm.yml").unlink(),
    "a type file": lambda folder: (folder / "types" / "own.yml").write_text(TYPES.replace("UInt8", "Int8")),
    "a new type file": lambda folder: (folder / "types" / "more.yml").write_text(TYPES),
    "a new type file in a folder": lambda folder: (
        (folder / "types" / "deep").mkdir(),
        (folder / "types" / "deep" / "more.yml").write_text(TYPES),
    ),
    "a type file that goes": lambda folder: (folder / "types" / "own.yml").unlink(),
    "the inventory": lambda folder: (folder / "hosts.yml").write_text(INVENTORY.replace("edge", "other")),
    "an inventory that goes": lambda folder: (folder / "hosts.yml").unlink(),
    "a source that goes": lambda folder: (folder / "nodes" / "motor.py").unlink(),
    "a source that becomes a folder": lambda folder: (
        (folder / "nodes" / "motor.py").unlink(),
        (folder / "nodes" / "motor.py").mkdir(),
    ),
    "a source that comes": lambda folder: (folder / "some-tool-that-is-nowhere").touch(),
    "settings that come": lambda folder: (folder / "doraflow.toml").write_text("strict = true\n"),
    "settings that come above": lambda folder: (folder.parent / "doraflow.toml").write_text("strict = true\n"),
    "a repository that ends the search": lambda folder: (folder / ".git").mkdir(),
    "a dataflow that goes": lambda folder: (folder / "flow.yml").unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_decides_a_check_is_noticed(
    project: Path, doraflow: CommandLine, change: Callable[[Path], object]
) -> None:
    doraflow(*CHECK)
    assert doraflow.recalls(*CHECK) is not None
    change(project)
    assert doraflow.recalls(*CHECK) is None
    assert doraflow(*CHECK) == doraflow(*CHECK, "--no-cache")


def test_a_program_that_appears_on_the_path_is_noticed(
    project: Path, doraflow: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    doraflow(*CHECK)
    (project / "bin").mkdir()
    (project / "bin" / "some-tool-that-is-nowhere").touch(mode=0o755)
    assert doraflow.recalls(*CHECK) is not None
    monkeypatch.setenv("PATH", str(project / "bin"), prepend=os.pathsep)
    assert doraflow.recalls(*CHECK) is None


@pytest.mark.parametrize(
    "other",
    [
        ("check", "./flow.yml", "--inventory", "hosts.yml"),
        (*CHECK, "--strict"),
        (*CHECK, "--no-sources"),
        (*CHECK, "--format", "json"),
        ("check", "flow.yml"),
    ],
)
def test_another_command_line_has_another_result(project: Path, doraflow: CommandLine, other: tuple[str, ...]) -> None:
    doraflow(*CHECK)
    assert doraflow.recalls(*other) is None


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("COLUMNS", "40")])
def test_another_terminal_has_another_result(
    project: Path, doraflow: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    doraflow(*CHECK)
    monkeypatch.setenv(name, value)
    assert doraflow.recalls(*CHECK) is None


def test_another_folder_has_another_result(
    project: Path, doraflow: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    doraflow(*CHECK)
    monkeypatch.chdir(project / "nodes")
    assert doraflow.recalls(*CHECK) is None


def test_an_edit_of_the_compiler_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doraflow: CommandLine
) -> None:
    package = tmp_path / "doraflow_test_package"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("doraflow.cli.fingerprint._OWN", ("doraflow_test_package",))
    keys = [key_of(CHECK)]
    for text in ("a", "ab"):
        (package / "pass.py").write_text(text)
        keys.append(key_of(CHECK))
    (package / "__pycache__").mkdir()
    assert len(set(keys)) == 3
    assert key_of(CHECK) == keys[-1]


def test_a_known_result_is_told_without_the_compiler(project: Path) -> None:
    code = (
        "import sys; sys.argv = ['doraflow', *sys.argv[1:]]\n"
        "from doraflow.cli.entry import main\n"
        "try: main()\n"
        "finally: print(sorted({'pydantic', 'yaml', 'networkx', 'typer', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *CHECK, "--no-sources"]
    said = [subprocess.run(command, capture_output=True, text=True, check=False).stderr for _ in range(2)]
    assert "typer" in said[0].splitlines()[-1]
    assert said[1].splitlines()[-1] == "[]"
    assert said[0].splitlines()[:-1] == said[1].splitlines()[:-1]


BUILT = FLOW.replace("some-tool-that-is-nowhere", "nodes/motor.py").replace(
    "    outputs: [image, spare]", "    build: python make.py\n    outputs: [image, spare]"
)
BUILD = ("build", "flow.yml", "-o", "out", "--jobs", "1")
MAKE = "import pathlib\npathlib.Path('made.txt').write_text('made')\n"


@pytest.fixture
def built(project: Path, doraflow: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(standing, "YOUNGEST_NS", 0)
    (project / "flow.yml").write_text(BUILT.replace("    deploy: {machine: edge}\n", ""))
    (project / "make.py").write_text(MAKE)
    assert doraflow(*BUILD)[0] == 0
    return project


def test_a_build_of_what_stands_tells_that_nothing_is_to_be_done(built: Path, doraflow: CommandLine) -> None:
    anew = doraflow(*BUILD, "--no-cache")
    assert anew[2].startswith("unchanged camera\nout: 0 files written, ")
    doraflow(*BUILD)  # doit has written its notes anew
    assert doraflow.recalls(*BUILD) == anew
    assert doraflow(*BUILD) == anew


def test_a_check_of_a_bundle_that_stands_is_told_again(built: Path, doraflow: CommandLine) -> None:
    anew = doraflow(*BUILD, "--check", "--no-cache")
    assert doraflow(*BUILD, "--check") == anew
    assert doraflow.recalls(*BUILD, "--check") == anew


BUILD_CHANGES: dict[str, Callable[[Path], object]] = {
    "the dataflow": lambda folder: (folder / "flow.yml").write_text((folder / "flow.yml").read_text() + "#"),
    "a source": lambda folder: (folder / "nodes" / "camera.py").write_text("import other\n"),
    "a source that is imported": lambda folder: (folder / "nodes" / "helper.py").write_text("x = 1\n"),
    "a module that is imported and comes": lambda folder: (
        (folder / "nodes" / "helper").mkdir(),
        (folder / "nodes" / "helper" / "__init__.py").touch(),
    ),
    "a source that may be executed": lambda folder: (folder / "nodes" / "camera.py").chmod(0o755),
    "a file of the bundle": lambda folder: (folder / "out" / "graph.mmd").write_text("x"),
    "a file of the bundle with its length and time kept": lambda folder: edited_in_secret(folder / "out" / "graph.mmd"),
    "a file of the bundle that goes": lambda folder: (folder / "out" / "graph.mmd").unlink(),
    "a file of the bundle that may be executed": lambda folder: (folder / "out" / "graph.mmd").chmod(0o755),
    "a launcher that may not be executed": lambda folder: (folder / "out" / "launch_local.py").chmod(0o644),
    "a file of the bundle that becomes a link": lambda folder: (
        (folder / "out" / "graph.mmd").rename(folder / "elsewhere"),
        (folder / "out" / "graph.mmd").symlink_to(folder / "elsewhere"),
    ),
    "the manifest": lambda folder: (folder / "out" / "MANIFEST.json").write_text("{}"),
    "the source of a build step": lambda folder: (folder / "make.py").write_text(f"{MAKE}#"),
    "the product of a build step": lambda folder: (folder / "made.txt").unlink(),
}


def edited_in_secret(path: Path) -> None:
    status = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", BUILD_CHANGES.values(), ids=BUILD_CHANGES)
def test_what_decides_a_build_is_noticed(built: Path, doraflow: CommandLine, change: Callable[[Path], object]) -> None:
    assert doraflow.recalls(*BUILD) is not None
    change(built)
    assert doraflow.recalls(*BUILD) is None


def test_a_step_that_ran_for_another_command_is_noticed(built: Path, doraflow: CommandLine) -> None:
    make = (built / "make.py").read_text()
    (built / "make.py").write_text(f"{make}#")
    doraflow(*BUILD, "--strict")
    (built / "make.py").write_text(make)
    assert doraflow.recalls(*BUILD) is None
    assert "building camera" in doraflow(*BUILD)[2]


def test_a_file_that_was_only_touched_still_stands(built: Path, doraflow: CommandLine) -> None:
    before = doraflow.recalls(*BUILD)
    os.utime(built / "out" / "graph.mmd")
    assert doraflow.recalls(*BUILD) == before


def test_a_stamp_that_is_too_new_is_not_trusted(
    built: Path, doraflow: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "YOUNGEST_NS", 10**18)
    (built / "out" / "graph.mmd").touch()
    assert doraflow.recalls(*BUILD) is not None  # read again, and kept without a stamp
    reads: list[str] = []
    original = standing.digest_of
    monkeypatch.setattr(standing, "digest_of", lambda content: reads.append("read") or original(content))
    assert doraflow.recalls(*BUILD) is not None
    assert reads == ["read"]


def test_a_build_with_findings_that_stop_it_is_not_kept(project: Path, doraflow: CommandLine) -> None:
    assert doraflow(*BUILD)[0] == 1
    assert doraflow.recalls(*BUILD) is None


def test_what_is_rebuilt_is_not_told_from_the_cache(built: Path, doraflow: CommandLine) -> None:
    assert "building camera" in doraflow(*BUILD, "--rebuild")[2]
    assert "building camera" in doraflow(*BUILD, "--rebuild")[2]


def test_an_unchanged_check_takes_no_longer_than_promised(project: Path) -> None:
    """Time of its own, since others work on the machine; the benchmark has the figures of large dataflows."""
    command = [sys.executable, "-m", "doraflow", *CHECK]
    subprocess.run(command, capture_output=True, check=False)
    before = os.times()
    for _ in range(5):
        subprocess.run(command, capture_output=True, check=False)
    after = os.times()
    taken = after.children_user - before.children_user + after.children_system - before.children_system
    assert taken / 5 < 0.3
