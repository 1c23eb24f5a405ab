"""Received messages as numpy arrays, tensors and images: the same memory, read-only, for as long as it is looked at."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from doraflow_runtime.node_api.events import Event
from doraflow_runtime.node_api.images import pixels
from doraflow_runtime.node_api.metadata import Metadata, encode
from doraflow_runtime.node_api.tensors import Tensor, as_numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run
    from doraflow_runtime.node_api.node import Node

NUMBERS = pa.array(range(24), pa.float32())


def told(**metadata: Any) -> Metadata:
    return Metadata(0, encode(metadata))


def input_event(value: pa.Array[Any], **metadata: Any) -> Event:
    return Event("INPUT", "in", value, told(**metadata))


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (NUMBERS, (24,)),
        (NUMBERS[4:10], (6,)),
        (pa.array([], pa.int8()), (0,)),
        (pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int8(), 2)), (3, 2)),
        (pa.array([[[1, 2]], [[3, 4]], [[5, 6]]], pa.list_(pa.list_(pa.int8(), 2), 1))[1:], (2, 1, 2)),
        (pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12).reshape(2, 3, 2)), (2, 3, 2)),
    ],
    ids=lambda given: str(getattr(given, "type", given)),
)
def test_an_array_of_numbers_is_seen_in_its_own_shape(value: Any, shape: tuple[int, ...]) -> None:
    view = as_numpy(value)
    assert view.shape == shape
    flat = value.storage if isinstance(value, pa.ExtensionArray) else value
    while pa.types.is_fixed_size_list(flat.type):
        flat = flat.flatten()
    assert view.ravel().tolist() == flat.to_pylist()
    assert not view.size or np.shares_memory(view, flat.to_numpy())
    assert not view.flags.writeable


def test_the_shape_is_the_one_asked_for_or_the_one_told() -> None:
    assert as_numpy(NUMBERS, told(shape=[2, 3, 4])).shape == (2, 3, 4)
    assert as_numpy(NUMBERS, told(shape=[2, 3, 4]), shape=(24,)).shape == (24,)
    assert input_event(NUMBERS, shape=[4, 6]).numpy().shape == (4, 6)


@pytest.mark.parametrize(
    ("value", "metadata", "error", "text"),
    [
        (pa.array([1, None, 3]), {}, TypeError, "an array with 1 nulls cannot be seen as numpy numbers without a copy"),
        (
            pa.array([True]),
            {},
            TypeError,
            "an array with the type bool cannot be seen as numpy numbers without a copy",
        ),
        (
            pa.array(["a"]),
            {},
            TypeError,
            "an array with the type string cannot be seen as numpy numbers without a copy",
        ),
        (
            pa.array([[1, 2], None], pa.list_(pa.int8(), 2)),
            {},
            TypeError,
            "a list with 1 nulls cannot be seen as numpy numbers without a copy",
        ),
        (
            NUMBERS,
            {"shape": [5, 5]},
            ValueError,
            (
                "metadata `shape` [5, 5] has 25 values, and the message 24: it came from another message; "
                "to read it flat, pass `shape=(24,)`"
            ),
        ),
        (NUMBERS, {"shape": "wide"}, ValueError, "metadata `shape` is 'wide', which is no list of sizes"),
        (NUMBERS, {"shape": [-1]}, ValueError, "metadata `shape` is [-1], which is no list of sizes"),
    ],
)
def test_what_cannot_be_seen_is_told(value: Any, metadata: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        as_numpy(value, told(**metadata))
    assert str(raised.value) == text


def test_an_event_without_a_value_is_told() -> None:
    with pytest.raises(TypeError, match="a STOP event carries no value"):
        Event("STOP", "MANUAL").numpy()


# ---- other libraries

TAKE: dict[str, Callable[[Tensor], Any]] = {
    "asarray": np.asarray,
    "from_dlpack": np.from_dlpack,
    "old_from_dlpack": lambda tensor: np.from_dlpack(Before1(tensor)),  # type: ignore[arg-type]
}


class Before1:
    """How a library asks that speaks DLPack before 1.0."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.tensor.__dlpack_device__()

    def __dlpack__(self, **_: object) -> object:
        return self.tensor.__dlpack__()


@pytest.mark.parametrize("take", TAKE.values(), ids=TAKE)
def test_a_tensor_is_taken_over_without_a_copy_and_read_only(take: Callable[[Tensor], Any]) -> None:
    array = take(Tensor(NUMBERS, told(shape=[2, 12])))
    assert array.shape == (2, 12)
    assert np.shares_memory(array, NUMBERS.to_numpy())
    assert not array.flags.writeable


def test_a_tensor_tells_its_shape_and_device_and_refuses_a_stream() -> None:
    tensor = Tensor(NUMBERS, shape=(3, 8))
    assert tensor.shape == (3, 8)
    assert tensor.__dlpack_device__() == (1, 0)
    assert tensor.__array_interface__["data"] == (NUMBERS.buffers()[1].address, True)  # type: ignore[union-attr]
    with pytest.raises(BufferError, match="memory of this processor has no stream, got 3"):
        tensor.__dlpack__(stream=3)


def sent(run: Run, count: int = 10) -> tuple[Node, Node]:
    run.pair(count)
    a, b = run.join("a", "b")
    with a.loan_array("out", (100, 100), "float32") as array:
        array[...] = np.arange(10_000).reshape(100, 100)
    return a, b


def slots_after(node: Node) -> int:
    """Let the node hear what came back."""
    node.next(0.2)
    node.is_empty()
    return node._core.pool.slots_in_use


VIEWS: dict[str, Callable[[Event], Any]] = {
    "numpy": lambda event: event.numpy(),
    "part of numpy": lambda event: event.numpy()[3:5].T,
    "tensor": lambda event: event.tensor(),
    "asarray": lambda event: np.asarray(event.tensor()),
    "from_dlpack": lambda event: np.from_dlpack(event.tensor()),
    "old_from_dlpack": lambda event: np.from_dlpack(Before1(event.tensor())),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("look", VIEWS.values(), ids=VIEWS)
def test_the_memory_is_kept_for_as_long_as_it_is_looked_at(run: Run, look: Callable[[Event], Any]) -> None:
    a, b = sent(run)
    event = b.next(5)
    assert event is not None
    view = look(event)
    del event
    gc.collect()
    b.next(0)
    assert slots_after(a) == 1
    with a.loan_array("out", (100, 100), "float32") as array:
        array[...] = -1
    assert np.asarray(view).max() >= 303
    del view
    gc.collect()
    b.next(5)
    b.next(0)
    assert slots_after(a) == 0


def test_torch_takes_a_message_without_a_copy(run: Run) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed, and is not needed but for this test")
    a, b = sent(run)
    event = b.next(5)
    assert event is not None
    tensor = torch.from_dlpack(event.tensor())
    assert tensor.data_ptr() == event.value.buffers()[1].address  # type: ignore[union-attr]
    assert tuple(tensor.shape) == (100, 100)
    del event
    gc.collect()
    b.next(0)
    assert slots_after(a) == 1
    assert tensor[99, 99].item() == 9999
    del tensor
    gc.collect()
    b.next(0)
    assert slots_after(a) == 0


def test_jax_takes_a_message(run: Run) -> None:
    numbers = pytest.importorskip("jax.numpy", reason="jax is not installed, and is not needed but for this test")
    _, b = sent(run)
    event = b.next(5)
    assert event is not None
    array = numbers.from_dlpack(event.tensor())
    assert array.shape == (100, 100)
    assert float(array[99, 99]) == 9999


# ---- images

IMAGE = pa.struct([("width", pa.uint32()), ("height", pa.uint32()), ("encoding", pa.string()), ("data", pa.binary())])


@pytest.mark.parametrize(
    ("encoding", "shape", "dtype"),
    [
        ("rgb8", (2, 4, 3), "uint8"),
        ("bgr8", (2, 4, 3), "uint8"),
        ("rgba8", (2, 4, 4), "uint8"),
        ("mono8", (2, 4), "uint8"),
        ("mono16", (2, 4), "uint16"),
    ],
)
def test_images_have_the_shape_of_their_encoding(encoding: str, shape: tuple[int, ...], dtype: str) -> None:
    wanted = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    data = wanted.tobytes()
    row = {"width": 4, "height": 2, "encoding": encoding, "data": data}
    flat = pa.array(np.frombuffer(data, np.uint8))
    for got in (
        input_event(flat, width=4, height=2, encoding=encoding).image(),
        input_event(pa.array([row], IMAGE)).image(),
        pixels(SimpleNamespace(**row)),
    ):
        assert (got.shape, got.dtype) == (shape, np.dtype(dtype))
        assert (got == wanted).all()
        assert not got.flags.writeable


def test_an_image_is_lent_as_nodes_for_dora_read_it(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    with a.loan_image("out", width=64, height=48, encoding="bgr8", metadata={"photo": "x"}) as frame:
        assert frame.shape == (48, 64, 3)
        frame[...] = np.arange(64)[None, :, None]
    event = b.next(5)
    assert event is not None
    assert event.value is not None
    assert event.metadata.parameters == {
        "photo": "x",
        "width": 64,
        "height": 48,
        "encoding": "bgr8",
        "shape": [48, 64, 3],
    }
    # what a node for dora does with it
    storage, metadata = event.value, event.metadata
    picture = storage.to_numpy().reshape((metadata["height"], metadata["width"], 3))  # type: ignore[arg-type]
    assert (picture == event.image()).all()
    assert np.shares_memory(picture, event.image())


@pytest.mark.parametrize(
    ("event", "error", "text"),
    [
        (
            input_event(NUMBERS, width=4, encoding="rgb8"),
            ValueError,
            "an image is told by its width, height and encoding: `width` is 4, `height` is None, `encoding` is 'rgb8'",
        ),
        (
            input_event(NUMBERS, width=4, height=4, encoding="jpeg"),
            ValueError,
            (
                "the layout of `jpeg` images is not known, it is of `rgb8`, `bgr8`, `rgba8`, `bgra8`, `mono8`, "
                "`mono16`: read their bytes"
            ),
        ),
        (
            input_event(pa.array([0] * 5, pa.uint8()), width=2, height=3, encoding="mono8"),
            ValueError,
            "a `mono8` image of 2 x 3 pixels does not have 5 bytes",
        ),
        (input_event(pa.array([], IMAGE)), ValueError, "a message with 0 rows is not one image"),
        (
            input_event(pa.array([{"width": 1}])),
            TypeError,
            "rows of struct<width: int64> are no images: they have no `height`",
        ),
        (
            input_event(pa.array([{"width": 1, "height": 1, "encoding": "mono8", "data": None}], IMAGE)),
            ValueError,
            "the `data` of the image is null",
        ),
    ],
)
def test_what_is_no_image_is_told(event: Event, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        event.image()
    assert str(raised.value) == text
