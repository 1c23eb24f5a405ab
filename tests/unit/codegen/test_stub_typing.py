"""What mypy says of node code that uses the generated stubs: nothing when it is right, the exact line when not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
STUBS = ROOT / "tests/golden/typed/expected"

RIGHT = """\
from typing import assert_never

import pyarrow as pa
from doraflow_runtime.node_api.images import pixels as pixels_of
from typed_stubs.planner import (
    ImageEvent, InputClosed, InputRecovered, JpegEvent, NodeFailed, NodeRestarted, Planner, RawEvent, StatusEvent, Stop,
)
from typed_stubs.types import BoundingBox, Detection, JointState, Odometry, Pose, Quaternion, Twist, Vector3

with Planner() as node:
    for event in node:
        match event:
            case ImageEvent(value=image, metadata=metadata):
                pixels: memoryview = memoryview(image.data)
                width: int = image.width
                box = BoundingBox(x=0.0, y=0.0, width=1.0, height=1.0, confidence=0.5, label="a")
                node.outputs.detection.send(Detection(boxes=[box]), metadata=metadata)
                node.outputs.detection.send([Detection(boxes=[box]), Detection(boxes=[])])
            case RawEvent(value=raw):
                numbers: pa.UInt8Array = raw
                print(event.numpy().mean(), event.tensor().shape, event.image().shape, pixels_of(image).shape)
            case JpegEvent(value=jpeg):
                node.outputs.plain.send(jpeg)
            case StatusEvent(value=status):
                node.outputs.joints.send(JointState(names=status, positions=[1.0], velocities=[], efforts=[]))
            case InputClosed(id=closed) | InputRecovered(id=closed) | NodeRestarted(id=closed):
                print(closed)
            case NodeFailed(id=failed, error=error, inputs=inputs):
                print(f"{failed}: {error}", ", ".join(inputs))
            case Stop(cause=cause):
                zero = Vector3(0.0, 0.0, 0.0)
                pose = Pose(zero, Quaternion(0.0, 0.0, 0.0, 1.0))
                node.outputs.odometry.send(Odometry(pose, Twist(zero, zero), "map"))
            case _:
                assert_never(event)
"""

RIGHT_CAMERA = """\
from typed_stubs.camera import Camera, TickEvent
from typed_stubs.types import Image

with Camera() as node:
    for event in node:
        if isinstance(event, TickEvent):
            with node.outputs.image.loan(width=2, height=1, encoding="mono8", size=2) as pixels:
                pixels[:] = b"ab"
            with node.outputs.raw.loan(4) as numbers:
                numbers[0] = 1
            with node.outputs.raw.loan(shape=(2, 3)) as array:
                array[0, 1] = 7
            with node.outputs.raw.loan_image(width=2, height=1, encoding="bgr8") as picture:
                picture[:, :, 0] = 255
            with node.outputs.image.loan_image(width=2, height=1) as row:
                row.fill(3)
            with node.outputs.jpeg.loan(3) as data:
                data[:] = b"abc"
            node.outputs.image.send(Image(2, 1, "mono8", b"ab"))
            node.outputs.status.send(["ready"])
"""

WRONG_NAME = """\
from typed_stubs.camera import Camera

with Camera() as node:
    node.outputs.imgae.send([1])
"""

WRONG_TYPE = """\
from typed_stubs.camera import Camera
from typed_stubs.types import BoundingBox, Image

with Camera() as node:
    node.outputs.status.send([1])
    node.outputs.image.send(BoundingBox(x=0.0, y=0.0, width=1.0, height=1.0, confidence=0.5, label="a"))
    node.outputs.image.send(Image("2", 1, "mono8", b""))
    node.outputs.image.loan(width=1, height=1, size=3)
    node.outputs.raw.loan(size=3, shape=(3,))
    node.outputs.status.loan(shape=(3,))
"""

MISSING_CASE = """\
from typing import assert_never

from typed_stubs.camera import Camera, InputClosed, InputRecovered, NodeFailed, NodeRestarted, TickEvent

with Camera() as node:
    for event in node:
        match event:
            case TickEvent() | InputClosed() | InputRecovered() | NodeFailed() | NodeRestarted():
                pass
            case _:
                assert_never(event)
"""

CODE = {
    "right.py": RIGHT,
    "right_camera.py": RIGHT_CAMERA,
    "wrong_name.py": WRONG_NAME,
    "wrong_type.py": WRONG_TYPE,
    "missing_case.py": MISSING_CASE,
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory, mypy_cache: Path) -> dict[str, list[str]]:
    """All lines that mypy has for each file, from one run: mypy is slow to start."""
    folder = tmp_path_factory.mktemp("nodes")
    for name, text in CODE.items():
        (folder / name).write_text(text)
    options = ["--strict", "--no-error-summary", "--hide-error-context", "--cache-dir", str(mypy_cache)]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *CODE],
        cwd=folder,
        env={**os.environ, "MYPYPATH": f"{STUBS}:{ROOT / 'typings'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    told: dict[str, list[str]] = {name: [] for name in CODE}
    for line in done.stdout.splitlines():
        name, _, rest = line.partition(":")
        told[name].append(rest)
    return told


def test_right_code_passes(errors: dict[str, list[str]]) -> None:
    assert errors["right.py"] == []
    assert errors["right_camera.py"] == []


def test_a_wrong_output_is_an_error(errors: dict[str, list[str]]) -> None:
    assert errors["wrong_name.py"] == ['4: error: "Outputs" has no attribute "imgae"; maybe "image"?  [attr-defined]']


def test_a_wrong_value_is_an_error(errors: dict[str, list[str]]) -> None:
    told = [line for line in errors["wrong_type.py"] if not line.startswith("9: note:")]  # the overloads, in full
    assert told == [
        '5: error: List item 0 has incompatible type "int"; expected "str"  [list-item]',
        (
            '6: error: Argument 1 to "send" of "StructOutput" has incompatible type "BoundingBox"; '
            'expected "Image | Sequence[Image]"  [arg-type]'
        ),
        '7: error: Argument 1 to "Image" has incompatible type "str"; expected "int"  [arg-type]',
        '8: error: Missing named argument "encoding" for "loan" of "ImageOutput"  [call-arg]',
        '8: note: "loan" defined in "typed_stubs.types"',
        (
            '9: error: No overload variant of "loan" of "ByteArrayOutput" matches argument types "int", "tuple[int]"  '
            "[call-overload]"
        ),
        '10: error: "ScalarOutput[StringArray, str]" has no attribute "loan"  [attr-defined]',
    ]


def test_a_missing_case_is_an_error(errors: dict[str, list[str]]) -> None:
    assert errors["missing_case.py"] == [
        '11: error: Argument 1 to "assert_never" has incompatible type "Stop"; expected "Never"  [arg-type]'
    ]
