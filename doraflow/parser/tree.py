"""The builder of the syntax tree: takes the YAML parser's events one by one, without recursion.

All bounds are kept here, before any later stage walks the tree: depth, what aliases expand to, one key once. The parser
library resolves nothing: values come from `doraflow.parser.scalars`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, MappingStartEvent, ScalarEvent

from doraflow.diagnostics import Label
from doraflow.parser.scalars import resolve
from doraflow.parser.suggest import MOST_COMPARED, listed, nearest
from doraflow.parser.syntax import Entry, MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from yaml.events import Event

    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.syntax import SyntaxNode
    from doraflow.parser.text import Lines

DEEPEST = 64
MOST_ALIASED = 100_000
MERGE_KEY = "<<"
_FLATTEN = "take levels out: a dataflow needs about ten"

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\n]*\n)?)*)+")
_BLOCK_STYLES = ("|", ">")
_TAG = re.compile(r"(?:&\S*\s+)?(!<[^>\s]*>|![^\s,\[\]{}]*)")
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))
_TEXT_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_LIST_TAGS = frozenset({"!", "tag:yaml.org,2002:seq"})
_MAP_TAGS = frozenset({"!", "tag:yaml.org,2002:map"})


@dataclass(frozen=True, slots=True)
class _Built:
    """A finished value with an anchor: how deep it is, and how many values it holds."""

    node: SyntaxNode
    height: int
    size: int


@dataclass(slots=True)
class _Open:
    """A list or map whose end has not come yet."""

    start: int
    is_map: bool
    is_flow: bool
    anchor: str | None
    end: int
    items: list[SyntaxNode] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    keys: dict[str, Span] = field(default_factory=dict)
    key: ScalarNode | None = None
    awaits_value: bool = False
    height: int = 1
    size: int = 1
    aliased: int = 0


def start_of(event: Event) -> int:
    """Give the offset at which an event's text begins."""
    return event.start_mark.index if event.start_mark is not None else 0


def end_of(event: Event) -> int:
    """Give the offset at which an event's text ends."""
    return event.end_mark.index if event.end_mark is not None else 0


class TreeBuilder:
    """Builds one document. `root` is None as long as it is not finished; `broken` tells that the tree has gaps.

    `is_template` tells that the text holds placeholders, which have been reported.
    """

    def __init__(self, lines: Lines, sink: Sink) -> None:
        self.root: SyntaxNode | None = None
        self.broken = False
        self.stopped = False
        self.is_template = False
        self._lines = lines
        self._sink = sink
        self._open: list[_Open] = []
        self._anchors: dict[str, _Built | None] = {}

    def take(self, event: Event) -> None:
        """Take the next event but for a scalar; sets `stopped` where going on makes no sense."""
        if isinstance(event, CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, CollectionEndEvent):
            self._finish(event)
        elif isinstance(event, AliasEvent):
            self._alias(event)

    def take_scalar(self, event: ScalarEvent) -> None:
        """Take the next event, a scalar."""
        text, style, tag = event.value, event.style, event.tag
        plain = not style and tag not in _TEXT_TAGS
        value = resolve(text) if plain else text
        first, last = event.start_mark, event.end_mark
        has_properties = tag is not None or event.anchor is not None
        if first is not None and last is not None and not has_properties and style not in _BLOCK_STYLES:
            if not text and first.index == last.index and self._is_below_its_key(first.line):
                end = self._open[-1].end
                self._add(ScalarNode(value, text, self._lines.span(end, end), plain), end)
                return
            self._add(ScalarNode(value, text, self._lines.between(first, last), plain), last.index)
            return
        start, end = self._content_start(event), end_of(event)
        if style in _BLOCK_STYLES:
            end = start + len(self._lines.text[start:end].rstrip())
        if tag is not None and tag not in _TEXT_TAGS | _PLAIN_TAGS:
            self._refuse_tag(event)
        node = ScalarNode(value, text, self._lines.span(start, end), plain)
        self._add(node, max(start, end), anchor=event.anchor)

    def _is_below_its_key(self, line: int) -> bool:
        """Tell whether a value that is left out, after `? key`, is put before what follows, in another node perhaps."""
        parent = self._open[-1] if self._open else None
        return parent is not None and parent.awaits_value and self._lines.span(parent.end, parent.end).line <= line

    def _begin(self, event: CollectionStartEvent) -> None:
        is_map = isinstance(event, MappingStartEvent)
        if event.tag is not None and event.tag not in (_MAP_TAGS if is_map else _LIST_TAGS):
            self._refuse_tag(event)
        start = self._content_start(event)
        if len(self._open) >= DEEPEST:
            span = self._lines.span(start, start + 1)
            self._stop("DF010", f"the values nest more than {DEEPEST} deep", span, _FLATTEN)
            return
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(start, is_map, bool(event.flow_style), event.anchor, start))

    def _finish(self, event: CollectionEndEvent) -> None:
        done = self._open.pop()
        end = end_of(event) if done.is_flow else done.end
        span = self._lines.span(done.start, end)
        node = MappingNode(tuple(done.entries), span) if done.is_map else SequenceNode(tuple(done.items), span)
        self._add(node, end, done.height, done.size, done.aliased, anchor=done.anchor)

    def _alias(self, event: AliasEvent) -> None:
        span = self._lines.span(start_of(event), end_of(event))
        name = event.anchor or ""
        if name not in self._anchors:
            self._refuse_alias(name, span)
            # The tree has a gap, but what follows can be judged. A key must be unlike any other one.
            self._add(ScalarNode(str(span), str(span), span, plain=False), end_of(event))
            return
        built = self._anchors[name]
        if built is None:
            message = f"the alias `*{name}` stands inside the value that it names"
            self._stop("DF009", message, span, "write the value out in the place of the alias")
            return
        if len(self._open) + built.height > DEEPEST:
            message = f"the alias `*{name}` makes the values nest more than {DEEPEST} deep"
            self._stop("DF010", message, span, _FLATTEN)
            return
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.aliased + built.size > MOST_ALIASED:
            self._refuse_expansion(span)
            return
        self._add(built.node, end_of(event), built.height, built.size, built.size)

    def _refuse_alias(self, name: str, span: Span) -> None:
        count = len(self._anchors)
        near = nearest(name, list(self._anchors)) if count <= MOST_COMPARED else []
        known = listed(near, self._anchors, count) if count else "none"
        mend = f"write the anchor `&{name}` before the value that is meant, or put quotes around the text"
        self._sink.error(
            "DF004",
            f"the alias `*{name}` names no anchor before it; known anchors: {known}",
            span,
            help=f"to repeat the value of the closest anchor, write `*{near[0]}`" if near else mend,
        )
        self.broken = True
        self.stopped = self._sink.is_flooded

    def _add(
        self,
        node: SyntaxNode,
        end: int,
        height: int = 1,
        size: int = 1,
        aliased: int = 0,
        *,
        anchor: str | None = None,
    ) -> None:
        """Put a finished value into the list or map around it; `aliased` of its values come through aliases."""
        if anchor is not None:
            self._anchors[anchor] = _Built(node, height, size)
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if end > parent.end:
            parent.end = end
        if height >= parent.height:
            parent.height = height + 1
        parent.size += size
        if aliased:
            parent.aliased += aliased
            if parent.aliased > MOST_ALIASED:
                self._refuse_expansion(node.span)
                return
        if not parent.is_map:
            parent.items.append(node)
        elif parent.awaits_value:
            parent.awaits_value = False
            if parent.key is not None:
                parent.entries.append(Entry(parent.key, node))
        else:
            parent.awaits_value = True
            parent.key = self._key(node, parent)

    def _key(self, node: SyntaxNode, parent: _Open) -> ScalarNode | None:
        """Judge a key; None drops the entry. A number is told, and read as the text that it should have been."""
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            self._refuse_key(node, parent)
            if not isinstance(node, ScalarNode) or node.value is None:
                self.broken = True
                return None
            node = replace(node, value=node.text)
        if node.plain and node.text == MERGE_KEY:
            self.broken = True
            self._sink.error(
                "DF101",
                "`<<` does not merge here: YAML 1.2 has no merge keys, and neither has dora",
                node.span,
                help="write the keys out, or give each value an alias of its own",
            )
            return None
        first = parent.keys.get(node.text)
        if first is not None:
            self._sink.error(
                "DF007",
                f"the key `{node.text}` stands twice in one map; one of the two values would be lost",
                node.span,
                related=[Label(first, f"`{node.text}` stands here first")],
                help="remove one of the two, or rename it",
            )
            return None
        parent.keys[node.text] = node.span
        return node

    def _refuse_key(self, node: SyntaxNode, parent: _Open) -> None:
        if isinstance(node, MappingNode) and self._lines.text.startswith("{{", parent.start):
            self.is_template = True
            message = "`{{` begins a placeholder of a template, which nothing fills in here"
            span = self._lines.span(parent.start, parent.start + 2)
            self._sink.error("DF103", message, span, help="write the value itself, or put quotes around the text")
        elif not isinstance(node, ScalarNode):
            kind = "map" if isinstance(node, MappingNode) else "list"
            mend = "put quotes around the text, if its braces or brackets are part of it"
            self._sink.error("DF103", f"a key is a {kind}, expected a text", node.span, help=mend)
        elif node.value is None:
            self._sink.error("DF103", "a key is empty, expected a text", node.span, help="write the key before its `:`")
        else:
            kind = "boolean" if isinstance(node.value, bool) else "number"
            message = f"the key `{node.text}` is a {kind}, expected a text"
            self._sink.error("DF103", message, node.span, help=f'write `"{node.text}"`')

    def _refuse_tag(self, event: ScalarEvent | CollectionStartEvent) -> None:
        self.broken = True
        start = start_of(event)
        match = _TAG.match(self._lines.text, start)
        first, last = match.span(1) if match else (start, start + 1)
        self._sink.error(
            "DF008",
            f"the tag `{self._lines.text[first:last]}` makes an object, and a dataflow holds plain values only",
            self._lines.span(first, last),
            help="remove the tag",
        )

    def _refuse_expansion(self, alias: Span) -> None:
        inner = next((frame for frame in reversed(self._open) if frame.is_map), self._open[-1])
        self.stopped = self.broken = True
        self._sink.error(
            "DF009",
            f"the aliases in this {'map' if inner.is_map else 'list'} expand to more than {MOST_ALIASED} values",
            inner.entries[0].key.span if inner.entries else self._lines.span(inner.start, inner.start + 1),
            related=[Label(alias, "the bound is passed here")],
            help="write the values out where they are used",
        )

    def _stop(self, code: str, message: str, span: Span, mend: str) -> None:
        self.stopped = self.broken = True
        self._sink.error(code, message, span, help=mend)

    def _content_start(self, event: ScalarEvent | CollectionStartEvent) -> int:
        """Give the offset of a value itself, after its anchor and tag."""
        start = start_of(event)
        if event.anchor is None and event.tag is None:
            return start
        match = _PROPERTIES.match(self._lines.text, start, end_of(event))
        return match.end() if match else start
