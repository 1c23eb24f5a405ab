"""What is said of a file as YAML: codes, places and words."""

from collections.abc import Callable

import pytest
import yaml

from doraflow.diagnostics import Sink
from doraflow.parser.compose import compose
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, SyntaxNode

Findings = Callable[[str], list[str]]

ALIGN = "the indentation fits no list or map that is open"
TAB = "a tab stands in the indentation, and YAML indents with spaces only"

SYNTAX_ERRORS = {
    "a: b: c\n": "DF004 1:5-6 a `:` stands where no key can be",
    "a:\n  b\nc d\ne: f\n": "DF004 3:1-4 `c d` stands where a key must be, and has no `:`",
    "nodes:\n  - id: a\n   path: x\n": f"DF004 3:4-5 {ALIGN}",
    "nodes:\n  - id: a\n  path: x\n": (
        "DF004 3:3-7 the key `path` stands below the `-`, left of the keys that it belongs to"
    ),
    "nodes:\n    - id: a\n  - id: b\n": "DF004 3:3-4 the indentation of this `-` fits no list that is open",
    'a: "x" y\n': "DF004 1:8-9 text stands after a value that is complete",
    'nodes:\n  - id: "a\n    path: x\n': "DF004 2:9-11 a quoted text is never closed",
    "nodes: [a, b\nc: d\n": "DF004 1:8-9 a list that begins with `[` is never closed",
    "nodes: {a: b\nc: d\n": "DF004 1:8-9 a map that begins with `{` is never closed",
    "nodes: {a: b: c}\n": "DF004 1:12-14 a second `:` stands after `b`, in one entry of a map that begins with `{`",
    "nodes: {a: 1 b: c}\n": "DF004 1:14-15 a comma is missing before `b`, in a map that begins with `{`",
    "nodes:\n  - id: @a\n": "DF004 2:9-10 a text without quotes cannot begin with `@`",
    "nodes: `a`\n": "DF004 1:8-9 a text without quotes cannot begin with a backtick",
    'nodes: "\\q"\n': "DF004 1:9-10 an unknown escape in double quotes",
    "a: - b\n": "DF004 1:4-5 a list entry `-` stands where none can be",
    "a: |x\n b\n": "DF004 1:5-6 the header of a block text is malformed",
    "a: *\n": "DF004 1:4-5 `*` begins an alias, and a name must follow",
    "a: &\n": "DF004 1:4-5 `&` begins an anchor, and a name must follow",
    "a: !x!y z\n": "DF004 1:4-5 a tag with an undeclared prefix",
    "a: \x01\n": "DF004 1:4-5 the character U+0001 cannot stand in a YAML file",
    "a: \ufeffb\n": "DF004 1:4-5 the character U+FEFF cannot stand in a YAML file",
    "a: &one 1\nb: *on\n": "DF004 2:4-7 the alias `*on` names no anchor before it; known anchors: `one`",
    "nodes:\n\t- id: a\n": f"DF005 2:1-2 {TAB}",
    "nodes:\n  - id: a\n  \tpath: x\n": f"DF005 3:3-4 {TAB}",
}


@pytest.mark.parametrize(("text", "expected"), SYNTAX_ERRORS.items())
def test_syntax_errors_are_told_in_plain_words_at_their_place(composed: Findings, text: str, expected: str) -> None:
    assert composed(text) == [expected]


@pytest.mark.parametrize(("text", "expected"), SYNTAX_ERRORS.items())
def test_without_libyaml_the_code_is_the_same(
    composed: Findings, monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert [found[:5] for found in composed(text)] == [expected[:5]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "DF011 1:1-1 the file is empty, expected a map with the key `nodes`"),
        ("  \n\n", "DF011 1:1-1 the file is empty, expected a map with the key `nodes`"),
        ("# only\n", "DF011 1:1-1 the file holds nothing but comments, expected a map with the key `nodes`"),
        ("---\n", "DF011 1:1-1 the file holds nothing but comments, expected a map with the key `nodes`"),
        ("\n- id: a\n", "DF012 2:1-8 the file is a list at the top, expected a map with the key `nodes`"),
        ("- a\n- b\n", "DF012 1:1-2 the file is a list at the top, expected a map with the key `nodes`"),
        ("hello\n", "DF012 1:1-6 the file is a single value at the top, expected a map with the key `nodes`"),
        ("a: b\n---\nc: d\n", "DF006 2:1-4 a second YAML document begins here, and a file holds one dataflow"),
        ("a: b\n---\n", "DF006 2:1-4 a second YAML document begins here, and a file holds one dataflow"),
    ],
)
def test_a_file_holds_one_map(composed: Findings, text: str, expected: str) -> None:
    assert composed(text) == [expected]


def test_a_document_may_be_marked_at_both_ends(composed: Findings) -> None:
    assert composed("%YAML 1.2\n---\na: b\n...\n") == []


def test_a_key_that_stands_twice_is_reported_at_any_depth_and_the_first_value_is_kept() -> None:
    sink = Sink()
    tree = compose("a:\n  - b: 1\n    c: 2\n    b: 3\n", "f.yml", sink)
    [found] = sink.found
    assert (found.code, str(found.span)) == ("DF007", "f.yml:4:5")
    assert found.message == "the key `b` stands twice in one map; one of the two values would be lost"
    assert [(str(label.span), label.text) for label in found.related] == [("f.yml:2:5", "`b` stands here first")]
    assert found.help == "remove one of the two, or rename it"
    assert tree is not None
    assert plain(tree) == {"a": [{"b": 1, "c": 2}]}


def test_a_key_that_stands_twice_through_an_alias_is_reported(composed: Findings) -> None:
    assert composed("a: &k x\nb: {*k : 1, *k : 2}\n") == [
        "DF007 1:7-8 the key `x` stands twice in one map; one of the two values would be lost",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1: a\n", "DF103 1:1-2 the key `1` is a number, expected a text"),
        ("true: a\n", "DF103 1:1-5 the key `true` is a boolean, expected a text"),
        ("~: a\n", "DF103 1:1-2 a key is empty, expected a text"),
        ("? [a]\n: b\n", "DF103 1:3-6 a key is a list, expected a text"),
        ("? {a: b}\n: b\n", "DF103 1:3-9 a key is a map, expected a text"),
    ],
)
def test_a_key_is_a_text(composed: Findings, text: str, expected: str) -> None:
    assert composed(text) == [expected]


def test_words_that_yaml_1_1_takes_for_booleans_are_texts(composed: Findings) -> None:
    assert composed('on: a\nyes: b\n"1": c\n') == []


def test_merge_keys_do_not_merge(composed: Findings) -> None:
    assert composed("a: &a {b: c}\nd:\n  <<: *a\n") == [
        "DF101 3:3-5 `<<` does not merge here: YAML 1.2 has no merge keys, and neither has dora",
    ]
    assert composed('a: {"<<": b}\n') == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !!python/object/apply:os.system [x]\n", ["DF008 1:4-35 the tag `!!python/object/apply:os.system`"]),
        ("a: &x !thing {b: c}\n", ["DF008 1:7-13 the tag `!thing`"]),
        ("a: !<tag:x,1> b\n", ["DF008 1:4-14 the tag `!<tag:x,1>`"]),
        ("a: !!set {b}\nc: !!binary aa\n", ["DF008 1:4-9 the tag `!!set`", "DF008 2:4-12 the tag `!!binary`"]),
    ],
)
def test_tags_that_make_objects_are_refused_each_at_its_place(
    composed: Findings, text: str, expected: list[str]
) -> None:
    found = composed(text)
    assert [line.split(" makes")[0] for line in found] == expected


def test_tags_of_the_core_schema_are_plain_values() -> None:
    tree = compose("a: !!str 5\nb: !!int 5\nc: !!map {d: !!seq [1]}\ne: ! 7\n", "f.yml", Sink())
    assert tree is not None
    assert plain(tree) == {"a": "5", "b": 5, "c": {"d": [1]}, "e": "7"}


def test_aliases_stand_for_the_value_they_name() -> None:
    tree = compose("a: &x {b: [1, two]}\nc: *x\nd: [*x]\n", "f.yml", Sink())
    assert tree is not None
    value = {"b": [1, "two"]}
    assert plain(tree) == {"a": value, "c": value, "d": [value]}


def test_spans_leave_out_anchors_tags_and_the_space_after_a_value() -> None:
    text = "a: &x !!str word  # note\nb: &y\n  c: d   \n  e: [1,\n    2]  \n\nf: |\n  one\n  two\n\n\ng: 1\n"
    tree = compose(text, "f.yml", Sink())
    assert tree is not None
    ends = {entry.key.text: entry.value.span for entry in tree.entries}
    assert [(s.line, s.column, s.end_line, s.end_column) for s in ends.values()] == [
        (1, 13, 1, 17),
        (3, 3, 5, 7),
        (7, 4, 9, 6),
        (12, 4, 12, 5),
    ]


def test_columns_count_characters_and_windows_line_ends_do_not_count() -> None:
    tree = compose("\ufeffé: 😀 # x\r\nb: c\r\n", "f.yml", Sink())
    assert tree is not None
    spans = [entry.value.span for entry in tree.entries]
    assert [(span.line, span.column, span.end_column) for span in spans] == [(1, 4, 5), (2, 4, 5)]


def plain(node: SyntaxNode) -> object:
    """Reduce a tree to its values."""
    if isinstance(node, MappingNode):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    assert isinstance(node, ScalarNode)
    return node.value


def test_a_number_as_a_key_is_told_and_the_rest_is_read() -> None:
    sink = Sink()
    tree = compose("1: a\ntrue: b\nnodes: []\n", "f.yml", sink)
    assert tree is not None
    assert [entry.key.value for entry in tree.entries] == ["1", "true", "nodes"]
    assert [found.message for found in sink.found] == [
        "the key `1` is a number, expected a text",
        "the key `true` is a boolean, expected a text",
    ]


def test_all_unknown_aliases_are_told_and_what_follows_them() -> None:
    sink = Sink()
    text = "nodes:\n  - id: *cam\n    path: a.py\n    path: b.py\n  - *first\n  - *cam : 1\n    *cam : 2\n"
    assert compose(text, "f.yml", sink) is None
    told = [(found.code, str(found.span)) for found in sink.diagnostics()]
    assert told == [
        ("DF004", "f.yml:2:9"),
        ("DF007", "f.yml:4:5"),
        ("DF004", "f.yml:5:5"),
        ("DF004", "f.yml:6:5"),
        ("DF004", "f.yml:7:5"),
    ]
    messages = {found.message for found in sink.diagnostics() if found.code == "DF004"}
    assert "the alias `*cam` names no anchor before it; known anchors: none" in messages


def test_a_value_that_is_left_out_stands_behind_its_key_and_not_in_the_next_node() -> None:
    tree = compose("nodes:\n  - ? id\n    : a\n    ? path\n\n  - id: b\n", "f.yml", Sink())
    assert tree is not None
    nodes = tree.get("nodes")
    assert isinstance(nodes, SequenceNode)
    first = nodes.items[0]
    assert isinstance(first, MappingNode)
    path = first.get("path")
    assert path is not None
    assert (path.span.line, path.span.column, path.span.end_column) == (4, 11, 11)
    assert (first.span.end_line, first.span.end_column) == (4, 11)
