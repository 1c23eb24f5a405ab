"""Text to syntax tree: everything that can be said about a file as YAML, before any key is looked at.

libyaml reads where PyYAML was built with it, PyYAML's own parser otherwise. Only its events are used: it makes no
object and resolves no scalar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from yaml.events import DocumentStartEvent, ScalarEvent

from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, head_span
from doraflow.parser.text import BYTE_ORDER_MARK, Lines
from doraflow.parser.tree import TreeBuilder, start_of
from doraflow.parser.yaml_faults import report_directives, report_illegal_character, report_syntax_error

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import SyntaxNode


def compose(text: str, file: str, sink: Sink, key: str = "nodes") -> MappingNode | None:
    """Build the syntax tree of `text`; None after an error that leaves no whole tree.

    A key that stands twice is reported and its first value kept, so that later stages still see the rest. `file` is
    the path that spans show, `key` what a file of this kind begins with.

    >>> from doraflow.diagnostics import Sink
    >>> tree = compose("nodes: []", "dataflow.yml", Sink())
    >>> str(tree.key_span("nodes"))
    'dataflow.yml:1:1'
    """
    lines = Lines(text.removeprefix(BYTE_ORDER_MARK), file)
    if report_illegal_character(lines, sink) or report_directives(lines, sink):
        return None
    builder = TreeBuilder(lines, sink)
    try:
        is_single = _feed(builder, lines, sink)
    except yaml.MarkedYAMLError as error:
        if not builder.is_template:
            report_syntax_error(error, lines, sink)
        return None
    if builder.broken or not is_single:
        return None
    return _top(builder.root, lines, key, sink)


def _feed(builder: TreeBuilder, lines: Lines, sink: Sink) -> bool:
    """Give the events to the builder; False if a second document follows."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = 0
    for event in yaml.parse(lines.text, Loader=loader):
        if isinstance(event, ScalarEvent):  # most are, and none stops the builder
            builder.take_scalar(event)
            continue
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                _refuse_second_document(start_of(event), lines, sink)
                return False
        builder.take(event)
        if builder.stopped:
            break
    return True


def _refuse_second_document(start: int, lines: Lines, sink: Sink) -> None:
    sink.error(
        "DF006",
        "a second YAML document begins here, and a file holds one dataflow",
        lines.span(start, start + 3),
        help="remove the `---`, or move what follows to a file of its own",
    )


def _top(root: SyntaxNode | None, lines: Lines, key: str, sink: Sink) -> MappingNode | None:
    if isinstance(root, MappingNode):
        return root
    expected, start = f"expected a map with the key `{key}`", f"begin the file with `{key}:`"
    if root is None or (isinstance(root, ScalarNode) and root.value is None):
        what = "holds nothing but comments" if lines.text.strip() else "is empty"
        sink.error("DF011", f"the file {what}, {expected}", lines.span(0, 0), help=start)
        return None
    kind, help_text = "single value", start
    if isinstance(root, SequenceNode):
        kind, help_text = "list", f"write `{key}:` above the list"
    sink.error("DF012", f"the file is a {kind} at the top, {expected}", head_span(root), help=help_text)
    return None
