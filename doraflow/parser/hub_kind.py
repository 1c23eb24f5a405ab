"""The kind of a reference to a package of the hub: `[namespace/]name[@requirement]`, the requirement as Cargo has it.

Whether there is such a package is for who fetches it.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from doraflow.parser.kinds import Text, fault

_VERSION = r"(?:\d+|[*xX])(?:\.(?:\d+|[*xX])){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
_COMPARATOR = re.compile(rf"\s*(?:[=~^]|[<>]=?)?\s*{_VERSION}\s*")


def _reference(text: str) -> str:
    path, at, requirement = text.partition("@")
    parts = path.strip().split("/")
    if len(parts) > 2 or not all(parts):
        reason = "a package is `name` or `namespace/name`"
    elif at and not all(_COMPARATOR.fullmatch(part) for part in requirement.split(",")):
        reason = f"`{requirement.strip()}` is no range of versions"
    else:
        return text
    raise fault(
        "DF127",
        f"{{name}} is `{text}`, which is no reference to a package: {reason}",
        "write for example `{key}: dora-yolo@^0.5`",
    )


HubReference = Annotated[Text, AfterValidator(_reference)]
