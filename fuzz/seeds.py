"""The seeds and the dictionary of the fuzzer: the catalogue of faults, the examples, and the words of the language."""

from __future__ import annotations

from pathlib import Path

from doraflow.parser.model import Dataflow, Deploy, InputOptions, ModuleHeader, Node, OperatorDefinition, Profile
from doraflow.parser.owners import known_keys
from doraflow.parser.ros2_model import Ros2Bridge

ROOT = Path(__file__).resolve().parents[1]
LARGEST_SEED = 8_192

_WORDS = (
    *("dora/timer/millis/10", "dora/timer/hz/0", "dora/logs/info", "_mod/goal", "drop_oldest", "backpressure"),
    *("on-failure", "arrow-ipc", "service-server", "std/media/v1/Image", "std/core/v1/String", "nav.yml", "dynamic"),
    *("custom", "source", "run", "_unstable_deploy", "__dora_env", "envs", "shared_library", "communication", "sinks"),
    *("!!python/object:x ", "!!str ", "&a ", "*a", "<<: *a", "---\n", "...\n", "? ", "|\n", ">-\n", "- ", ": ", "\n  "),
    *("\ufeff", "\u2028", "\x85", "\r\n", "\t", "# doraflow: ignore[DF207]", "# doraflow: ignore-file[DF207]"),
    *("0x10", "0o17", "010", "1e999", ".inf", "-.nan", "~", "null", "true", "[sample_type=f32]", "List<Float32>"),
)


def seed_files() -> list[Path]:
    """List the files that fuzzing begins with, in order."""
    found = [*ROOT.glob("tests/diagnostics/catalogue/**/*.yml"), *ROOT.glob("examples/**/*.yml")]
    found += ROOT.glob("tests/data/**/*.yml")
    return sorted(path for path in found if path.stat().st_size <= LARGEST_SEED)


def dictionary() -> list[bytes]:
    """List the words of the language, and what means something to YAML."""
    kinds = (Dataflow, Node, OperatorDefinition, InputOptions, Deploy, Profile, ModuleHeader, Ros2Bridge)
    keys = dict.fromkeys(key for kind in kinds for key in known_keys(kind))
    return [word.encode() for word in (*(f"{key}: " for key in keys), *_WORDS)]


def write_seeds(folder: Path) -> None:
    """Copy the seeds into a corpus folder under names that show where they come from."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in seed_files():
        (folder / "-".join(path.relative_to(ROOT).parts)).write_bytes(path.read_bytes())


def write_dictionary(path: Path) -> None:
    """Write the dictionary in the fuzzer's own form."""
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in dictionary())
    path.write_text("\n".join(lines) + "\n")
