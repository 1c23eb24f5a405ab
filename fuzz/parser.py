"""A coverage-guided fuzzer of all that reads dataflow files: `python -m fuzz.parser -max_total_time=60`.

Options are libFuzzer's. It begins with the catalogue of faults and the examples; what it learns is kept in the folders
that are named as arguments, or in `.doraflow/fuzz`. It needs atheris: `pip install 'doraflow[fuzz]'`.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

import atheris

import doraflow

with atheris.instrument_imports(include=["doraflow"]):
    # Modules that are imported inside functions would go unseen.
    for _package in ("parser", "parser.dialects", "analysis", "migrate", "policy", "render"):
        for _module in pkgutil.iter_modules([(Path(doraflow.__path__[0]) / _package.replace(".", "/")).as_posix()]):
            importlib.import_module(f"doraflow.{_package}.{_module.name}")
    from fuzz.seeds import write_dictionary, write_seeds
    from fuzz.target import prepare, try_bytes

KEPT = Path(".doraflow/fuzz")
LONGEST = 65_536
SLOWEST = 60
"""Seconds of the clock for one input; instrumented code is several times slower than usual."""


def main(arguments: list[str]) -> None:
    """Fuzz until the options say to end, or a promise is broken."""
    with tempfile.TemporaryDirectory(prefix="doraflow-fuzz-") as name:
        folder = Path(name)
        prepare(folder)
        write_dictionary(folder / "words.dict")
        folders = [argument for argument in arguments if not argument.startswith("-")] or [KEPT.as_posix()]
        if not Path(folders[0]).is_file():  # a file is one input to try again
            write_seeds(Path(folders[0]))
        settings = [
            f"-dict={folder / 'words.dict'}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOWEST}",
            "-rss_limit_mb=1500",
        ]
        options = [argument for argument in arguments if argument.startswith("-")]
        atheris.Setup([sys.argv[0], *settings, *options, *folders], lambda content: _try(content, folder))
        atheris.Fuzz()


def _try(content: bytes, folder: Path) -> None:
    try_bytes(content, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
