"""Parameters of modules, filled into text."""

import pytest

from doraflow.parser.parameters import environment, fill_in, usable_names

PARAMETERS = {"speed": "2.0", "speed_limit": "9", "echo": "$PARAM_SPEED"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("-s $PARAM_SPEED", "-s 2.0"),
        ("$PARAM_SPEED_LIMIT", "9"),
        ("$PARAM_SPEED/$PARAM_SPEED", "2.0/2.0"),
        ("${_param.speed}x", "2.0x"),
        ("$PARAM_ECHO", "$PARAM_SPEED"),
        ("$PARAM_OTHER ${_param.other} $HOME $$", "$PARAM_OTHER ${_param.other} $HOME $$"),
        ("${_param.speed", "${_param.speed"),
    ],
)
def test_references_are_filled_in_one_pass(text: str, filled: str) -> None:
    assert fill_in(text, PARAMETERS) == filled


def test_parameters_are_variables_in_upper_case() -> None:
    assert environment({"speed_limit": "9"}) == {"PARAM_SPEED_LIMIT": "9"}


def test_of_names_that_collide_the_first_is_usable_and_malformed_ones_are_not() -> None:
    assert usable_names(["mode", "Mode", "a-b", "speed"]) == ["mode", "speed"]
