"""Arrow scalars in generated code: how each is written in Python and in pyarrow."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ScalarCode:
    """`make` builds the Arrow type, `array` is the class of its arrays, `python` the type of one value."""

    make: str
    array: str
    python: str


SCALAR_CODE: Mapping[str, ScalarCode] = MappingProxyType(
    {
        "Boolean": ScalarCode("pa.bool_()", "pa.BooleanArray", "bool"),
        **{
            name: ScalarCode(f"pa.{name.lower()}()", f"pa.{name}Array", "int")
            for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
        },
        "Float32": ScalarCode("pa.float32()", "pa.FloatArray", "float"),
        "Float64": ScalarCode("pa.float64()", "pa.DoubleArray", "float"),
        "Utf8": ScalarCode("pa.string()", "pa.StringArray", "str"),
        "LargeUtf8": ScalarCode("pa.large_string()", "pa.LargeStringArray", "str"),
        "Binary": ScalarCode("pa.binary()", "pa.BinaryArray", "bytes | memoryview"),
        "LargeBinary": ScalarCode("pa.large_binary()", "pa.LargeBinaryArray", "bytes | memoryview"),
    }
)

BINARY = ("Binary", "LargeBinary")

NUMBERS = tuple(name for name, code in SCALAR_CODE.items() if code.python in ("int", "float"))
"""The types whose values lie side by side in memory."""
