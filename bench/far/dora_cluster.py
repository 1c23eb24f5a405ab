"""A cluster of dora-rs for one dataflow: the coordinator, a daemon on each host, and `dora start --attach`.

A script: its argument is JSON with dora's program, the hosts' addresses, and how a command is run on each. Its working
directory has the dataflow. It ends with the exit code of the dataflow, and takes the cluster with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ZENOH_PORT = 5456
OVERLAY = "patient.json5"
PATIENT = {"wait_before_drop": 5_000_000, "max_wait_before_drop_fragments": 5_000_000}  # µs
"""Zenoh as dora uses it drops what the network does not take within a millisecond, so that floods lose messages."""
PATIENCE = 20.0  # seconds until the daemons are there
ACQUAINTANCE = 2.0
"""Seconds until the daemons have found each other, which nothing tells: a dataflow that comes before takes a detour."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the parts of dora run; the coordinator is on the first host."""

    program: str
    addresses: dict[str, str]
    prefixes: dict[str, list[str]]

    @property
    def first(self) -> str:
        """The host of the coordinator."""
        return next(iter(self.addresses))

    def command(self, host: str, *arguments: str) -> list[str]:
        """Say how to run dora on a host."""
        return [*self.prefixes[host], self.program, *arguments]

    def coordinator(self) -> list[str]:
        """The coordinator, which keeps nothing on disk."""
        return self.command(self.first, "coordinator", "--interface", self.addresses[self.first], "--store", "memory")

    def daemon(self, host: str) -> list[str]:
        """A host's daemon, which dials all others."""
        others = [f"tcp/{address}:{ZENOH_PORT}" for other, address in self.addresses.items() if other != host]
        listen = f"{self.addresses[host]}:{ZENOH_PORT}"
        link = (
            "--zenoh-listen",
            listen,
            "--zenoh-connect",
            ",".join(others),
            "--zenoh-no-multicast",
            "--zenoh-config-overlay",
            str(Path(OVERLAY).absolute()),
        )
        return self.command(host, "daemon", "--machine-id", host, *self.reach(), *link)

    def ask(self, *arguments: str) -> list[str]:
        """A command to the coordinator, from its host."""
        return self.command(self.first, *arguments, *self.reach())

    def reach(self) -> tuple[str, str]:
        """The option that says where the coordinator is."""
        return ("--coordinator-addr", self.addresses[self.first])


def main() -> int:
    """Run the dataflow to its end."""
    cluster = Cluster(**json.loads(sys.argv[1]))
    congestion = {"transport": {"link": {"tx": {"queue": {"congestion_control": {"drop": PATIENT}}}}}}
    Path(OVERLAY).write_text(json.dumps(congestion))
    processes = [subprocess.Popen(cluster.coordinator())]
    try:
        _wait(cluster, 0)
        processes += [subprocess.Popen(cluster.daemon(host)) for host in cluster.addresses]
        _wait(cluster, len(cluster.addresses))
        time.sleep(ACQUAINTANCE)
        return subprocess.run(cluster.ask("start", "dataflow.yml", "--attach"), check=False).returncode
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _wait(cluster: Cluster, daemons: int) -> None:
    """Wait until the coordinator knows so many daemons."""
    limit = time.monotonic() + PATIENCE
    names = list(cluster.addresses)[:daemons]
    while True:
        told = subprocess.run(cluster.ask("cluster", "status"), capture_output=True, text=True, check=False)
        if told.returncode == 0 and all(name in told.stdout for name in names):
            return
        if time.monotonic() > limit:
            raise TimeoutError(f"dora's daemons do not come: {told.stdout}{told.stderr}")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
