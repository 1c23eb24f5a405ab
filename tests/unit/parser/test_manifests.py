"""`dora-node.yml` beside a node: which node it is about, what it adds, and what it warns of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.parser.conftest import told

if TYPE_CHECKING:
    from tests.unit.parser.conftest import Project

MANIFEST = """\
apiVersion: 1
namespace: acme
runtime: python
entrypoint: bin/camera
inputs:
  tick: {type: std/core/v1/UInt64}
  light: {required: false}
outputs:
  image: {type: std/media/v1/Image}
  raw: {}
types:
  acme/scan/v1/Scan: {arrow: Float32}
"""
FLOW = """\
nodes:
  - id: camera
    path: camera/bin/camera
    inputs: {tick: clock/tick}
    outputs: [image, raw]
    output_types: {raw: std/core/v1/Bytes}
"""


def flow_with(project: Project, flow: str = FLOW, manifest: str = MANIFEST) -> tuple[object, list[str]]:
    document, findings = project({"flow.yml": flow, "camera/dora-node.yml": manifest})
    return document, [told(finding) for finding in findings]


def test_a_manifest_gives_types_to_ports_that_have_none(project: Project) -> None:
    document, findings = project({"flow.yml": FLOW, "camera/dora-node.yml": MANIFEST})
    assert findings == ()
    assert document is not None
    node = document.nodes[0].node
    assert node.input_types == {"tick": "std/core/v1/UInt64"}
    assert node.output_types == {"image": "std/media/v1/Image", "raw": "std/core/v1/Bytes"}
    assert [file.prefix for file in document.type_files] == ["acme/scan/v1"]


@pytest.mark.parametrize(
    "path", ["/camera/bin/camera", "../camera/bin/camera", "https://host/camera/bin/camera", "camera", "dynamic"]
)
def test_a_path_that_is_no_file_of_the_project_has_no_manifest(path: str, project: Project) -> None:
    document, findings = project({"flow.yml": FLOW.replace("camera/bin/camera", path), "dora-node.yml": MANIFEST})
    assert findings == ()
    assert document is not None
    assert document.nodes[0].node.input_types == {}


WARNED = {
    ("outputs: [image, raw]", "outputs: [imgae, raw]"): (
        "DF309 5:5-12 the manifest of `camera` has no output `imgae`: its outputs are `image`, `raw`"
    ),
    ("{tick: clock/tick}", "{tick: clock/tick, tock: clock/tick}"): (
        "DF309 4:5-11 the manifest of `camera` has no input `tock`: its inputs are `tick`, `light`"
    ),
    ("{tick: clock/tick}", "{light: clock/tick}"): (
        "DF309 4:5-11 the manifest of `camera` needs the input `tick`, which nothing is connected to"
    ),
}


@pytest.mark.parametrize("change", WARNED)
def test_what_does_not_fit_a_manifest_is_a_warning(change: tuple[str, str], project: Project) -> None:
    _, findings = flow_with(project, FLOW.replace(*change))
    assert findings == [WARNED[change]]


def test_timers_and_logs_are_no_ports_of_a_manifest(project: Project) -> None:
    _, findings = flow_with(project, FLOW.replace("{tick", "{now: dora/timer/secs/1, log: dora/logs, tick"))
    assert findings == []


UNUSED = {
    ("apiVersion: 1", "apiVersion: 2"): "is not used: `apiVersion` is `2`, expected at most 1",
    ("runtime: python\n", ""): "is not used: this node manifest lacks the key `runtime`, which is required",
    ("light: {", "light: {requird: true, "): "is not used: a port has no key `requird`",
    (
        "bin/camera",
        "bin/other",
    ): "is `camera/bin/other`, so it is not used for `camera`, which runs `camera/bin/camera`",
    ("acme/scan", "beta/scan"): "does not lie under `acme/`, the manifest's namespace, so it is left out",
}


@pytest.mark.parametrize("change", UNUSED)
def test_a_manifest_that_cannot_be_used_is_one_warning(change: tuple[str, str], project: Project) -> None:
    document, findings = project({"flow.yml": FLOW, "camera/dora-node.yml": MANIFEST.replace(*change)})
    assert document is not None
    assert [(finding.code, finding.severity) for finding in findings] == [("DF308", "warning")]
    assert findings[0].message.endswith(UNUSED[change])


def test_a_path_of_any_depth_is_looked_at_without_going_under(project: Project) -> None:
    _, findings = flow_with(project, FLOW.replace("camera/bin/camera", "a/" * 5000 + "b"))
    assert findings == []
