"""What of a bundle goes to which host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from doraflow.deploy.shares import Share, share_of, steps_here, version_of
from doraflow.pipeline import Options, check, generate, plan

if TYPE_CHECKING:
    from pathlib import Path

FLOW = """\
nodes:
  - {id: a, path: a.py, build: pip install numpy, deploy: {machine: edge}}
  - {id: b, path: b.py, build: pip install scipy, deploy: {machine: gpu, distribute: scp}}
  - {id: c, path: c.py, build: python make.py, deploy: {machine: gpu, distribute: local}}
hosts: {edge: {ssh: e}, gpu: {ssh: g}}
"""


def shares(folder: Path) -> dict[str, Share]:
    for name in ("a.py", "b.py"):
        (folder / name).write_text("import shared\n")
    (folder / "shared.py").write_text("")
    (folder / "make.py").write_text("# makes c.py\n")
    (folder / "flow.yml").write_text(FLOW)
    made = check(folder / "flow.yml", Options())
    planned, files = plan(made), generate(made)
    assert planned is not None
    assert files is not None, made.diagnostics()
    assert [step.owner for step in steps_here(planned)] == ["a", "b"]
    version = version_of(files, planned, folder)
    return {host: share_of(files, planned, host, folder, version) for host in ("edge", "gpu")}


def paths(share: Share) -> list[str]:
    kept = [file.path for file in share.files if not file.path.startswith(("runtime/", "flow_stubs/"))]
    return [path for path in kept if path != "flow.yml"]


def test_each_host_gets_its_nodes_and_what_its_build_steps_read(tmp_path: Path) -> None:
    made = shares(tmp_path)
    both = ["MANIFEST.json", "dataflow.resolved.yml"]
    assert paths(made["edge"]) == [
        *both, "launch_edge.py", "nodes/a.py", "nodes/shared.py", "requirements.txt", "wiring/edge.json",
    ]  # fmt: skip
    assert {"nodes/b.py", "nodes/shared.py", "nodes/make.py", "launch_gpu.py"} < set(paths(made["gpu"]))
    assert made["edge"].version == made["gpu"].version
    assert [step.owner for step in made["gpu"].steps] == ["c"]
    for share in made.values():
        content = {file.path: file.content for file in share.files}
        listed = json.loads(content["MANIFEST.json"])["files"]
        assert [*listed] == [path for path in content if path != "MANIFEST.json"]
    needs = {host: next(f.content for f in share.files if f.path == "requirements.txt") for host, share in made.items()}
    assert (b"numpy" in needs["edge"], b"scipy" in needs["edge"]) == (True, False)
    assert (b"numpy" in needs["gpu"], b"scipy" in needs["gpu"]) == (False, True)


def test_what_a_build_step_on_a_host_reads_is_part_of_the_version(tmp_path: Path) -> None:
    before = shares(tmp_path)["edge"].version
    assert shares(tmp_path)["edge"].version == before
    (tmp_path / "flow.yml").write_text(FLOW)
    (tmp_path / "data.txt").write_text("read by make.py")
    assert shares(tmp_path)["edge"].version != before
