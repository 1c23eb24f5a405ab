"""The kinds of single values in a ROS 2 bridge: names of topics, services and actions, types, and how much history.

The rules for names are ROS 2's, those for types and numbers dora's.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from doraflow.parser.kinds import Text, fault, number_schema, whole

LONGEST_HISTORY = 10_000

_PART = re.compile(r"[A-Za-z0-9_]+")
_KINDS_OF_INTERFACE = ("msg", "srv", "action")


def _name(text: str) -> str:
    tokens = text.removeprefix("/").split("/")
    bad = next((token for token in tokens if token and not _PART.fullmatch(token)), None)
    digit = next((token for token in tokens if token[:1].isdigit()), None)
    if bad is not None:
        reason = f"`{bad}` holds more than letters, digits and `_`"
    elif digit is not None:
        reason = f"`{digit}` begins with a digit"
    elif not all(tokens):
        reason = "nothing stands before, after or between its slashes"
    else:
        return text
    legal = "/".join(re.sub(r"[^A-Za-z0-9_]+", "_", token) for token in tokens if token)
    is_mended = digit is None and legal
    slash = "/" if text.startswith("/") else ""
    raise fault(
        "DF128",
        f"{{name}} is `{text}`, which is no name in ROS 2: {reason}",
        f"write `{{key}}: {slash}{legal}`" if is_mended else "write for example `{key}: /camera/image`",
    )


def _type(text: str) -> str:
    parts = text.split("/")
    if len(parts) == 2 and all(_PART.fullmatch(part) for part in parts):
        return text
    is_long = len(parts) == 3 and parts[1] in _KINDS_OF_INTERFACE
    raise fault(
        "DF128",
        f"{{name}} is `{text}`, which is no type of ROS 2: a type is `package/Type`",
        f"write `{{key}}: {parts[0]}/{parts[2]}`" if is_long else "write for example `{key}: sensor_msgs/Image`",
    )


def _not_empty(text: str) -> str:
    if not text:
        raise fault("DF103", "{name} is empty, expected a path", "write the path of the file, or remove `{key}`")
    return text


RosName = Annotated[Text, AfterValidator(_name)]
RosType = Annotated[Text, AfterValidator(_type)]
History = Annotated[int, BeforeValidator(whole(1, LONGEST_HISTORY)), number_schema("integer", 1, LONGEST_HISTORY)]
ConfigurationPath = Annotated[Text, AfterValidator(_not_empty)]
