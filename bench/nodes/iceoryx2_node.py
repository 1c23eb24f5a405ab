"""A node of iceoryx2: a service of byte slices, and an event that wakes the reader; loans as its zero-copy way.

Its copied way is a copy into a loan, which is what its Python API would do.
"""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING, Any

import iceoryx2 as iox2
from roles import play

if TYPE_CHECKING:
    from collections.abc import Callable

    from seat import Seat

BORROWED = 2  # samples that a reader may hold


class Iceoryx2Port:
    """One iceoryx2 node, whose names are private to the run."""

    def __init__(self, seat: Seat) -> None:
        iox2.set_log_level(iox2.LogLevel.Error)
        config = iox2.config.default()
        config.global_cfg.prefix = iox2.FileName.new(f"{seat.folder.name}_")
        config.global_cfg.root_path = iox2.Path.new(str(seat.folder / "iox2"))
        self._node = iox2.NodeBuilder.new().config(config).create(iox2.ServiceType.Ipc)
        self._readers = len(seat.readers)
        self._most = seat.number("count")
        self._window = seat.number("window")
        if seat.source:
            service, event = self._service(seat.source, seat)
            self._in = service.subscriber_builder().buffer_size(self._window).create()
            self._listener = event.listener_builder().create()
        if seat.readers:
            service, event = self._service(seat.output, seat)
            self._out = (
                service.publisher_builder()
                .initial_max_slice_len(seat.number("size"))
                .backpressure_strategy(iox2.BackpressureStrategy.RetryUntilDelivered)
                .create()
            )
            self._notifier = event.notifier_builder().create()

    def _service(self, name: str, seat: Seat) -> Any:
        readers = max(1, seat.number("count") - 1)
        service = (
            self._node.service_builder(iox2.ServiceName.new(name))
            .publish_subscribe(iox2.Slice[ctypes.c_uint8])
            .enable_safe_overflow(False)  # noqa: FBT003 - its only parameter
            .subscriber_max_buffer_size(self._window)
            .subscriber_max_borrowed_samples(BORROWED)
            .max_publishers(1)
            .max_subscribers(readers)
            .max_nodes(self._most)
            .open_or_create()
        )
        event = (
            self._node.service_builder(iox2.ServiceName.new(f"{name}.event"))
            .event()
            .max_listeners(readers)
            .max_notifiers(1)
            .max_nodes(self._most)
            .open_or_create()
        )
        return service, event

    def sender(self, size: int, way: str, mark: Callable[[], int]) -> Callable[[], None]:
        """Write into a loan, or copy a buffer into one."""
        loan, notify = self._out.loan_slice_uninit, self._notifier.notify
        if way == "loaned":
            number = ctypes.c_uint64

            def loaned() -> None:
                sample = loan(size)
                number.from_address(sample.payload_ptr).value = mark()
                sample.assume_init().send()
                notify()

            return loaned
        buffer = bytearray(size)
        head = memoryview(buffer)[:8]
        address = ctypes.addressof((ctypes.c_uint8 * size).from_buffer(buffer))

        def copied() -> None:
            head[:] = mark().to_bytes(8, "little")
            sample = loan(size)
            ctypes.memmove(sample.payload_ptr, address, size)
            sample.assume_init().send()
            notify()

        return copied

    def forwarder(self, size: int) -> Callable[[Any], None]:
        """Copy the received bytes into a loan."""
        del size
        loan, notify = self._out.loan_slice_uninit, self._notifier.notify

        def forward(payload: Any) -> None:
            length = payload.header.number_of_elements
            sample = loan(length)
            ctypes.memmove(sample.payload_ptr, payload.payload_ptr, length)
            sample.assume_init().send()
            notify()

        return forward

    def receive(self) -> Any:
        """Wait for a sample."""
        while (sample := self._in.receive()) is None:
            self._listener.blocking_wait()
        return sample

    def number(self, payload: Any) -> int:
        """Read in place."""
        return ctypes.c_uint64.from_address(payload.payload_ptr).value

    def window(self, size: int) -> int | None:
        """Leave it to iceoryx2: its publisher retries until a sample is delivered."""
        del size
        return None

    def rest(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def close(self) -> None:
        """Let go of everything in the order in which it was made."""
        for name in ("_notifier", "_out", "_listener", "_in", "_node"):
            self.__dict__.pop(name, None)


if __name__ == "__main__":
    play(Iceoryx2Port)
