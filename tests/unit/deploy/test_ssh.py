"""The call of ssh, and what its complaints mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from doraflow.deploy.ssh import Way, complaint, ssh_command

WAY = Way(seconds=7.5)


def test_ssh_is_called_without_a_question_and_with_the_users_own_settings() -> None:
    words = ssh_command("robot@10.0.0.2", WAY)
    assert words[:-1] == ["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "--", "robot@10.0.0.2"]
    assert words[-1].startswith("python3 -I -c 'import ")
    assert not [word for word in words if "StrictHostKeyChecking" in word or "KnownHosts" in word]
    assert ssh_command("edge", Way(Path("my config")))[6:8] == ["-F", "my config"]


@pytest.mark.parametrize(
    ("code", "said", "told"),
    [
        (255, "Host key verification failed.\n", "DF872 the host key of `e` (`r@h`) is not known"),
        (
            255,
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key",
            "DF872 the host key of `e` (`r@h`) is not",
        ),
        (
            255,
            "r@h: Permission denied (publickey,password).\n",
            "DF873 `e` (`r@h`) refuses the login; it takes pub",
        ),
        (127, "bash: line 1: python3: command not found\n", "DF874 `e` (`r@h`) has no `python3`"),
        (
            255,
            "Can't open user config file c: No such file or directory\n",
            "DF871 `e` (`r@h`) cannot be reached: Can't",
        ),
        (1, "python3: Command not found.\n", "DF874 `e` (`r@h`) has no `python3`"),
        (
            1,
            "doraflow: this is Python 3.6\n",
            "DF874 `python3` on `e` (`r@h`) is Python 3.6, and a",
        ),
        (
            255,
            "ssh: connect to host h port 22: Connection refused\n",
            "DF871 `e` (`r@h`) cannot be reached: connect",
        ),
        (
            255,
            "ssh: Could not resolve hostname h: not known\n",
            "DF871 `e` (`r@h`) cannot be reached: Co",
        ),
        (None, "", "DF871 `e` (`r@h`) cannot be reached: no answer within 7.5 s"),
    ],
)
def test_a_complaint_becomes_one_sentence(code: int | None, said: str, told: str) -> None:
    error = complaint("e", "r@h", WAY, code, said)
    assert f"{error.code} {error}".startswith(told)
    assert error.help
