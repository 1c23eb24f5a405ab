"""A link under backpressure that is cut again and again while real processes send and receive over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.runtime.net.man_in_the_middle import Proxy

if TYPE_CHECKING:
    from conftest import Run


def pass_cuts(run: Run, send: str, receive: str, count: int, *, queue_size: int) -> None:
    """Send `count` messages while the link is cut three times; the receiver says each quarter of them, and all."""
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", queue_size, "backpressure")
    run.apart("b")
    run.listen(2)
    receiver = run.spawn("b", receive)
    with Proxy(run.ports["b"]) as proxy:
        run.ports["b"] = proxy.port  # where the sender is to look for it
        sender = run.spawn("a", send)
        assert receiver.stdout is not None
        for part in (1, 2, 3):
            assert receiver.stdout.readline() == f"{part * count // 4}\n"
            proxy.cut()
        assert [receiver.stdout.readline() for _ in "ab"] == [f"{count}\n", f"all {count}\n"]
        run.finish(receiver, 60)
        assert run.finish(sender, 60).count("is cut; it is taken up again") >= 3
