"""The commands as a user calls them: exit codes, stdout for data, stderr for people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import commands

GOOD = "nodes:\n  - {id: a, path: a.py, outputs: [x]}\n  - {id: b, path: a.py, inputs: {x: a/x}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "flow.yml").write_text(GOOD)
    (tmp_path / "a.py").write_text('"""A node."""\n')
    return tmp_path


def doraflow(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / ".cache"), "NO_COLOR": "1"}
    return commands.doraflow(*arguments, cwd=cwd, env=environment)


def test_check_of_a_good_file_says_so_and_exits_0(project: Path) -> None:
    done = doraflow("check", "flow.yml", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "flow.yml: 2 nodes, no findings\n")


def test_check_of_a_faulty_file_exits_1_with_json_on_stdout(project: Path) -> None:
    (project / "flow.yml").write_text(GOOD.replace("a/x", "a/y"))
    done = doraflow("check", "flow.yml", "--format", "json", cwd=project)
    assert done.returncode == 1
    assert done.stderr == ""
    errors = [item for item in json.loads(done.stdout)["diagnostics"] if item["severity"] == "error"]
    assert [(item["code"], item["file"], item["line"], item["column"]) for item in errors] == [
        ("DF204", "flow.yml", 3, 37)
    ]


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_findings_for_tools_go_to_stdout_also_when_building(project: Path, form: str) -> None:
    (project / "flow.yml").write_text(GOOD.replace("a/x", "a/y"))
    for command in ("check", "build"):
        done = doraflow(command, "flow.yml", "--format", form, cwd=project)
        assert done.returncode == 1
        assert done.stderr == ""
        assert "DF204" in json.dumps(json.loads(done.stdout))


def test_annotations_for_github_go_to_stdout(project: Path) -> None:
    (project / "flow.yml").write_text(GOOD.replace("a/x", "a/y"))
    done = doraflow("check", "flow.yml", "--format", "github", cwd=project)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].startswith(
        "::error file=flow.yml,line=3,col=37,endLine=3,endColumn=40,title=DF204::`a` has no output `y`"
    )


@pytest.mark.parametrize("arguments", [["check"], ["chek", "flow.yml"], ["check", "flow.yml", "--nonsense"]])
def test_wrong_usage_exits_2(project: Path, arguments: list[str]) -> None:
    done = doraflow(*arguments, cwd=project)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_a_finding(project: Path) -> None:
    done = doraflow("check", "absent.yml", cwd=project)
    assert done.returncode == 1
    assert done.stderr == (
        "error[DF001]: `absent.yml` cannot be read: there is no such file\n\n"
        "hint: correct the path, or make the file readable\n\n1 error\n"
    )


def test_no_sources_leaves_the_files_out(project: Path) -> None:
    (project / "a.py").unlink()
    assert doraflow("check", "flow.yml", cwd=project).returncode == 1
    assert doraflow("check", "flow.yml", "--no-sources", cwd=project).returncode == 0


def test_strict_types_asks_for_types_as_the_file_itself_can(project: Path) -> None:
    (project / "flow.yml").write_text(GOOD.replace("{x: a/x}", "{x: a/x}, input_types: {x: std/core/v1/Bool}"))
    assert doraflow("check", "flow.yml", cwd=project).returncode == 0
    done = doraflow("check", "flow.yml", "--strict-types", cwd=project)
    assert done.returncode == 1
    assert "error[DF304]" in done.stderr


def test_every_command_takes_a_profile(project: Path) -> None:
    (project / "b.py").write_text('"""Another node."""\n')
    (project / "flow.yml").write_text(GOOD + "profiles: {other: {nodes: {b: {path: b.py}}}}\n")
    assert "path: b.py" in doraflow("expand", "flow.yml", "--profile", "other", cwd=project).stdout
    assert "path: b.py" not in doraflow("expand", "flow.yml", cwd=project).stdout
    for command in ("check", "graph", "build", "run"):
        done = doraflow(command, "flow.yml", "--profile", "othr", cwd=project)
        assert done.returncode == 1
        assert "DF123" in done.stderr, command
    done = doraflow("build", "flow.yml", "--profile", "other", "-o", "out", cwd=project)
    assert done.returncode == 0
    assert "b.py" in (project / "out/launch_local.py").read_text()


def test_build_check_is_content_until_one_line_changes(project: Path) -> None:
    assert doraflow("build", "flow.yml", "-o", "out", cwd=project).returncode == 0
    assert doraflow("build", "flow.yml", "-o", "out", "--check", cwd=project).returncode == 0
    (project / "flow.yml").write_text(GOOD.replace("inputs: {x: a/x}", "inputs: {x: {source: a/x, queue_size: 3}}"))
    done = doraflow("build", "flow.yml", "-o", "out", "--check", cwd=project)
    assert done.returncode == 1
    assert '+          "queue_size": 3' in done.stdout
    assert "DF702" in done.stderr


def test_two_builds_in_two_places_give_the_same_bytes(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "deep"
    other.mkdir(parents=True)
    for name in ("flow.yml", "a.py"):
        (other / name).write_text((project / name).read_text())
    trees = []
    for folder in (project, other):
        assert doraflow("build", "flow.yml", "-o", "out", cwd=folder).returncode == 0
        out = folder / "out"
        trees.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()})
    assert trees[0] == trees[1]


def test_build_steps_are_told_as_they_happen(project: Path) -> None:
    (project / "flow.yml").write_text(GOOD.replace("outputs: [x]", "outputs: [x], build: python -c pass"))
    first = doraflow("build", "flow.yml", "-o", "out", cwd=project).stderr.splitlines()
    assert first[0] == " building a"
    assert first[1].startswith("    built a (")
    assert doraflow("build", "flow.yml", "-o", "out", cwd=project).stderr.splitlines()[0] == "unchanged a"


def test_a_failing_build_step_writes_no_bundle(project: Path) -> None:
    (project / "flow.yml").write_text(GOOD.replace("outputs: [x]", "outputs: [x], build: python -m no_such_module"))
    done = doraflow("build", "flow.yml", "-o", "out", cwd=project)
    assert done.returncode == 1
    assert "DF604" in done.stderr
    assert "No module named no_such_module" in done.stderr
    assert not (project / "out").exists()


def test_what_cannot_run_is_a_warning_for_check_and_an_error_for_build(project: Path) -> None:
    (project / "flow.yml").write_text(GOOD.replace("path: a.py, outputs", "path: https://example.org/a, outputs"))
    assert doraflow("check", "flow.yml", cwd=project).returncode == 0
    done = doraflow("build", "flow.yml", "-o", "out", cwd=project)
    assert done.returncode == 1
    assert "error[DF902]" in done.stderr


def test_graph_and_expand_print_to_stdout(project: Path) -> None:
    assert doraflow("graph", "flow.yml", cwd=project).stdout == (
        'flowchart LR\n    n0["a"]\n    n1["b"]\n    n0 -->|"x"| n1\n'
    )
    assert doraflow("graph", "flow.yml", "--format", "dot", cwd=project).stdout.startswith('digraph "flow" {')
    assert doraflow("graph", "flow.yml", "--format", "html", "-o", "g.html", cwd=project).returncode == 0
    assert "<svg" in (project / "g.html").read_text()
    (project / "flat.yml").write_text(doraflow("expand", "flow.yml", cwd=project).stdout)
    again = doraflow("expand", "flat.yml", cwd=project).stdout
    assert again.splitlines()[1:] == (project / "flat.yml").read_text().splitlines()[1:]


def test_version_and_help() -> None:
    from doraflow import __version__

    assert doraflow("--version", cwd=Path.cwd()).stdout == f"doraflow {__version__}\n"
    text = doraflow("--help", cwd=Path.cwd()).stdout
    assert all(command in text for command in ("check", "build", "run", "graph", "expand", "Exit codes"))


def test_the_command_line_starts_without_heavy_libraries() -> None:
    heavy = "{'networkx', 'pyarrow', 'jinja2', 'doit', 'yaml', 'pydantic'}"
    code = f"import sys, doraflow.cli.main; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("kind", ["dataflow", "module", "inventory"])
def test_schema_prints_the_committed_schema(project: Path, kind: str) -> None:
    done = doraflow("schema", "--kind", kind, cwd=project)
    committed = Path(__file__).parents[3] / f"schema/{kind}.schema.json"
    assert (done.returncode, done.stdout, done.stderr) == (0, committed.read_text(), "")


OLD = "nodes:\n  - id: a # first\n    custom: {source: a.py}\n"
MODERN = "nodes:\n  - id: a # first\n    path: a.py\n"
TOLD = "`custom` is an old spelling: the keys of a node stand in the node itself (1 place)\n"


def test_migrate_prints_the_modern_text(project: Path) -> None:
    (project / "old.yml").write_text(OLD)
    done = doraflow("migrate", "old.yml", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, MODERN, TOLD)
    assert (project / "old.yml").read_text() == OLD


def test_migrate_in_place_keeps_the_mode_and_the_link(project: Path) -> None:
    (project / "old.yml").write_text(OLD)
    (project / "old.yml").chmod(0o640)
    (project / "link.yml").symlink_to("old.yml")
    done = doraflow("migrate", "--in-place", "link.yml", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", TOLD)
    assert (project / "link.yml").is_symlink()
    assert (project / "old.yml").read_text() == MODERN
    assert (project / "old.yml").stat().st_mode & 0o777 == 0o640
    again = doraflow("migrate", "--in-place", "old.yml", cwd=project)
    assert (again.returncode, again.stderr) == (0, "old.yml: nothing is old\n")


def test_migrate_check_exits_1_for_an_old_file(project: Path) -> None:
    (project / "old.yml").write_text(OLD)
    assert doraflow("migrate", "--check", "old.yml", cwd=project).returncode == 1
    assert doraflow("migrate", "--check", "flow.yml", cwd=project).returncode == 0
    assert (project / "old.yml").read_text() == OLD


def test_migrate_of_what_is_no_dataflow_is_told(project: Path) -> None:
    (project / "old.yml").write_text("nodes: [\n")
    done = doraflow("migrate", "-i", "old.yml", cwd=project)
    assert done.returncode == 1
    assert done.stderr.startswith("error[DF004]: ")


def test_a_module_file_can_be_checked_and_not_be_built(project: Path) -> None:
    (project / "eye.yml").write_text(
        "module: {name: eye, outputs: [x]}\nnodes:\n  - {id: a, path: a.py, outputs: [x]}\n"
    )
    done = doraflow("check", "eye.yml", cwd=project)
    assert (done.returncode, done.stderr) == (0, "eye.yml: 1 node, no findings\n")
    done = doraflow("build", "eye.yml", "-o", "out", cwd=project)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error[DF120]: this is a module file, and only a dataflow can be built and run\n --> eye.yml:1:1\n"
    )
    assert not (project / "out").exists()
