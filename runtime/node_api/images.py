"""Images as arrays of pixels: dora's convention, and rows like std/media/v1/Image.

By dora's convention an image is a flat array of its pixels with `width`, `height` and `encoding` in the metadata. What
an encoding means is decided here; compressed images are left to those who can decode them. Pure functions.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
from doraflow_runtime.node_api.tensors import numpy_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow_runtime.node_api.numpy_arrays import AnyArray

ENCODINGS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "rgb8": (3, "uint8"),
        "bgr8": (3, "uint8"),
        "rgba8": (4, "uint8"),
        "bgra8": (4, "uint8"),
        "mono8": (1, "uint8"),
        "mono16": (1, "uint16"),
    }
)
"""What is known of raw encodings: values for each pixel, and their type."""

_TOLD = ("width", "height", "encoding")


class ImageRow(Protocol):
    """What the generated dataclass of std/media/v1/Image has."""

    @property
    def width(self) -> int:
        """Pixels in a line."""

    @property
    def height(self) -> int:
        """Lines."""

    @property
    def encoding(self) -> str:
        """What the bytes of a pixel mean."""

    @property
    def data(self) -> bytes | memoryview:
        """The pixels, line by line."""


def image_layout(width: int, height: int, encoding: str) -> tuple[tuple[int, ...], str]:
    """Give the shape and the numpy type of an image. Raises ValueError for an encoding that is not raw, or unknown."""
    if encoding not in ENCODINGS:
        known = ", ".join(f"`{name}`" for name in ENCODINGS)
        raise ValueError(f"the layout of `{encoding}` images is not known, it is of {known}: read their bytes")
    channels, dtype = ENCODINGS[encoding]
    return ((height, width) if channels == 1 else (height, width, channels)), dtype


def image_metadata(width: int, height: int, encoding: str) -> dict[str, int | str]:
    """Give the metadata of an image as dora's nodes read it."""
    return {"width": width, "height": height, "encoding": encoding}


def pixels(image: ImageRow) -> AnyArray:
    """See the data of a row as a read-only array (height, width) or (height, width, channels). Raises ValueError."""
    return _pixels(numpy_arrays().bytes_view(image.data), image.width, image.height, image.encoding)


def image_of(value: pa.Array[Any], metadata: Mapping[str, object]) -> AnyArray:
    """See a message as an image: a flat array with dora's metadata, or one row like std/media/v1/Image.

    Raises TypeError for another type, ValueError for metadata that is missing or an image of another size.
    """
    if isinstance(value, pa.StructArray):
        return _pixels_of_row(value)
    arrays = numpy_arrays()
    return _pixels(arrays.bytes_view(arrays.flat_view(value)), *(metadata.get(name) for name in _TOLD))


def _pixels_of_row(rows: pa.StructArray) -> AnyArray:
    if len(rows) != 1:
        raise ValueError(f"a message with {len(rows)} rows is not one image")
    names = [field.name for field in rows.type]
    missing = [name for name in (*_TOLD, "data") if name not in names]
    if missing:
        raise TypeError(f"rows of {rows.type} are no images: they have no `{missing[0]}`")
    row: Any = rows[0]
    data = row["data"].as_buffer()
    if data is None:
        raise ValueError("the `data` of the image is null")
    return _pixels(numpy_arrays().bytes_view(data), *(row[name].as_py() for name in _TOLD))


def _pixels(data: AnyArray, width: object, height: object, encoding: object) -> AnyArray:
    if not (isinstance(width, int) and isinstance(height, int) and isinstance(encoding, str)):
        told = ", ".join(f"`{name}` is {value!r}" for name, value in zip(_TOLD, (width, height, encoding), strict=True))
        raise ValueError(f"an image is told by its width, height and encoding: {told}")  # noqa: TRY004 - no argument
    shape, dtype = image_layout(width, height, encoding)
    try:
        return data.view(dtype).reshape(shape)
    except ValueError:
        told = f"a `{encoding}` image of {width} x {height} pixels"
        raise ValueError(f"{told} does not have {data.size} bytes") from None
