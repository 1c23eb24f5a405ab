"""The image: keys that an engine lays down become the launcher's own, whoever they belonged to."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

from doraflow_runtime.keys.files import HostKey
from doraflow_runtime.keys.ring import read_ring

from doraflow.targeting import image

if TYPE_CHECKING:
    from pathlib import Path


def test_keys_handed_over_as_links_are_copied_for_the_user_alone(tmp_path: Path) -> None:
    handed, kept = tmp_path / "handed", tmp_path / "run/keys"
    (handed / "..data").mkdir(parents=True)
    for name, letter in (("robot.secret", "a"), ("robot.public", "a"), ("desk.public", "b"), ("desk.public.old", "c")):
        host, kind = name.split(".")[:2]
        key = HostKey("secret" if kind == "secret" else "public", host, "2026-01-31T12:00:00Z", letter * 40)
        file = handed / "..data" / name
        file.write_text(key.text())
        file.chmod(0o440)
        (handed / file.name).symlink_to(f"..data/{file.name}")
    line = image.copy_keys("echo then").replace(image.HANDED_KEYS, str(handed)).replace(image.KEYS, str(kept))
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "then\n", "")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert {path.name for path in kept.iterdir()} == {"robot.secret", "robot.public", "desk.public", "desk.public.old"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}
    assert {path.stat().st_uid for path in kept.iterdir()} == {os.geteuid()}
    assert read_ring(kept, "robot").keys_of("desk") == ("b" * 40, "c" * 40)


def test_without_keys_nothing_is_launched(tmp_path: Path) -> None:
    line = (
        image.copy_keys("echo then").replace(image.HANDED_KEYS, str(tmp_path)).replace(image.KEYS, str(tmp_path / "k"))
    )
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode != 0
    assert done.stdout == ""
