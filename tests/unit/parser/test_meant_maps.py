"""Lists and texts in the place of a map: the lines that they were meant to be."""

from __future__ import annotations

import pytest

from doraflow.diagnostics import Sink
from doraflow.parser.compose import compose
from doraflow.parser.meant_maps import as_map

ONE_EACH = "write a map: take away the `-` before each name, as in"


def help_of(text: str, parent: str) -> str:
    tree = compose(text, "f.yml", Sink())
    assert tree is not None
    (entry,) = tree.entries
    return as_map(entry.key.text, entry.value, parent, is_entry=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inputs: [camera/image]", "write a map, `inputs: {image: camera/image}`"),
        ("inputs: [a/x, dora/timer/hz/30]", "write a map, `inputs: {x: a/x, tick: dora/timer/hz/30}`"),
        ("inputs: [a/w, a/x, a/y, a/z]", "write a map, `inputs: {w: a/w, x: a/x, y: a/y, …}`"),
        ("inputs: [{image: camera/image}]", f"{ONE_EACH} `image: camera/image`"),
        ("inputs: [{id: image, source: camera/image}]", "write a map, `inputs: {image: camera/image}`"),
        ("inputs: [{name: image, topic: camera/image}]", "write a map, `inputs: {image: camera/image}`"),
        ("inputs: camera/image", "write a map, `inputs: {image: camera/image}`"),
        ("inputs: [a/x, b/x]", "write a map, `NAME: value` on each line, without `-`"),
        ("inputs: [image]", "write a map, `inputs: {image: NODE/image}`"),
        ("inputs: image = camera/image", "write a map, with `:` for `=`: `image: camera/image`"),
        ("env: [RATE=30, DEVICE=/dev/video0]", "write a map, `env: {RATE: 30, DEVICE: /dev/video0}`"),
        ("env: [{name: RATE, value: 30}]", "write a map, `env: {RATE: 30}`"),
        ("env: [{RATE: 30}]", f"{ONE_EACH} `RATE: 30`"),
        ("env: ['A=b, c']", "write a map, `NAME: value` on each line, without `-`"),
        ("output_types: [{image: std/media/v1/Image}]", f"{ONE_EACH} `image: std/media/v1/Image`"),
        ("hosts: [{name: arm, address: 10.0.0.2}]", "write a map: `arm:` for the first one, with its other keys below"),
        ("deploy: arm", "write `deploy: {machine: arm}`"),
    ],
)
def test_a_list_or_text_is_written_as_the_map_it_was_meant_to_be(text: str, expected: str) -> None:
    assert help_of(text, "") == expected


def test_the_address_of_a_machine_alone_is_put_into_a_map() -> None:
    assert help_of("arm: 10.0.0.2", "hosts") == "write `arm: {address: 10.0.0.2}`"
