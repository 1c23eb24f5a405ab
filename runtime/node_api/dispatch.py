"""What a node sends with, as far as it is compiled: `doraflow_core.Dispatch` does at once what can be done at once.

That is a message of a flat type that every reader knows and nobody has to be waited for. In Python there is no faster
way than the one for everything, so this twin has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import RLock

    import pyarrow as pa
    from doraflow_runtime.node_api.core import Core
    from doraflow_runtime.node_api.far_links import AnyConsumer
    from doraflow_runtime.node_api.known_type import KnownType
    from doraflow_runtime.node_api.loans import Loan
    from doraflow_runtime.node_api.metadata import Parameters
    from doraflow_runtime.shm.pool import Pool


class Dispatch:
    """The shortest way of a message; subclassed by `Sender`, which has the way for everything."""

    def __init__(
        self,
        core: Core,
        lock: RLock,
        consumers: dict[str, AnyConsumer],
        pool: Pool,
        targets: dict[str, list[tuple[int, str]]],
        last: dict[str, KnownType],
        array_class: type[pa.Array[Any]],
        byte: pa.DataType,
        encode: Callable[[Parameters | None], bytes],
    ) -> None:
        """Take what a message needs: live tables, which others change."""

    def send(self, output_id: str, data: object, metadata: Parameters | None = None) -> None:
        """Send data to every reader of an output, as `send_slowly` does."""
        self.send_slowly(output_id, data, metadata)

    def lend(self, output_id: str, size: int, metadata: Parameters | None = None) -> Loan:
        """Lend `size` bytes, as `lend_slowly` does."""
        return self.lend_slowly(output_id, size, metadata)

    def reroute(self, targets: dict[str, list[tuple[int, str]]]) -> None:
        """Take note that the readers of outputs are others now."""

    def sent(self) -> dict[str, tuple[int, int]]:
        """Count what went the shortest way: messages and bytes, by output. There is none."""
        return {}

    def send_slowly(self, output_id: str, data: object, metadata: Parameters | None) -> None:
        """Send data, whatever it is, and wait for whoever has to be waited for."""
        raise NotImplementedError

    def lend_slowly(self, output_id: str, size: int, metadata: Parameters | None) -> Loan:
        """Lend bytes, and wait for them if need be."""
        raise NotImplementedError

    def await_room(self, consumer_id: str, link: int) -> bool:
        """Wait until a reader on another host may be sent a message; False if others have to see to that."""
        raise NotImplementedError


class Grip:
    """What keeps a node open: the node holds it, and so does whoever keeps a call that is made by it.

    It does not hold the node in turn: one that nobody uses any more is closed at once.
    """

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    def send_output(self, output_id: str, data: object, metadata: Parameters | None = None) -> None:
        """Send data to every reader of an output."""
        self._dispatch.send(output_id, data, metadata)

    def loan(self, output_id: str, size: int, metadata: Parameters | None = None) -> Loan:
        """Lend so many bytes of shared memory."""
        return self._dispatch.lend(output_id, size, metadata)
