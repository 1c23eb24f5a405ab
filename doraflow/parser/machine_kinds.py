"""The kinds of single values that describe machines and the links between them: address, ports, SSH destination, label.

They work as those in `doraflow.parser.kinds`: a value that does not fit raises a `fault`. Whether a machine can be
reached is never tried.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from doraflow.parser.kinds import LARGEST_U32, ByteSize, Text, fault, number_schema, whole

HIGHEST_PORT = 65_535

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_LONGEST_HOST_NAME = 253
_SSH = re.compile(r"(?:(?P<user>[^@:\s]+)@)?(?P<host>\[[^\]]*\]|[^:@\s]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_LABEL_VALUE = re.compile(r"[A-Za-z0-9_.-]*")
_RANGE = re.compile(r"([0-9]{1,6})\s*-\s*([0-9]{1,6})")
_ENDPOINT = re.compile(r"[a-z][a-z0-9_-]*/[^\s/]\S*")
_NUMBERS_AND_DOTS = re.compile(r"[0-9.]+")


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address or can be a host name.

    >>> is_address("10.0.0.2"), is_address("robot.local"), is_address("10.0.0.2:22"), is_address("10.0.0")
    (True, True, False, False)
    """
    if is_ip(text):
        return True
    if _NUMBERS_AND_DOTS.fullmatch(text):
        return False
    return len(text) <= _LONGEST_HOST_NAME and _HOST_NAME.fullmatch(text) is not None


def is_ip(text: str) -> bool:
    """Tell whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _address(text: str) -> str:
    if is_address(text):
        return text
    user, _, host = text.rpartition("@")
    name, _, port = host.partition(":")
    if is_address(name) and port.isdigit() and not user:
        raise fault("DF510", f"{{name}} is `{text}`, which holds a port beside the address", f"write `{{key}}: {name}`")
    if user and is_address(host):
        raise fault(
            "DF510",
            f"{{name}} is `{text}`, which holds a user beside the address",
            f"write `{{key}}: {host}`, and the user in the SSH destination",
        )
    raise fault(
        "DF510",
        f"{{name}} is `{text}`, which is neither an IP address nor a host name",
        "write an address such as `10.0.0.2`, or a name such as `robot.local`",
    )


def _ip(text: str) -> str:
    if not is_ip(text):
        raise fault("DF510", f"{{name}} is `{text}`, expected an IP address", "write an address such as `10.0.0.2`")
    return text


def _ssh(text: str) -> str:
    match = _SSH.fullmatch(text)
    if text.startswith("-"):
        raise fault("DF511", f"{{name}} is `{text}`, which ssh would read as an option", "begin with a name or address")
    host = match["host"].removeprefix("[").removesuffix("]") if match is not None else ""
    if match is None or not is_address(host):
        raise fault("DF511", f"{{name}} is `{text}`, which is no SSH destination", "write for example `robot@10.0.0.2`")
    if match["port"] is not None and not 0 < int(match["port"]) <= HIGHEST_PORT:
        message = f"the port in {{name}} is `{match['port']}`, expected one of 1 to {HIGHEST_PORT}"
        raise fault("DF104", message, f"write a port from 1 to {HIGHEST_PORT}, or leave it out for 22")
    return text


def _no_option(text: str) -> str:
    if not text or text.startswith("-"):
        found = "ssh would read it as an option" if text else "it is empty"
        message = f"{{name}} is `{text}`, which is no part of an SSH destination: {found}"
        raise fault("DF511", message, "write a name that begins with a letter or digit")
    return text


def _label(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise fault(
                "DF513",
                f"`{text}` cannot be the {what} of a label: only letters, digits, `_`, `-` and `.` are allowed"
                + (", and `-` not first" if pattern is _LABEL else ""),
                f"write the {what} with letters, digits, `_`, `-` and `.` only",
            )
        return text

    return check


def _port_range(text: str) -> str:
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise fault(
            "DF125", f"{{name}} is `{text}`, which is no range of ports", "write for example `{key}: 40000-40100`"
        )
    first, last = int(match[1]), int(match[2])
    for port in (first, last):
        if not 0 < port <= HIGHEST_PORT:
            message = f"{{name}} holds the port `{port}`, expected one of 1 to {HIGHEST_PORT}"
            raise fault("DF104", message, "write for example `{key}: 40000-40100`")
    if first > last:
        raise fault("DF125", f"{{name}} is `{text}`, which ends before it begins", f"write `{{key}}: {last}-{first}`")
    return f"{first}-{last}"


def _endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise fault("DF522", f"`{text}` is no endpoint of zenoh", "write it as `tcp/10.0.0.1:7447`")
    return text


def _not_nothing(size: int) -> int:
    if size == 0:
        raise fault("DF104", "{name} is `0`, and no machine has none", "write what it has, such as `{key}: 8GB`")
    return size


Address = Annotated[Text, AfterValidator(_address)]
IpAddress = Annotated[Text, AfterValidator(_ip)]
SshDestination = Annotated[Text, AfterValidator(_ssh)]
SshPart = Annotated[Text, AfterValidator(_no_option)]
LabelKey = Annotated[Text, AfterValidator(_label(_LABEL, "key"))]
LabelValue = Annotated[Text, AfterValidator(_label(_LABEL_VALUE, "value"))]
Port = Annotated[int, BeforeValidator(whole(1, HIGHEST_PORT)), number_schema("integer", 1, HIGHEST_PORT)]
PortRange = Annotated[Text, AfterValidator(_port_range)]
ZenohEndpoint = Annotated[Text, AfterValidator(_endpoint)]
Cores = Annotated[int, BeforeValidator(whole(1, LARGEST_U32)), number_schema("integer", 1, LARGEST_U32)]
Memory = Annotated[ByteSize, AfterValidator(_not_nothing)]
