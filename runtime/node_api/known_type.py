"""A type that was sent before, in Python: `doraflow_core.KnownType` is its compiled twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from doraflow_runtime.formats.arrow import Parts
    from doraflow_runtime.node_api.preparing import Laid


@dataclass(slots=True, eq=False)
class KnownType:
    """A type that was sent before, and the last record and hole of it: most messages are like the one before them."""

    number: int
    kind: pa.DataType
    schema: bytes
    is_plain: bool
    width: int
    length: int = -1
    record: bytes = b""
    parts: Parts | None = None
    laid: Laid | None = None
