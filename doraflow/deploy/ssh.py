"""The system's `ssh` as the way to a host: its command line, and what its complaints mean.

Keys, agents, jump hosts and known hosts are the user's own, from `~/.ssh`; nothing of them is asked for or overruled
here. Passwords are never asked for.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.deploy.errors import DeployError
from doraflow.deploy.sending import LEAST_PYTHON, TOO_OLD, command

if TYPE_CHECKING:
    from pathlib import Path

_DESTINATION = re.compile(r"(?P<who>(?:[^@]+@)?(?:\[[^\]]*\]|[^:]+|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*))(?::(?P<port>\d+))?")
_NO_COMMAND = 127
_OWN_FAULT = 255
_HOST_KEY = re.compile(r"Host key verification failed|No \S+ host key is known|REMOTE HOST IDENTIFICATION HAS CHANGED")
_LEAST = ".".join(map(str, LEAST_PYTHON))


@dataclass(frozen=True, slots=True)
class Way:
    """How hosts are reached: ssh's configuration if not the user's own, the hosts' Python, and how long to wait."""

    configuration: Path | None = None
    python: str = "python3"
    seconds: float = 20.0


def ssh_command(destination: str, way: Way) -> list[str]:
    """Write the call of ssh that starts the host's half of the conversation.

    >>> ssh_command("robot@[fd00::2]:2222", Way(seconds=5))[:8]
    ['ssh', '-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5', '-p', '2222']
    """
    who, port = parted(destination)
    words = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={max(1, math.ceil(way.seconds))}"]
    words += ["-F", str(way.configuration)] if way.configuration is not None else []
    words += ["-p", port] if port else []
    return [*words, "--", who, command(way.python)]


def parted(destination: str) -> tuple[str, str]:
    """Take the port from a destination; an address of IPv6 loses the brackets that only the port needs.

    >>> parted("robot@10.0.0.2:2222"), parted("[fd00::2]:22"), parted("fd00::2"), parted("edge")
    (('robot@10.0.0.2', '2222'), ('fd00::2', '22'), ('fd00::2', ''), ('edge', ''))
    """
    user, at, host = destination.rpartition("@")
    if host.count(":") > 1 and not host.startswith("["):
        return destination, ""
    name, _, port = host.rpartition(":") if re.search(r"(?:\]|^[^:]+):\d+$", host) else (host, "", "")
    return f"{user}{at}{name.removeprefix('[').removesuffix(']')}", port


def complaint(host: str, destination: str, way: Way, code: int | None, said: str) -> DeployError:
    """Tell why a conversation did not begin or broke off, by ssh's exit code and what it wrote to standard error."""
    who = f"`{host}` (`{destination}`)"
    if _HOST_KEY.search(said):
        return _host_key(host, destination, said)
    if "Permission denied" in said:
        methods = re.search(r"Permission denied \(([^)]*)\)", said)
        taken = f"; it takes {methods[1].replace(',', ', ')}" if methods else ""
        mend = f"`ssh-copy-id {destination}` gives it your key, `ssh {destination}` must log in without a password"
        return DeployError("DF873", f"{who} refuses the login{taken}", mend)
    if TOO_OLD in said:
        version = said.partition(TOO_OLD)[2].split()[0]
        mend = f"install Python {_LEAST} or later there, and name it with `--python`"
        return DeployError("DF874", f"`{way.python}` on {who} is Python {version}, and a bundle needs {_LEAST}", mend)
    if code == _NO_COMMAND or (code not in {None, _OWN_FAULT} and re.search(r"not found|No such file", said)):
        mend = f"install Python {_LEAST} or later there, or name the one it has with `--python`"
        return DeployError("DF874", f"{who} has no `{way.python}`", mend)
    return _unreachable(who, destination, way, said)


def _host_key(host: str, destination: str, said: str) -> DeployError:
    name = parted(destination)[0].rpartition("@")[2]
    if "HAS CHANGED" in said:
        return DeployError(
            "DF872",
            f"the host key of `{host}` (`{destination}`) is not the one that is known: it is another machine, it was "
            "installed anew, or someone is in between",
            f"compare its key with the machine's own; if it is right, `ssh-keygen -R {name}` and `ssh {destination}`",
        )
    return DeployError(
        "DF872",
        f"the host key of `{host}` (`{destination}`) is not known yet, so it could be any machine",
        f"`ssh {destination}` once by hand, and compare the key that it shows with the machine's own",
    )


def _unreachable(who: str, destination: str, way: Way, said: str) -> DeployError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    mends = {
        "Could not resolve": "correct its name in the inventory, or add it to the name service",
        "Connection refused": "start sshd there, or correct the port in its `ssh`",
        "timed out": "switch it on and check the network; `--timeout` waits longer",
        "No route": "check the network and the address in the inventory",
    }
    reason = lines[-1].removeprefix("ssh: ") if lines else f"no answer within {way.seconds:g} s"
    mend = next((text for words, text in mends.items() if words in reason), f"try `ssh {destination}` by hand")
    return DeployError("DF871", f"{who} cannot be reached: {reason.rstrip('.')}", mend)
