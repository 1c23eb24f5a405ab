"""Rules of `communication` beyond single values: an option belongs to one transport, and plain text is warned of.

The kinds of the values have been judged by `doraflow.parser.link_model`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import SyntaxNode

_ZEROMQ, _ZENOH = "zeromq", "zenoh"
_OF_ZENOH = ("mode", "protocol", "connect", "config")
_SECRET = ("tls/", "quic/")
"""How endpoints of zenoh begin that encrypt."""

_PLAIN = "and whoever reaches their ports can read them, send others, and stop nodes"


def check_links(communication: SyntaxNode | None, sink: Sink) -> None:
    """Judge the `communication` section."""
    remote = communication.get("remote") if isinstance(communication, MappingNode) else None
    if isinstance(remote, ScalarNode) and remote.text == _ZENOH:
        _warn_of_plain_text(remote, sink)
    if not isinstance(remote, MappingNode):
        return
    if _text(remote, "transport") == _ZENOH:
        _check_zenoh(remote, sink)
        return
    _check_secrecy(remote, "make keys for the hosts with `doraflow keys make`", sink)
    if _text(remote, "transport") in (_ZEROMQ, None):
        _check_owner(remote, sink)


def _check_owner(remote: MappingNode, sink: Sink) -> None:
    """Report the first option of zenoh beside ZeroMQ."""
    transport = remote.get("transport")
    given = [(entry.key.text, entry.key.span) for entry in remote.entries if entry.key.text in _OF_ZENOH]
    for key, span in given[:1]:
        sink.error(
            "DF126",
            f"`{key}` is an option of `{_ZENOH}`, and the transport is `{_ZEROMQ}`",
            span,
            related=[Label(transport.span, "the transport is chosen here")] if transport is not None else [],
            help=f"remove `{key}`, or write `transport: {_ZENOH}`",
        )


def _check_zenoh(remote: MappingNode, sink: Sink) -> None:
    endpoints = _texts(remote.get("connect"))
    is_client = _text(remote, "mode") == "client"
    mode, protocol = remote.get("mode"), remote.get("protocol")
    if is_client and mode is not None and not endpoints:
        sink.error(
            "DF523",
            "`mode: client` has no endpoint in `connect`, so nodes would wait for a router that nobody names",
            mode.span,
            help="write the endpoints of routers, such as `connect: [tcp/10.0.0.1:7447]`, or `mode: peer`",
        )
    is_encrypted = _text(remote, "protocol") == "tls" and not is_client
    if is_encrypted and protocol is not None and _text(remote, "config") is None:
        sink.error(
            "DF525",
            "`protocol: tls` has no `config` beside it, and without certificates no connection is made",
            protocol.span,
            help="name a configuration file of zenoh with `transport: {link: {tls: ...}}` in it as `config`",
        )
    if remote.key_span("insecure") is not None and _is_insecure(remote):
        _check_secrecy(remote, "let zenoh encrypt with `protocol: tls`, or with `tls/` endpoints of routers", sink)
    elif not (is_encrypted or is_client) or not all(text.startswith(_SECRET) for text in endpoints):
        _warn_of_plain_text(remote.get("transport") or remote, sink)


def _warn_of_plain_text(transport: SyntaxNode, sink: Sink) -> None:
    sink.warning(
        "DF524",
        f"messages between hosts travel over zenoh in plain text, {_PLAIN}",
        transport.span,
        help="let zenoh encrypt with `protocol: tls` or with `tls/` endpoints of routers, or write `insecure: true`",
    )


def _check_secrecy(remote: MappingNode, mend: str, sink: Sink) -> None:
    span = remote.key_span("insecure")
    if span is not None and _is_insecure(remote):
        sink.warning(
            "DF853",
            "`insecure` is set: messages between hosts travel in plain text, and whoever reaches their ports can read "
            "them, send others, and stop nodes",
            span,
            help=f"remove `insecure: true`, and {mend}",
        )


def _is_insecure(remote: MappingNode) -> bool:
    value = remote.get("insecure")
    return isinstance(value, ScalarNode) and value.value is True


def _text(mapping: MappingNode, key: str) -> str | None:
    value = mapping.get(key)
    return value.text if isinstance(value, ScalarNode) else None


def _texts(value: SyntaxNode | None) -> list[str]:
    items = value.items if isinstance(value, SequenceNode) else ()
    return [item.text for item in items if isinstance(item, ScalarNode)]
