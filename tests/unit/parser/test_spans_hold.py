"""Invariants of composing, for any text."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doraflow.diagnostics import Sink, Span
from doraflow.parser.compose import compose
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, SyntaxNode
from doraflow.parser.text import decode

YAML_PIECES = st.lists(
    st.sampled_from(
        [
            *"abé😀:-?[]{},&*!|>'\"%@`#\\ \n\t",
            "\r\n",
            ": ",
            "- ",
            "  ",
            "\n  ",
            "---\n",
            "...",
            "&a ",
            "*a",
            "!!str ",
            "<<",
            "1",
            "~",
        ]
    ),
    max_size=60,
).map("".join)

WORDS = st.text("abcXYZ019_./é😀 ", min_size=1, max_size=12).filter(lambda word: word == word.strip())


def scalars(node: SyntaxNode) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from scalars(item)
    else:
        for entry in node.entries:
            yield entry.key
            yield from scalars(entry.value)


def cut(text: str, span: Span) -> str:
    lines = text.split("\n")
    assert 1 <= span.line <= span.end_line <= len(lines)
    assert 1 <= span.column <= len(lines[span.line - 1]) + 1
    assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
    if span.line == span.end_line:
        assert span.column <= span.end_column
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]
    first, *middle, last = lines[span.line - 1 : span.end_line]
    return "\n".join([first[span.column - 1 :], *middle, last[: span.end_column - 1]])


def check(text: str) -> MappingNode | None:
    sink = Sink()
    tree = compose(text, "f.yml", sink)
    body = text.removeprefix("\ufeff")
    for found in sink.found:
        for span in (found.span, *(label.span for label in found.related)):
            assert span is not None
            cut(body, span)
    for scalar in scalars(tree) if tree is not None else ():
        written = cut(body, scalar.span)
        if scalar.plain and "\n" not in written:
            assert written == scalar.text
    assert tree is not None or sink.has_errors
    return tree


@settings(deadline=None)
@given(st.text(max_size=200))
def test_composing_never_raises_and_spans_lie_in_the_text(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", ["?  a", "? a\n? b", "- ?", "a: [? b", "? !!str", "? &a"])
def test_a_key_without_a_value_at_the_end_of_the_text_lies_inside_it(text: str) -> None:
    check(text)


@settings(deadline=None)
@given(YAML_PIECES)
def test_composing_what_looks_like_yaml_never_raises(text: str) -> None:
    check(text)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_decoding_never_raises(content: bytes) -> None:
    sink = Sink()
    text = decode(content, "f.yml", sink)
    if text is None:
        assert [found.code for found in sink.found] == ["DF002"]
    else:
        check(text)


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8))
def test_quoted_keys_and_values_come_back_with_their_text_and_place(pairs: list[tuple[str, str]]) -> None:
    unique = dict(pairs)
    text = "".join(f"'{key}': \"{value}\"\n" for key, value in unique.items())
    tree = check(text)
    assert tree is not None
    for number, (entry, (key, value)) in enumerate(zip(tree.entries, unique.items(), strict=True), 1):
        assert isinstance(entry.value, ScalarNode)
        assert (entry.key.text, entry.value.value) == (key, value)
        assert cut(text, entry.value.span) == f'"{value}"'
        assert entry.key.span.line == number
