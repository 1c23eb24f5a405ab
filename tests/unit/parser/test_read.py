"""From syntax to model: each fault once, in words, with its place and its mend."""

import pytest

from doraflow.diagnostics import Sink
from doraflow.parser.compose import compose
from doraflow.parser.model import Dataflow
from doraflow.parser.read import read_model

LEVELS = "`warn`, `stdout`, `trace`, `debug`, `info`, `error`"
LEGAL = "letters, digits, `_`, `-` and `.`"
NO_INPUT_KEY = "an input has no key"
IGNORED = "it is ignored, here as by dora, and the default of"
NODE = "nodes:\n  - id: a\n    path: a.py\n"


def read(text: str) -> tuple[Dataflow | None, Sink]:
    sink = Sink()
    tree = compose(text, "f.yml", sink)
    assert tree is not None
    reading = read_model(Dataflow, tree, sink)
    return (None if reading is None else reading.model), sink


def only(text: str) -> tuple[str, str | None]:
    """Read a text with one fault, and give what was said of it and the help."""
    _, sink = read(text)
    [found] = sink.found
    assert found.span is not None
    return f"{found.code} {found.span.line}:{found.span.column}-{found.span.end_column} {found.message}", found.help


UNKNOWN_KEYS = {
    NODE + "    ouputs: [x]\n": ("DF101 4:5-11 a node has no key `ouputs`", "write `outputs`"),
    NODE + "    inputs:\n      x:\n        source: b/c\n        queue-size: 1\n": (
        f"DF101 7:9-19 {NO_INPUT_KEY} `queue-size`: {IGNORED} `queue_size` holds",
        "write `queue_size`",
    ),
    NODE + "    _unstable_deploy: {machine: m}\n": (
        "DF101 4:5-21 a node has no key `_unstable_deploy`",
        "write `deploy`",
    ),
    NODE + "    deploy: {host: m}\n": (
        "DF101 4:14-18 a deployment has no key `host`",
        "write `machine`",
    ),
    NODE + "communication: {lokal: shm}\n": (
        "DF101 4:17-22 a communication section has no key `lokal`",
        "write `local`",
    ),
    "nodes:\n  - id: a\n    operators:\n      - id: o\n        shared_library: x\n": (
        "DF101 5:9-23 an operator has no key `shared_library`",
        "write `shared-library`",
    ),
    "nodes:\n  - id: a\n    operator:\n      pyton: x\n": (
        "DF101 4:7-12 an operator has no key `pyton`",
        "write `python`",
    ),
    NODE + "hosts:\n  one: {adress: x}\n": ("DF101 5:9-15 a host has no key `adress`", "write `address`"),
    NODE + "    ros2: {topics: [{topik: x, topic: y, message_type: a/Z}]}\n": (
        "DF101 4:22-27 a topic has no key `topik`",
        "write `topic`",
    ),
}

MISSING_KEYS = {
    "nodes:\n  - path: a.py\n    outputs: [x]\n": (
        "DF102 2:5-9 this node lacks the key `id`, which is required",
        "add `id: …`",
    ),
    "name: x\n": ("DF102 1:1-8 this dataflow lacks the key `nodes`, which is required", "add `nodes: …`"),
    NODE + "    inputs:\n      x:\n        queue_size: 1\n": (
        "DF102 6:9-22 this input lacks the key `source`, which is required",
        "add `source: …`",
    ),
    "nodes:\n  - id: a\n    operators:\n      - python: x.py\n": (
        "DF102 4:9-21 this operator lacks the key `id`, which is required",
        "add `id: …`",
    ),
    NODE + "type_rules:\n  - {from: a}\n": (
        "DF102 5:5-14 this type rule lacks the key `to`, which is required",
        "add `to: …`",
    ),
}

WRONG_KINDS = {
    NODE + "    outputs: image\n": (
        "DF103 4:14-19 `outputs` is a text, expected a list",
        "write `outputs: [image]`",
    ),
    NODE + "    outputs: {image: x}\n": (
        "DF103 4:14-24 `outputs` is a map, expected a list",
        "write a list, `outputs: [image]`, and the types of outputs under `output_types`",
    ),
    NODE + "    outputs: [[image]]\n": (
        "DF103 4:15-22 an entry of `outputs` is a list, expected a text",
        "write one value, without a list around it",
    ),
    NODE + "    env:\n      - A: 1\n": (
        "DF103 5:7-13 `env` is a list, expected a map",
        "write a map: take away the `-` before each name, as in `A: 1`",
    ),
    NODE + "    env: {A: [1]}\n": (
        "DF103 4:14-17 `A` is a list, expected a text, number or boolean",
        "write one value, without a list around it",
    ),
    NODE + "    env: {A: }\n": ("DF103 4:11-12 `A` is empty, expected a text, number or boolean", 'write `A: ""`'),
    NODE + "    env: {A: {__dora_env: B}}\n": (
        "DF103 4:14-29 `A` is a map, expected a text, number or boolean",
        'write `A: "$B"`',
    ),
    NODE + "    args: [--speed, 2]\n": (
        "DF103 4:11-23 `args` is a list, expected a text with spaces between the arguments",
        "write `args: --speed 2`",
    ),
    NODE + "    inputs:\n      - a/b\n": (
        "DF103 5:7-12 `inputs` is a list, expected a map",
        "write a map, `inputs: {b: a/b}`",
    ),
    NODE + "    inputs:\n      x: [a/b]\n": (
        "DF103 5:10-15 `x` is a list, expected a text",
        "write one source, `node/output`; to read several, give each an input of its own",
    ),
    NODE + "    inputs:\n      x:\n": ("DF103 5:7-8 `x` is empty, expected a text", "write a value after `x:`"),
    NODE + "    max_restarts: many\n": (
        "DF103 4:19-23 `max_restarts` is a text, expected a whole number of 0 or more",
        "write a whole number from 0 to 4294967295",
    ),
    NODE + "    input_timeout: 3\n": ("DF101 4:5-18 a node has no key `input_timeout`", None),
    NODE + "strict_types: on\n": (
        "DF103 4:15-17 `strict_types` is a text, expected `true` or `false`",
        "write `strict_types: true` or `strict_types: false`",
    ),
    NODE + "    restart_delay: soon\n": (
        "DF103 4:20-24 `restart_delay` is a text, expected a number of seconds",
        "write a number of seconds, such as `0.5`",
    ),
    "nodes:\n  a: {path: x}\n": (
        "DF103 2:3-15 `nodes` is a map, expected a list",
        "write a list, with `- id: a` and its other keys below for the first entry",
    ),
    "nodes:\n  id: a\n  path: x\n": (
        "DF103 2:3-5 `nodes` is a map, expected a list",
        "write `- ` before `id`, and align its other keys with that",
    ),
    NODE + "    outputs:\n      -image\n      -depth\n": (
        "DF103 5:7-8 `outputs` is a text, expected a list",
        "put a space after each `-`, as in `- image`",
    ),
    "nodes: [a]\n": (
        "DF103 1:9-10 an entry of `nodes` is a text, expected a map",
        "write `- id: a`, with its other keys below",
    ),
    "nodes:\n  - id:\n    path: x\n": ("DF103 2:5-7 `id` is empty, expected a text", "write a value after `id:`"),
    NODE + "    cpu_affinity: 3\n": (
        "DF103 4:19-20 `cpu_affinity` is a number, expected a list",
        "write `cpu_affinity: [3]`",
    ),
}

BOUNDS = {
    NODE + "    max_restarts: 4294967296\n": (
        "DF104 4:19-29 `max_restarts` is `4294967296`, expected at most 4294967295",
        "write a whole number from 0 to 4294967295",
    ),
    NODE + "    max_restarts: 1.5\n": (
        "DF104 4:19-22 `max_restarts` is `1.5`, expected a whole number of 0 or more",
        "write a whole number from 0 to 4294967295",
    ),
    NODE + "    restart_delay: -1\n": (
        "DF104 4:20-22 `restart_delay` is `-1`, expected a finite number of seconds, 0 or more",
        "write a number of seconds, 0 or more",
    ),
    NODE + "    restart_delay: .nan\n": (
        "DF104 4:20-24 `restart_delay` is `.nan`, expected a finite number of seconds, 0 or more",
        "write a number of seconds, 0 or more",
    ),
    NODE + "health_check_interval: 0\n": (
        "DF104 4:24-25 `health_check_interval` is `0`, expected a finite number of seconds above 0",
        "write a number of seconds above 0, such as `health_check_interval: 5`",
    ),
    NODE + "    max_log_size: 5 parsecs\n": (
        "DF104 4:19-28 `max_log_size` is `5 parsecs`, expected a size in bytes",
        "write a number with one of the units B, KB, MB and GB, such as `64MB`",
    ),
    NODE + "    cpu_affinity: [0, -1]\n": (
        "DF104 4:23-25 an entry of `cpu_affinity` is `-1`, expected a whole number of 0 or more",
        "write a whole number from 0 to 4294967295",
    ),
}

QUEUES = {
    f"{NODE}    inputs:\n      x:\n        source: b/c\n        queue_size: {written}\n": (
        f"DF108 7:21-{21 + len(written)} `queue_size` is `{written}`, expected {wanted}",
        "write `5`, without quotes" if written == '"5"' else "write a whole number from 1 to 9223372036854775807",
    )
    for written, wanted in {
        "0": "a whole number of 1 or more",
        "-1": "a whole number of 1 or more",
        "many": "a whole number of 1 or more",
        '"5"': "a whole number of 1 or more",
        "2.5": "a whole number of 1 or more",
        "99999999999999999999": "at most 9223372036854775807",
    }.items()
}

WORDS = {
    NODE + "    restart_policy: on_failure\n": (
        "DF112 4:21-31 `restart_policy` is `on_failure`, expected one of `on-failure`, `never`, `always`",
        "write `restart_policy: on-failure`",
    ),
    NODE + "    inputs:\n      x: {source: b/c, queue_policy: drop_newest}\n": (
        "DF112 5:38-49 `queue_policy` is `drop_newest`, expected one of `drop_oldest`, `backpressure`",
        "write `queue_policy: drop_oldest`",
    ),
    NODE + "    outputs: [x]\n    output_framing: {x: protobuf}\n": (
        "DF112 5:25-33 `x` is `protobuf`, expected one of `raw`, `arrow-ipc`",
        "write one of `raw`, `arrow-ipc`",
    ),
    NODE + "    min_log_level: warning\n": (
        f"DF112 4:20-27 `min_log_level` is `warning`, expected one of {LEVELS}",
        "write `min_log_level: warn`",
    ),
}

IDENTIFIERS = {
    "nodes:\n  - id: front/camera\n    path: x\n": (
        "DF105 2:9-21 `front/camera` is not a node id: it holds `/`, which separates a node from its output",
        "write `front_camera`",
    ),
    'nodes:\n  - id: ""\n    path: x\n': (
        "DF105 2:9-11 a node id is empty",
        "write another id, of letters, digits, `_`, `-` and `.`",
    ),
    "nodes:\n  - id: dora\n    path: x\n": (
        "DF105 2:9-13 `dora` is reserved for timers and logs, and no node can have this id",
        "write another id, of letters, digits, `_`, `-` and `.`",
    ),
    "nodes:\n  - id: .a\n    path: x\n": ("DF105 2:9-11 `.a` is not a node id: it begins with `.`", "write `a`"),
    NODE + "    outputs: [left image]\n": (
        f"DF105 4:15-25 `left image` is not a port id: it holds ` `, and only {LEGAL} are allowed",
        "write `left_image`",
    ),
    NODE + "    inputs:\n      a//b: c/d\n": (
        "DF105 5:7-11 `a//b` is not a port id: nothing stands before, after or between its slashes",
        "write `a_b`",
    ),
    "nodes:\n  - id: a\n    operator: {id: o/p, python: x}\n": (
        "DF105 3:20-23 `o/p` is not an operator id: it holds `/`, which separates a node from its output",
        "write `o_p`",
    ),
}

CASES = UNKNOWN_KEYS | MISSING_KEYS | WRONG_KINDS | BOUNDS | QUEUES | WORDS | IDENTIFIERS


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_a_fault_is_told_once_with_its_place_and_its_mend(text: str, expected: tuple[str, str | None]) -> None:
    said, help_text = only(text)
    if said.startswith("DF101") and expected[1] is None:
        assert help_text is not None
        assert help_text.startswith("the keys of a node are `id`, `name`, `description`, `path`, ")
        expected = (expected[0], help_text)
    assert (said, help_text) == expected


def test_all_faults_of_a_file_are_told_in_one_run() -> None:
    model, sink = read("nodes:\n  - id: a/b\n    pth: x\n    max_restarts: -1\n  - outputs: x\nname: [1]\n")
    assert model is not None
    assert model.nodes == ()
    assert [found.code for found in sink.diagnostics()] == ["DF105", "DF101", "DF104", "DF102", "DF103", "DF103"]


def test_a_number_with_a_leading_zero_is_a_warning_where_a_number_is_read() -> None:
    text = NODE + "    env: {PIN: 0123}\n    args: 010\n    inputs:\n      x: {source: b/c, queue_size: 010}\n"
    model, sink = read(text)
    [found] = sink.found
    assert (found.code, found.severity, str(found.span)) == ("DF013", "warning", "f.yml:7:36")
    assert found.message == "`010` is 10 here, and 8 to a reader of YAML 1.1"
    assert found.help == "write `10`"
    assert model is not None
    assert model.nodes[0].inputs["x"].queue_size == 10
    assert model.nodes[0].env == {"PIN": "0123"}
    assert model.nodes[0].args == "010"


def test_short_and_long_forms_give_the_same_model() -> None:
    short, _ = read("nodes:\n  - {id: a, operator: {python: a.py, inputs: {x: b/c}}}\n")
    long, _ = read("nodes:\n  - {id: a, operator: {python: {source: a.py}, inputs: {x: {source: b/c}}}}\n")
    assert short == long


def test_texts_are_taken_as_they_are_written() -> None:
    model, _ = read("nodes:\n  - id: on\n    path: 1.10\n    args: 0x10 true\n    params: {a: 2.0, b: yes}\n")
    assert model is not None
    node = model.nodes[0]
    assert (node.id, node.path, node.args, node.params) == ("on", "1.10", "0x10 true", {"a": "2.0", "b": "yes"})


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("true", "true"),
        ("False", "false"),
        ("0x10", "16"),
        ("1.50", "1.5"),
        ("1e10", "10000000000"),
        ("1e-7", "0.0000001"),
        ("2.0", "2"),
        (".inf", "inf"),
        ("-.inf", "-inf"),
        (".nan", "NaN"),
        ("012", "012"),
        ("yes", "yes"),
        ('"1.50"', "1.50"),
        ("$HOME/x", "$HOME/x"),
    ],
)
def test_environment_values_become_the_text_that_a_dora_node_sees(written: str, seen: str) -> None:
    model, _ = read(f"{NODE}    env: {{A: {written}}}\n")
    assert model is not None
    assert model.nodes[0].env == {"A": seen}


@pytest.mark.parametrize(
    ("written", "size"),
    [("67108864", 2**26), ("64MB", 2**26), ("1 gb", 2**30), ('"512 KB"', 2**19), ("1.5K", 1536), ("7B", 7)],
)
def test_sizes_are_counted_in_bytes(written: str, size: int) -> None:
    model, _ = read(f"{NODE}    shared_memory_pool_size: {written}\n")
    assert model is not None
    assert model.nodes[0].shared_memory_pool_size == size


def test_keys_without_a_value_count_as_not_given() -> None:
    model, sink = read("nodes:\n  - id: a\n    path: x\n    inputs:\n    outputs:\n    env:\n    build: ~\nenv:\n")
    assert sink.found == []
    assert model is not None
    node = model.nodes[0]
    assert (node.inputs, node.outputs, node.env, node.build) == ({}, (), {}, None)


def test_log_levels_may_be_written_in_any_case() -> None:
    model, _ = read(NODE + "    min_log_level: INFO\n")
    assert model is not None
    assert model.nodes[0].min_log_level == "info"
