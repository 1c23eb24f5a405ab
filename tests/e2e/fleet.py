"""A dataflow on several hosts: built once, with its keys, and launched on each host as a user does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests import commands

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.network import Network

PATIENCE = 60.0


@dataclass
class Started:
    """A launcher on one of the hosts, with its output in files."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    def wait(self, timeout: float = PATIENCE) -> int:
        return self.process.wait(timeout)

    def wait_for(self, text: str, timeout: float = PATIENCE) -> None:
        deadline = time.monotonic() + timeout
        while text not in self.out and text not in self.err:
            assert time.monotonic() < deadline, f"{text!r} in:\n{self.out}\n{self.err}"
            assert self.process.poll() is None or text in self.out or text in self.err, f"{self.out}\n{self.err}"
            time.sleep(0.05)

    def log(self, node: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / "logs" / f"{node}.jsonl").read_text().splitlines()]


@dataclass
class Fleet:
    """The hosts of a network, and what runs on them; each has its own folders for temporary files and for runs."""

    folder: Path
    network: Network
    started: list[Started] = field(default_factory=list)

    def build(self, flow: str, nodes: dict[str, str], name: str = "bundle") -> Path:
        """Compile a dataflow whose hosts are those of the network, and make their keys."""
        source = self.folder / f"source-{name}"
        source.mkdir()
        for node, code in nodes.items():
            (source / f"{node}.py").write_text(code)
        hosts = "".join(f"  {host}: {{address: {self.network.address(host)}}}\n" for host in self.network.hosts)
        (source / "dataflow.yml").write_text(f"hosts:\n{hosts}{flow}")
        bundle = self.folder / name
        self.doraflow("build", str(source / "dataflow.yml"), "--out", str(bundle))
        self.doraflow("keys", "make", str(source / "dataflow.yml"), "--keys", str(self.folder / "keys"))
        return bundle

    def doraflow(self, *arguments: str) -> None:
        done = commands.doraflow(*arguments, env=self.environment("here"))
        assert done.returncode == 0, done.stdout + done.stderr

    def environment(self, host: str) -> dict[str, str]:
        own = self.folder / host
        (own / "tmp").mkdir(parents=True, exist_ok=True)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("DORAFLOW_")}
        return {
            **kept,
            "TMPDIR": str(own / "tmp"),
            "DORAFLOW_RUN_BASE": str(own / "runs"),
            "XDG_STATE_HOME": str(own / "state"),
            "XDG_CACHE_HOME": str(own / "cache"),
            "DORAFLOW_KEYS": str(self.folder / "keys"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def launch(self, bundle: Path, host: str, *arguments: str, **environment: str) -> Started:
        """Start the launcher of a host, there."""
        folder = self.folder / f"launch{len(self.started)}"
        folder.mkdir()
        command = [sys.executable, str(bundle / f"launch_{host}.py"), "--log-dir", str(folder / "logs"), *arguments]
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            process = subprocess.Popen(
                self.network.command(host, *command),
                env={**self.environment(host), **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        made = Started(process, folder)
        self.started.append(made)
        return made

    def end(self) -> None:
        """Stop what still runs."""
        for each in self.started:
            if each.process.poll() is None:
                each.process.send_signal(signal.SIGTERM)
        for each in self.started:
            try:
                each.process.wait(20)
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()
