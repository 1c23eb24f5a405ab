"""Bridges to ROS 2, references to the hub, and logs that operators share: what dora refuses, at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.parser.conftest import Findings

SERVICE = "service: /add, service_type: example_interfaces/AddTwoInts"
ACTION = "action: /go, action_type: nav2_msgs/NavigateToPose"
BOTH = ", inputs: {i: b/x}, outputs: [o]"


def flow(ros2: str, rest: str) -> str:
    return f"nodes:\n- {{id: a, ros2: {{{ros2}}}{rest}}}\n"


ACCEPTED = [
    ("topic: /camera/image_raw, message_type: sensor_msgs/Image", ", outputs: [image]"),
    ("topic: _hidden/_x1, message_type: a/B, direction: publish", ", inputs: {i: b/x}"),
    (f"{SERVICE}, role: client", BOTH),
    (f"{SERVICE}, role: server", BOTH),
    (f"{ACTION}, role: client", BOTH),
    (f"{ACTION}, role: server, transport: {{kind: zenoh, compatibility: rep2016, config_uri: r.json5}}", BOTH),
    ("topics: [{topic: /a/b, message_type: a/B}]", ", outputs: [a_b]"),
    ("topics: [{topic: /a, message_type: a/B, direction: publish, input: i, qos: {keep_last: 10000}}]", BOTH),
]


@pytest.mark.parametrize(("ros2", "rest"), ACCEPTED)
def test_what_dora_bridges_is_accepted(ros2: str, rest: str, found: Findings) -> None:
    assert found(flow(ros2, rest)) == []


def named(name: str) -> str:
    return f"topic: '{name}', message_type: a/B"


REFUSED = {
    named(""): "DF128 `topic` is ``, which is no name in ROS 2: nothing stands before, after or between its slashes",
    named("/"): "DF128 `topic` is `/`, which is no name in ROS 2: nothing stands before, after or between its slashes",
    named(
        "/a/"
    ): "DF128 `topic` is `/a/`, which is no name in ROS 2: nothing stands before, after or between its slashes",
    named("a//b"): (
        "DF128 `topic` is `a//b`, which is no name in ROS 2: nothing stands before, after or between its slashes"
    ),
    named("/a/2b"): "DF128 `topic` is `/a/2b`, which is no name in ROS 2: `2b` begins with a digit",
    named("/a-b"): "DF128 `topic` is `/a-b`, which is no name in ROS 2: `a-b` holds more than letters, digits and `_`",
    "topic: /t, message_type: Image": (
        "DF128 `message_type` is `Image`, which is no type of ROS 2: a type is `package/Type`"
    ),
    "topic: /t, message_type: sensor_msgs/msg/Image": (
        "DF128 `message_type` is `sensor_msgs/msg/Image`, which is no type of ROS 2: a type is `package/Type`"
    ),
    "topic: /t, message_type: a-b/C": (
        "DF128 `message_type` is `a-b/C`, which is no type of ROS 2: a type is `package/Type`"
    ),
    "topic: /t, message_type: a/B, qos: {keep_last: 0}": (
        "DF104 `keep_last` is `0`, expected a whole number of 1 or more"
    ),
    "topic: /t, message_type: a/B, qos: {keep_last: 10001}": "DF104 `keep_last` is `10001`, expected at most 10000",
    "topic: /t, message_type: a/B, qos: {durability: sometimes}": (
        "DF112 `durability` is `sometimes`, expected one of `volatile`, `transient_local`"
    ),
    "topic: /t, message_type: a/B, qos: {lease_duration: -1}": (
        "DF104 `lease_duration` is `-1`, expected a finite number of seconds, 0 or more"
    ),
    "topic: /t, message_type: a/B, qos: {max_blocking_time: 1e300}": (
        "DF104 `max_blocking_time` is `1e300`, expected a finite number of seconds, 0 or more"
    ),
    "topic: /t, message_type: a/B, transport: {kind: zenoh, compatibility: humble, config_uri: ''}": (
        "DF103 `config_uri` is empty, expected a path"
    ),
    "topics: []": "DF110 this bridge bridges nothing: `topics` is empty",
    f"{SERVICE}": "DF102 `service` needs `role` beside it",
    "action: /go, role: client": "DF102 `action` needs `action_type` beside it",
}


@pytest.mark.parametrize("ros2", REFUSED)
def test_a_fault_in_a_bridge_is_told_once(ros2: str, found: Findings) -> None:
    (told,) = found(flow(ros2, BOTH))
    code, _, message = told.split(" ", 2)
    assert f"{code} {message}" == REFUSED[ros2]


PORTS = {
    ("topic: /t, message_type: a/B", ", inputs: {i: b/x}"): ["no output for what the topic carries"],
    ("topic: /t, message_type: a/B, direction: publish", ", outputs: [o]"): ["no input for what the topic is to carry"],
    (f"{SERVICE}, role: client", ", outputs: [o]"): ["no input for the request"],
    (f"{SERVICE}, role: client", ", inputs: {i: b/x}"): ["no output for the response"],
    (f"{SERVICE}, role: server", ""): ["no input for the response", "no output for the request"],
    (f"{ACTION}, role: client", ", outputs: [o]"): ["no input for the goal"],
    (f"{ACTION}, role: server", ", inputs: {i: b/x}"): ["no output for the goal"],
    ("topics: [{topic: /a, message_type: a/B}, {topic: /b, message_type: a/B}]", ""): [
        "no output for what a topic carries"
    ],
    ("topics: [{topic: /a, message_type: a/B, direction: publish}]", ", outputs: [o]"): [
        "no input for what a topic is to carry"
    ],
}


@pytest.mark.parametrize(("ros2", "rest"), PORTS)
def test_a_bridge_needs_the_ports_of_its_subject(ros2: str, rest: str, found: Findings) -> None:
    assert [line.split(" ", 2)[2] for line in found(flow(ros2, rest))] == [
        f"this bridge has {told}" for told in PORTS[ros2, rest]
    ]


def test_the_port_of_a_topic_must_be_declared_and_is_called_after_the_topic(found: Findings) -> None:
    assert found(flow("topics: [{topic: /camera/image, message_type: a/B}]", ", outputs: [image]")) == [
        (
            "DF129 2:35-48 the topic `/camera/image` is bridged to the output `camera_image`, "
            "which the node does not declare"
        )
    ]
    assert found(flow("topics: [{topic: /t, message_type: a/B, output: imgae}]", ", outputs: [image]")) == [
        "DF129 2:66-71 the topic `/t` is bridged to the output `imgae`, which the node does not declare"
    ]


def test_ports_that_could_not_be_read_are_not_missed(found: Findings) -> None:
    assert found(flow("topic: /t, message_type: a/B", ", outputs: image")) == [
        "DF103 2:58-63 `outputs` is a text, expected a list"
    ]


def test_a_bridge_to_more_than_64_topics_is_refused(found: Findings) -> None:
    topics = ", ".join(f"{{topic: /t{number}, message_type: a/B, output: o}}" for number in range(65))
    (told,) = found(flow(f"topics: [{topics}]", ", outputs: [o]"))
    assert told.endswith("`topics` lists 65, expected at most 64")


@pytest.mark.parametrize(
    "text", ["dora-yolo@^0.5", "acme/lidar@2.1", "x", '"x@>=0.5, <0.7"', "x@=1.2.3", "x@~0.4", "x@*"]
)
def test_packages_of_the_hub_are_named_as_dora_names_them(text: str, found: Findings) -> None:
    assert found(f"nodes: [{{id: a, hub: {text}}}]\n") == []


HUB = {
    '""': "`hub` is ``, which is no reference to a package: a package is `name` or `namespace/name`",
    '"@1.0"': "`hub` is `@1.0`, which is no reference to a package: a package is `name` or `namespace/name`",
    "a/b/c@1": "`hub` is `a/b/c@1`, which is no reference to a package: a package is `name` or `namespace/name`",
    "a/@1": "`hub` is `a/@1`, which is no reference to a package: a package is `name` or `namespace/name`",
    "x@latest": "`hub` is `x@latest`, which is no reference to a package: `latest` is no range of versions",
}


@pytest.mark.parametrize("text", HUB)
def test_a_malformed_package_is_refused(text: str, found: Findings) -> None:
    (told,) = found(f"nodes: [{{id: a, hub: {text}}}]\n")
    assert told.split(" ", 2)[2] == HUB[text]


@pytest.mark.parametrize(
    "key", ["send_stdout_as", "send_logs_as", "min_log_level", "max_log_size", "max_rotated_files"]
)
def test_only_one_operator_of_a_node_says_where_its_log_goes(key: str, found: Findings) -> None:
    value = {"min_log_level": "info", "max_log_size": "1MB", "max_rotated_files": "3"}.get(key, "out")
    operators = ", ".join(f"{{id: {name}, python: {name}.py, {key}: {value}}}" for name in "xy")
    (told,) = found(f"nodes: [{{id: a, operators: [{operators}]}}]\n")
    assert told.startswith("DF109 ")
    assert told.endswith(f"two operators of one node give `{key}`, and they share its log and its standard output")


@pytest.mark.parametrize(
    ("number", "told"), [(0, "expected a whole number of 1 or more"), (101, "expected at most 100")]
)
def test_log_files_are_rotated_1_to_100_times(number: int, told: str, found: Findings) -> None:
    (line,) = found(f"nodes: [{{id: a, path: a.py, max_rotated_files: {number}}}]\n")
    assert line.endswith(f"`max_rotated_files` is `{number}`, {told}")


def test_a_download_is_pinned_by_a_whole_digest(found: Findings) -> None:
    assert found(f"nodes: [{{id: a, path: https://host/a, path_sha256: {'ab' * 32}}}]\n") == []
    (line,) = found("nodes: [{id: a, path: https://host/a, path_sha256: ../x}]\n")
    assert line.startswith("DF103 ")
