"""`python -m tests.golden`: write the expected files of all cases again; review the difference before committing."""

from __future__ import annotations

import shutil

from tests.golden.bundles import CASES, ROOT, bundle_of


def main() -> None:
    """Replace each case's `expected/` by what is generated now."""
    for case in CASES:
        folder = ROOT / case / "expected"
        shutil.rmtree(folder, ignore_errors=True)
        for file in bundle_of(case).files:
            place = folder / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)
            place.chmod(0o755 if file.executable else 0o644)


main()
