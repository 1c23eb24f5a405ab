"""What a sender says on its connection to another host: the greeting, types, and messages that travel by themselves.

When it says so, and what it keeps, is the affair of `outgoing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.net import frames
from doraflow_runtime.net.copies import Copied
from doraflow_runtime.net.frames import Stand
from doraflow_runtime.net.packing import Pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.net.connecting import FarConnection
    from doraflow_runtime.net.lanes import Outbound, Parcel
    from doraflow_runtime.net.packing import Item


def greet(
    connection: FarConnection, greeting: tuple[str, bytes], producer: str, lanes: dict[int, Outbound[Item]]
) -> None:
    """Say who sends, and where its edges stand; `greeting` is the dataflow and a number of this process."""
    dataflow, session = greeting
    stands = tuple(Stand(index, lane.first, 0) for index, lane in lanes.items())
    connection.put(frames.hello(frames.Hello(dataflow, producer, session, stands)))


def transmit(
    connection: FarConnection, types: set[int], schema: Callable[[int], bytes], link: int, parcel: Parcel[Item]
) -> None:
    """Send one message, after its type unless that is among those that were announced. A pack is taken apart before."""
    item, number = parcel.item, parcel.number
    if isinstance(item, Pack):
        raise TypeError("a pack is taken apart before it is sent again")
    type_number, flags, body = item[:3]
    if type_number and type_number not in types:
        types.add(type_number)
        connection.put(frames.record(frames.type_frame(type_number, schema(type_number))))
    if isinstance(item, Copied):
        content = item.content
    elif item.slot is not None:
        content = item.slot.memory[: item.slot.name.size]
    else:
        connection.put(frames.message(link, type_number, flags, number, body))
        return
    size, most = len(content), connection.piece_bytes
    flags |= frames.IN_PIECES if size > most else 0
    connection.put(frames.message_beside(link, type_number, flags, number, body, size), content[:most])
    for at in range(most, size, most):
        connection.put(frames.piece(link, number), content[at : at + most])
