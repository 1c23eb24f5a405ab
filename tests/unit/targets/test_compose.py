"""The Compose file: as its specification wants it, confined, and open for the plan's links alone."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from doraflow.targets import compose
from tests.unit.targeting.plans import LOCAL, TWO, plan_of, told
from tests.unit.targets.reading import documents, files_of

SCHEMA = Path(__file__).resolve().parents[2] / "data/compose-spec/compose-spec.json"
AWKWARD = f'name: "a ${{x}} \\"quoted\\": name"\n{LOCAL}'


@functools.cache
def validator() -> Any:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def project(text: str, folder: Path, name: str = "compose.yaml") -> Any:
    (document,) = documents(files_of(compose, text, folder)[name])
    return document


@pytest.mark.parametrize("text", [LOCAL, TWO, AWKWARD])
def test_every_file_is_as_the_specification_wants_it(text: str, tmp_path: Path) -> None:
    made = files_of(compose, text, tmp_path)
    for name in (name for name in made if name.endswith(".yaml")):
        (document,) = documents(made[name])
        assert [error.message for error in validator().iter_errors(document)] == []


def test_the_specification_would_tell_of_a_fault(tmp_path: Path) -> None:
    document = project(LOCAL, tmp_path)
    document["services"]["local"]["shm_sise"] = "1g"
    assert not validator().is_valid(document)


def test_a_service_is_confined(tmp_path: Path) -> None:
    service = project(TWO, tmp_path)["services"]["robot-1"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "${DORAFLOW_USER:-65532:65532}"
    assert service["deploy"]["resources"]["limits"] == {"cpus": "4", "memory": "2147483648"}
    assert service["shm_size"] == 64 * 1024**2


def test_only_ports_of_links_are_open_and_none_without_links(tmp_path: Path) -> None:
    services = project(TWO, tmp_path)["services"]
    assert services["desk"]["expose"] == ["29400-29401"]
    assert services["robot-1"]["expose"] == ["29400"]
    assert all("ports" not in service for service in services.values())
    local = project(LOCAL, tmp_path)["services"]["local"]
    assert not {"expose", "ports", "secrets", "environment"} & local.keys()


def test_hosts_find_each_other_by_the_names_of_services_or_by_the_inventory(tmp_path: Path) -> None:
    inside = project(TWO, tmp_path)["services"]["robot-1"]["environment"]
    assert inside == {"DORAFLOW_ADDRESS_DESK": "desk", "DORAFLOW_KEYS": "/run/doraflow/keys"}
    published = project(TWO, tmp_path, "compose.publish.yaml")["services"]
    assert published["desk"] == {
        "environment": {"DORAFLOW_ADDRESS_ROBOT_1": "10.0.0.2"},
        "ports": ["29400-29401:29400-29401"],
    }


def test_a_dataflow_on_one_machine_publishes_nothing(tmp_path: Path) -> None:
    assert "compose.publish.yaml" not in files_of(compose, LOCAL, tmp_path)


def test_a_service_sees_the_folder_of_keys_of_its_own_host(tmp_path: Path) -> None:
    state, keys = project(TWO, tmp_path)["services"]["robot-1"]["volumes"]
    assert state == "robot-1-state:/var/lib/doraflow"
    assert keys["source"].partition("}")[2] == "/Robot.1", "what `doraflow keys export Robot.1` wrote, old keys too"
    assert (keys["target"], keys["read_only"]) == ("/run/doraflow/keys", True)
    assert keys["bind"] == {"create_host_path": False}, "an absent folder is told, not made empty by root"


def test_without_keys_for_insecure_links(tmp_path: Path) -> None:
    document = project(f"{TWO}communication: {{remote: {{insecure: true}}}}\n", tmp_path)
    assert "DORAFLOW_KEYS" not in json.dumps(document)


def test_what_has_to_be_filled_in_is_asked_for(tmp_path: Path) -> None:
    made = files_of(compose, TWO, tmp_path)["compose.yaml"]
    required = {name for name, _ in re.findall(r"\$\{(\w+):\?([^}]+)\}", made)}
    assert required == {"BASE_IMAGE", "DORAFLOW_KEYS"}


@pytest.mark.parametrize(
    ("image", "code"),
    [("", 1), ("python:3.12-slim", 1), ("python@sha256:12", 1), (f"python:3.12@sha256:{'0a' * 32}", 0)],
)
def test_the_image_is_built_from_a_base_with_a_digest_alone(image: str, code: int, tmp_path: Path) -> None:
    text = files_of(compose, LOCAL, tmp_path)["Dockerfile"].replace("\\\n", "")
    (line,) = re.findall(r"(?m)^RUN (case .*)$", text)
    done = subprocess.run(
        ["sh", "-c", line], env={"BASE_IMAGE": image}, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == code
    assert (f"BASE_IMAGE is {image or 'empty'}" in done.stderr) == bool(code)


def test_an_engine_waits_for_the_launcher_and_asks_it(tmp_path: Path) -> None:
    service = project(LOCAL, tmp_path)["services"]["local"]
    assert (service["stop_grace_period"], service["healthcheck"]["start_period"]) == ("20s", "140s")
    assert service["healthcheck"]["test"] == [
        *("CMD", "python3", "/opt/doraflow/bundle/launch_local.py", "--check-health", "ready"),
        *("--health-timeout", "5"),
    ]


def test_what_no_image_can_hold_is_told(tmp_path: Path) -> None:
    text = (
        "nodes:\n  - {id: a, path: $HOME/a.py}\n  - {id: b, path: b.py, build: make model}\n"
        "  - {id: c, path: target/c, build: make}\n  - {id: d, path: d.py, build: pip install numpy}\n"
        "  - {id: e, path: e.py, build: pip install -e .}\nhosts: {local: {cores: 1}}\n"
    )
    assert told(compose.check, plan_of(text, tmp_path)) == [
        (
            "error DF866: `$HOME/a.py` of `a` lies outside the dataflow's folder, and the image holds nothing of this "
            "machine: the node could not start"
        ),
        (
            "warning DF867: `make model` of `b` is run on this machine, and what it writes is not put into the image, "
            "but for files that the dataflow names"
        ),
        (
            "warning DF867: `pip install -e .` of `e` is run on this machine, and what it writes is not put into the "
            "image, but for files that the dataflow names"
        ),
    ]
