"""The syntax tree: look-ups, and the place to mark."""

from doraflow.diagnostics import Sink, Span
from doraflow.parser.compose import compose
from doraflow.parser.syntax import MappingNode, head_span, is_null


def tree(text: str) -> MappingNode:
    composed = compose(text, "f.yml", Sink())
    assert composed is not None
    return composed


def test_a_mapping_gives_values_and_the_places_of_its_keys() -> None:
    mapping = tree("a: 1\nb: two\n")
    value = mapping.get("b")
    assert value is not None
    assert value.span == Span("f.yml", 2, 4, 2, 7)
    assert mapping.key_span("b") == Span("f.yml", 2, 1, 2, 2)
    assert mapping.get("c") is None
    assert mapping.key_span("c") is None


def test_a_value_on_one_line_is_marked_whole() -> None:
    value = tree("a: [x, y]\n").get("a")
    assert value is not None
    assert head_span(value) == Span("f.yml", 1, 4, 1, 10)


def test_a_longer_value_is_marked_where_it_begins() -> None:
    mapping = tree("map:\n  key: 1\n  other: 2\nlist:\n  - a\n  - b\ntext: |\n  a\n  b\n")
    spans = [head_span(entry.value) for entry in mapping.entries]
    assert spans == [Span("f.yml", 2, 3, 2, 6), Span("f.yml", 5, 3, 5, 4), Span("f.yml", 7, 7, 7, 8)]


def test_null_is_not_the_text_null() -> None:
    mapping = tree('a:\nb: ~\nc: ""\nd: "null"\n')
    assert [is_null(entry.value) for entry in mapping.entries] == [True, True, False, False]
