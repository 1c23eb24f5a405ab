"""Ids as identifiers."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doraflow.codegen.names import class_name, unique, variable_name

IDS = st.from_regex(r"[A-Za-z0-9_.-]{1,12}(/[A-Za-z0-9_.-]{1,12})?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "variable", "name"),
    [
        ("camera", "camera", "Camera"),
        ("front-camera.2", "front_camera_2", "FrontCamera2"),
        ("3d", "n3d", "N3d"),
        ("class", "class_", "Class"),
        ("match", "match_", "Match"),
        ("none", "none", "None_"),
        ("---", "n_3", "N_3"),
        ("op/image", "op_image", "OpImage"),
    ],
)
def test_an_id_becomes_a_name(text: str, variable: str, name: str) -> None:
    assert variable_name(text) == variable
    assert class_name(text) == name


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first draw makes the alphabet of ids
@given(st.lists(IDS, unique=True, max_size=20))
def test_names_are_legal_and_differ(ids: list[str]) -> None:
    for make in (variable_name, class_name):
        names = unique(map(make, ids), taken=["Event", "types"])
        assert len(set(names)) == len(ids)
        assert all(name.isidentifier() and not keyword.iskeyword(name) for name in names)
        assert not {"Event", "types"} & set(names)
