"""The conversation with a host, held with this machine's own shell and Python in the place of ssh."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from contextlib import contextmanager
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doraflow.codegen.fileset import FileSet, GeneratedFile
from doraflow.deploy.channel import Channel, LostError
from doraflow.deploy.errors import DeployError
from doraflow.deploy.sending import command, program
from doraflow.deploy.session import Session
from doraflow.deploy.shares import Share
from doraflow.deploy.ssh import Way
from doraflow.deploy.targets import Target
from doraflow.ir import BuildStep

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELL = "/bin/sh"
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)
CONTENTS = st.binary(max_size=40)
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def session(base: Path, name: str = "flow", host: str = "edge", *, changes: bool = True) -> Iterator[Session]:
    opened = Session(Target(host, "here", str(base)), Way(seconds=20))
    opened.channel = Channel([SHELL, "-c", command(sys.executable)], 30.0)
    try:
        opened.channel.greet(program())
        opened.open(name, changes=changes)
        yield opened
    finally:
        opened.close()


def share(files: dict[str, bytes], version: str = "v1") -> Share:
    listed = {path: {"sha256": hashlib.sha256(content).hexdigest()} for path, content in files.items()}
    manifest = GeneratedFile("MANIFEST.json", json.dumps({"files": listed}).encode())
    return Share("edge", version, FileSet.of([manifest, *starmap(GeneratedFile, files.items())]).files)


def deployed(base: Path, wanted: Share, keep: int = 2) -> int:
    with session(base) as opened:
        moved = opened.copy(wanted)
        opened.prepare(moved.name, (), 60.0, environment=False)
        opened.switch(moved.name, keep)
        return moved.bytes


def test_a_version_that_is_whole_keeps_its_python_unless_an_environment_is_asked_for(tmp_path: Path) -> None:
    wanted = share({"a": b"a"})
    deployed(tmp_path, wanted)
    record = tmp_path / "flow/edge/record.json"
    environment = tmp_path / "flow/edge/environments/key/bin/python3"
    environment.parent.mkdir(parents=True)
    environment.touch()
    table = json.loads(record.read_text())
    table["whole"]["v1"]["python"] = str(environment)
    record.write_text(json.dumps(table))
    assert deployed(tmp_path, wanted) == 0
    assert environment.exists()
    assert (tmp_path / "flow/edge/venv").readlink() == Path("current/venv")
    assert (tmp_path / "flow/edge/venv").resolve() == environment.parent.parent.resolve()
    assert json.loads(record.read_text())["whole"]["v1"]["python"] == str(environment)


@SLOW
@given(st.dictionaries(NAMES, CONTENTS, max_size=6), NAMES, st.randoms())
def test_files_of_any_name_arrive_as_they_are(
    tmp_path: Path, files: dict[str, bytes], folder: str, random: object
) -> None:
    base = tmp_path / hashlib.sha256(repr((files, folder)).encode()).hexdigest()
    wanted = share({f"nodes/{folder}/{name}": content for name, content in files.items()})
    deployed(base, wanted)
    current = base / "flow/edge/current"
    found = {str(path.relative_to(current.resolve())): path for path in current.resolve().rglob("*") if path.is_file()}
    assert {path: place.read_bytes() for path, place in found.items()} == {
        file.path: file.content for file in wanted.files
    }
    assert deployed(base, wanted) == 0


@SLOW
@given(NAMES, NAMES)
def test_dataflows_and_hosts_of_any_name_have_a_folder_below_the_base(tmp_path: Path, name: str, host: str) -> None:
    with session(tmp_path / "base", name, host, changes=False) as opened:
        assert os.path.realpath(opened.folder).startswith(f"{tmp_path / 'base'}/")
        assert opened.folder.removeprefix(f"{tmp_path / 'base'}/").count("/") == 1


@SLOW
@given(NAMES.filter(lambda name: not name.startswith("-")))
def test_the_name_of_the_python_means_no_more_than_a_name_to_a_shell(tmp_path: Path, name: str) -> None:
    place = tmp_path / hashlib.sha256(name.encode()).hexdigest() / name
    place.parent.mkdir(exist_ok=True)
    place.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$1" "$2"\n')
    place.chmod(0o755)
    done = subprocess.run(["sh", "-c", command(str(place))], capture_output=True, timeout=60, check=True)
    assert done.stdout.decode() == f"{place}\n-I\n-c\n"
    assert shlex.split(command(str(place)))[0] == str(place)


def test_only_what_lies_nowhere_is_sent_and_each_content_once(tmp_path: Path) -> None:
    first = {"a": b"one" * 100, "b": b"one" * 100, "c": b"two"}
    assert deployed(tmp_path, share(first)) - manifest_size(first) == 300 + 3
    second = {**first, "d": b"three"}
    assert deployed(tmp_path, share(second, "v2")) - manifest_size(second) == 5
    for version in ("v1", "v2"):
        (tmp_path / "flow/edge/versions" / version / "c").write_text("by hand")
    third = {"c": b"two", "a": b"one" * 100}
    assert deployed(tmp_path, share(third, "v3")) - manifest_size(third) == 3


def manifest_size(files: dict[str, bytes]) -> int:
    return len(next(file for file in share(files).files if file.path == "MANIFEST.json").content)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ""])
def test_a_path_out_of_the_version_is_refused(tmp_path: Path, path: str) -> None:
    with session(tmp_path) as opened, pytest.raises(DeployError, match="leads out of the version") as caught:
        opened.copy(Share("edge", "v1", (GeneratedFile(path, b""),)))
    assert caught.value.code == "DF876"


def test_one_deploy_at_a_time_has_the_folder(tmp_path: Path) -> None:
    taken = pytest.raises(DeployError, match="another deploy has been going on since 2")
    with session(tmp_path), taken, session(tmp_path):
        pass
    with session(tmp_path) as opened:
        assert opened.folder == str(tmp_path / "flow/edge")


def test_a_version_that_was_not_prepared_is_never_current(tmp_path: Path) -> None:
    with session(tmp_path) as opened:
        moved = opened.copy(share({"a": b"1"}))
        with pytest.raises(DeployError, match="was not prepared to its end"):
            opened.switch(moved.name, 2)
    with session(tmp_path) as opened:
        assert opened.status().versions == ()
        assert list((tmp_path / "flow/edge/versions").iterdir()) == []


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    step = BuildStep("slow", ("sh -c 'echo begun; sleep 300 & sleep 300'",), None)  # type: ignore[arg-type]
    with session(tmp_path) as opened:
        moved = opened.copy(share({"nodes/a": b""}))
        with pytest.raises(DeployError, match=r"of `slow` took longer than 1 s$") as caught:
            opened.prepare(moved.name, [step], 1.0, environment=False)
    assert caught.value.notes == ("begun",)


def test_an_environment_is_made_once_for_the_same_requirements(tmp_path: Path) -> None:
    for version, more in (("v1", {}), ("v2", {"a": b"1"})):
        with session(tmp_path) as opened:
            moved = opened.copy(share({"requirements.txt": b"# nothing\n", **more}, version))
            opened.prepare(moved.name, (), 300.0, environment=True)
            opened.switch(moved.name, 1)
            (made,) = (tmp_path / "flow/edge/environments").iterdir()
            pythons = {row.python for row in opened.status().versions}
            assert pythons == {str(made / "bin/python")}
            assert (tmp_path / "flow/edge/venv").resolve() == made.resolve(), "where units of systemd look"
    assert deployed(tmp_path, share({"a": b"2"}, "v3"))
    assert not (tmp_path / "flow/edge/venv").is_symlink(), "the current version has no environment of its own"
    with session(tmp_path) as opened:
        assert opened.go_back() == "v3"
    assert (tmp_path / "flow/edge/venv").resolve() == made.resolve()


@pytest.mark.parametrize(
    ("name", "why"),
    [("venv", "the version's environment goes there"), ("current", "the link to the current version goes there")],
)
def test_a_folder_made_by_hand_in_the_place_of_a_link_is_told_before_anything_is_made(
    tmp_path: Path, name: str, why: str
) -> None:
    there = tmp_path / "flow/edge" / name
    there.mkdir(parents=True)
    with pytest.raises(DeployError) as caught, session(tmp_path) as opened:
        moved = opened.copy(share({"requirements.txt": b"# nothing\n"}))
        opened.prepare(moved.name, (), 60.0, environment=True)
    assert str(caught.value) == f"on `edge`: `{there}` is a folder that no deploy made, and {why}"
    assert caught.value.help == f"move it away there, such as `mv {there} {there}.by-hand`, and try again"
    assert not (tmp_path / "flow/edge/environments").exists()
    assert there.is_dir()


def test_a_greeting_is_found_behind_what_a_login_shell_says(tmp_path: Path) -> None:
    channel = Channel(["sh", "-c", f"echo welcome; printf 'no line'; {command(sys.executable)}"], 30.0)
    assert channel.greet(program())["python"] == sys.version.split()[0]
    channel.close()


def test_a_process_that_ends_or_says_nothing_is_lost() -> None:
    for words, code, said in (("echo sorry >&2; exit 7", 7, "sorry\n"), ("exec sleep 300", None, "")):
        channel = Channel(["sh", "-c", words], 0.5)
        with pytest.raises(LostError) as caught:
            channel.greet(program())
        channel.close()
        assert (caught.value.code, caught.value.said) == (code, said)
