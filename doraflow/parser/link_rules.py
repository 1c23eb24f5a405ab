"""Rules of `communication` beyond single values: an option belongs to one transport, and plain text is warned of.

The kinds of the values have been judged by `doraflow.parser.link_model`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.syntax import MappingNode, ScalarNode

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import SyntaxNode

_PORTS_OF = "zeromq"


def check_links(communication: SyntaxNode | None, sink: Sink) -> None:
    """Judge the `communication` section."""
    remote = communication.get("remote") if isinstance(communication, MappingNode) else None
    if not isinstance(remote, MappingNode):
        return
    _check_secrecy(remote, sink)
    transport, ports = remote.get("transport"), remote.key_span("port_range")
    if not isinstance(transport, ScalarNode) or transport.text == _PORTS_OF or ports is None:
        return
    sink.error(
        "DF126",
        f"`port_range` is an option of `{_PORTS_OF}`, and the transport is `{transport.text}`",
        ports,
        related=[Label(transport.span, "the transport is chosen here")],
        help=f"remove `port_range`, or write `transport: {_PORTS_OF}`",
    )


def _check_secrecy(remote: MappingNode, sink: Sink) -> None:
    value = remote.get("insecure")
    span = remote.key_span("insecure")
    if span is not None and isinstance(value, ScalarNode) and value.value is True:
        sink.warning(
            "DF853",
            "`insecure` is set: messages between hosts travel in plain text, and whoever reaches their ports can read "
            "them, send others, and stop nodes",
            span,
            help="remove `insecure: true`, and make keys for the hosts with `doraflow keys make`",
        )
