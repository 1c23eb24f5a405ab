"""Places of keys in TOML: the same keys as the standard library reads, and what stands there."""

from __future__ import annotations

import tomllib

import pytest

from doraflow.policy.toml_places import places

TEXTS = [
    "",
    "a = 1\n",
    "# [x]\n[a.b]\nc = 'd # e'  # f\n[g]\n\"h.i\" = [1, 2, # j = 3\n  {k = 4}]\nl.m = 2020-01-01 10:00:00\n",
    'a = """\n[b]\nc = "x" \\"""\n"""\nd = 1\n',
    "a = '''\n[b]\nc = 1\n''''\nd = 1\n",
    'a = {b = "off", c = {d = 1, e = []}, f = true}\ng = 1.5\n',
    "[[a]]\nb = 1\n[[a]]\nb = 2\n",
    "a = {}\nb = 1\n",
    "a = [\n]\nb = 0x1F\r\nc = 1",
]


def leaves(table: dict[str, object], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in table.items():
        path = (*prefix, key)
        if isinstance(value, dict):
            found += leaves(value, path)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found += leaves(value[0], path)
        else:
            found.append(path)
    return found


@pytest.mark.parametrize("text", TEXTS)
def test_every_key_of_the_standard_reader_has_its_place(text: str) -> None:
    found = places(text)
    assert set(leaves(tomllib.loads(text))) <= set(found)
    for path, place in found.items():
        key = text[place.key_start : place.key_end].replace('"', "")
        if place.key_end == place.value_end:
            assert ".".join(path) == key or key.startswith(".".join(path) + ".")
        else:
            assert key.endswith(path[-1])
            assert text[place.key_end : place.value_start].strip() == "="


def test_a_table_stands_at_its_header() -> None:
    text = "[a]\n[tool.doraflow.check]\nx = 1\n[[b]]\n[[b]]\n"
    found = places(text)
    where = {path: text[place.key_start : place.key_end] for path, place in found.items()}
    assert where == {
        ("a",): "a",
        ("tool",): "tool.doraflow.check",
        ("tool", "doraflow"): "tool.doraflow.check",
        ("tool", "doraflow", "check"): "tool.doraflow.check",
        ("tool", "doraflow", "check", "x"): "x",
        ("b",): "b",
    }
    assert found["b",].key_start == text.index("b]")


def test_a_value_s_place_is_the_value() -> None:
    text = '[tool.doraflow.severity]\nDF207 = "off"  # no\nDF404 = {x = [1,\n 2]}\n'
    found = places(text)
    where = {path[-1]: text[place.value_start : place.value_end] for path, place in found.items() if len(path) > 3}
    assert where == {"DF207": '"off"', "DF404": "{x = [1,\n 2]}", "x": "[1,\n 2]"}
