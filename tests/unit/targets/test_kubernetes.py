"""The manifests: as Kubernetes' schemas want them, confined, and open for the plan's links alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest

from doraflow.targets import kubernetes
from tests.unit.targeting.plans import LOCAL, TWO, plan_of, told
from tests.unit.targets.reading import documents, files_of

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = ("1.28", "1.37")
"""The oldest and the newest cluster that the manifests are held against."""

KUBECTL = shutil.which("kubectl")
AWKWARD = f'name: "{{{{ x }}}}: \\"quoted\\" #name"\n{LOCAL}'


def manifests(text: str, folder: Path) -> dict[tuple[str, str], Any]:
    """Read all manifests of a dataflow, by kind and name."""
    made = files_of(kubernetes, text, folder)
    read = [each for path in made if path.endswith(".yaml") for each in documents(made[path])]
    return {(each["kind"], each["metadata"]["name"]): each for each in read if each["kind"] != "Kustomization"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", [LOCAL, TWO, AWKWARD])
def test_every_manifest_is_as_the_schemas_want_it(text: str, version: str, tmp_path: Path) -> None:
    found = manifests(text, tmp_path)
    assert {kind for kind, _ in found} == {"Service", "StatefulSet", "NetworkPolicy"}
    for manifest in found.values():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schemas_would_tell_of_a_fault(tmp_path: Path) -> None:
    manifest = manifests(LOCAL, tmp_path)["StatefulSet", "flow-local"]
    manifest["spec"]["template"]["spec"]["containers"][0]["lifenessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


@pytest.mark.skipif(KUBECTL is None and not os.environ.get("CI"), reason="kubectl is not on this machine")
def test_an_overlay_fills_in_the_image(tmp_path: Path) -> None:
    assert KUBECTL is not None
    base = tmp_path / "bundle"
    base.mkdir()
    for path, text in files_of(kubernetes, TWO, tmp_path).items():
        (base / path).write_text(text)
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [bundle]\nimages:\n  - name: fill-in.invalid/pair\n    newName: registry.lan/pair\n"
        f"    digest: sha256:{'0a' * 32}\n"
    )
    done = subprocess.run(
        [KUBECTL, "kustomize", str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"image: registry.lan/pair@sha256:{'0a' * 32}" in done.stdout
    assert "invalid" not in done.stdout
    assert len(documents(done.stdout)) == 6


def test_a_pod_is_confined(tmp_path: Path) -> None:
    pod = manifests(TWO, tmp_path)["StatefulSet", "pair-robot-1"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_a_pod_asks_for_what_the_inventory_gives_and_goes_where_its_labels_are(tmp_path: Path) -> None:
    found = manifests(TWO, tmp_path)
    robot = found["StatefulSet", "pair-robot-1"]["spec"]["template"]["spec"]
    desk = found["StatefulSet", "pair-desk"]["spec"]["template"]["spec"]
    room = {"cpu": "4", "memory": "2147483648"}
    for container in (*robot["initContainers"], *robot["containers"]):  # all of them, or none is guaranteed its cores
        assert container["resources"] == {"requests": room, "limits": room}
    assert robot["nodeSelector"] == {"kind": "edge"}
    assert "resources" not in desk["containers"][0]
    assert "nodeSelector" not in desk


def test_shared_memory_is_as_large_as_the_plan_wants(tmp_path: Path) -> None:
    pod = manifests(LOCAL, tmp_path)["StatefulSet", "flow-local"]["spec"]["template"]["spec"]
    (shm,) = [volume for volume in pod["volumes"] if volume["name"] == "shm"]
    assert shm["emptyDir"] == {"medium": "Memory", "sizeLimit": "67108864"}
    mounted = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounted["shm"] == "/dev/shm"
    assert set(mounted) == {volume["name"] for volume in pod["volumes"]}


def test_probes_ask_the_launcher_for_what_they_are_about(tmp_path: Path) -> None:
    (container,) = manifests(LOCAL, tmp_path)["StatefulSet", "flow-local"]["spec"]["template"]["spec"]["containers"]
    asked = {kind: container[f"{kind}Probe"]["exec"]["command"][3] for kind in ("startup", "liveness", "readiness")}
    assert asked == {"startup": "startup", "liveness": "live", "readiness": "ready"}
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 140


def test_policies_let_through_the_links_of_the_plan_from_both_ends(tmp_path: Path) -> None:
    found = manifests(TWO, tmp_path)
    robot, desk = (found["NetworkPolicy", f"pair-{name}"]["spec"] for name in ("robot-1", "desk"))
    names, to_desk = robot["egress"]
    assert [port["port"] for port in names["ports"]] == [53, 53]
    assert to_desk["to"][0]["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "pair",
        "app.kubernetes.io/component": "desk",
    }
    assert to_desk["ports"] == [{"protocol": "TCP", "port": 29400, "endPort": 29401}]
    assert to_desk["ports"] == desk["ingress"][0]["ports"]
    assert desk["egress"][1]["ports"] == robot["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 29400}]
    assert (len(robot["ingress"]), len(desk["ingress"]), len(desk["egress"])) == (1, 1, 2)


def test_launchers_of_one_address_reach_one_another_on_their_own_ports(tmp_path: Path) -> None:
    found = manifests(TWO.replace("10.0.0.3", "10.0.0.2"), tmp_path)
    robot, desk = (found["NetworkPolicy", f"pair-{name}"]["spec"] for name in ("robot-1", "desk"))
    assert robot["egress"][1]["ports"] == desk["ingress"][0]["ports"]
    assert desk["egress"][1]["ports"] == robot["ingress"][0]["ports"]
    assert robot["ingress"][0]["ports"] != desk["ingress"][0]["ports"]


def test_a_pod_without_links_may_talk_with_nobody(tmp_path: Path) -> None:
    spec = manifests(LOCAL, tmp_path)["NetworkPolicy", "flow-local"]["spec"]
    assert (spec["policyTypes"], spec["ingress"], spec["egress"]) == (["Ingress", "Egress"], [], [])


def test_keys_come_as_a_secret_and_are_copied_for_the_launcher(tmp_path: Path) -> None:
    pod = manifests(TWO, tmp_path)["StatefulSet", "pair-robot-1"]["spec"]["template"]["spec"]
    (handed,) = [volume for volume in pod["volumes"] if volume["name"] == "handed-keys"]
    assert handed["secret"]["secretName"] == "pair-robot-1-keys"
    assert {"name": "DORAFLOW_KEYS", "value": "/run/doraflow/keys"} in pod["containers"][0]["env"]
    assert {"name": "DORAFLOW_ADDRESS_DESK", "value": "pair-desk"} in pod["containers"][0]["env"]
    local = manifests(LOCAL, tmp_path)["StatefulSet", "flow-local"]["spec"]["template"]["spec"]
    assert "initContainers" not in local
    assert "env" not in local["containers"][0]


@pytest.mark.parametrize("label", ["edge_", "-edge", "x" * 64])
def test_a_label_that_no_cluster_takes_is_told(label: str, tmp_path: Path) -> None:
    text = TWO.replace("kind: edge", f"kind: {label}")
    findings = [each for each in told(kubernetes.check, plan_of(text, tmp_path)) if "DF865" in each]
    rule = "key and value are up to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
    assert findings == [f"error DF865: the label `kind: {label}` of `Robot.1` cannot be one of a cluster's: {rule}"]
