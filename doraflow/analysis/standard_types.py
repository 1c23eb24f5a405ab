"""The standard types, as dora defines them: URN to Arrow type, with the members of structs in order.

A member names an Arrow scalar, a type of this table, or `List<…>` of either. Types are named in full, since a user's
type may have the short name of a standard one.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SCALAR_TYPES: Mapping[str, str] = MappingProxyType(
    {
        **{f"std/core/v1/{name}": name for name in ("Float32", "Float64")},
        **{f"std/core/v1/{name}": name for name in ("Int8", "Int16", "Int32", "Int64")},
        **{f"std/core/v1/{name}": name for name in ("UInt8", "UInt16", "UInt32", "UInt64")},
        "std/core/v1/String": "Utf8",
        "std/core/v1/Bytes": "LargeBinary",
        "std/core/v1/Bool": "Boolean",
        "std/media/v1/CompressedImage": "LargeBinary",
    }
)

_SIZE = {"width": "UInt32", "height": "UInt32"}
_VECTOR = "std/math/v1/Vector3"
_QUATERNION = "std/math/v1/Quaternion"

STRUCT_TYPES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "std/math/v1/Vector3": dict.fromkeys("xyz", "Float64"),
        "std/math/v1/Quaternion": dict.fromkeys("xyzw", "Float64"),
        "std/math/v1/Pose": {"position": _VECTOR, "orientation": _QUATERNION},
        "std/math/v1/Transform": {"translation": _VECTOR, "rotation": _QUATERNION},
        "std/control/v1/Twist": {"linear": _VECTOR, "angular": _VECTOR},
        "std/control/v1/JointState": {
            "names": "List<Utf8>",
            **dict.fromkeys(("positions", "velocities", "efforts"), "List<Float64>"),
        },
        "std/control/v1/Odometry": {"pose": "std/math/v1/Pose", "twist": "std/control/v1/Twist", "frame_id": "Utf8"},
        "std/media/v1/Image": {**_SIZE, "encoding": "Utf8", "data": "LargeBinary"},
        "std/media/v1/PointCloud": {"points": "LargeBinary", **_SIZE},
        "std/media/v1/AudioFrame": {"sample_rate": "UInt32", "channels": "UInt32", "data": "LargeBinary"},
        "std/vision/v1/BoundingBox": {
            **dict.fromkeys(("x", "y", "width", "height", "confidence"), "Float32"),
            "label": "Utf8",
        },
        "std/vision/v1/Detection": {"boxes": "List<std/vision/v1/BoundingBox>"},
        "std/vision/v1/Segmentation": {
            **_SIZE,
            "num_classes": "UInt32",
            "mask": "LargeBinary",
            "class_names": "List<Utf8>",
        },
    }
)

PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "std/media/v1/Image": ("encoding",),
        "std/media/v1/CompressedImage": ("format",),
        "std/media/v1/PointCloud": ("point_type",),
        "std/media/v1/AudioFrame": ("sample_type", "channels"),
    }
)
"""The parameters that a type's name may have in brackets."""

TIMER_TYPE = "std/core/v1/UInt64"
ANY_SINK = "std/core/v1/Bytes"

WIDENINGS: tuple[tuple[str, str], ...] = (
    ("std/core/v1/UInt8", "std/core/v1/UInt32"),
    ("std/core/v1/UInt32", "std/core/v1/UInt64"),
    ("std/core/v1/Int32", "std/core/v1/Int64"),
    ("std/core/v1/Float32", "std/core/v1/Float64"),
)
