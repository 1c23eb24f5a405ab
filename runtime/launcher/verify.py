"""The check that a bundle is still as it was built, by the digests in its MANIFEST.json.

It finds copies that went wrong and edits that were forgotten. It is no defence against someone who can write the
manifest as well.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.findings import Finding, LaunchError, cause

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST = "MANIFEST.json"
_CODE = "DF804"
_IMPORTABLE = frozenset({".py", ".pyc", ".so"})
_MEND = "build the bundle again, or copy it again from where it was built; `--no-verify` starts it as it is"


def verify(bundle: Path) -> None:
    """Compare every file of the bundle with the manifest.

    Raises LaunchError with a finding for each file that is changed, missing, or importable and not of the bundle.
    """
    digests = _digests(bundle)
    found = [*_differing(bundle, digests), *_added(bundle, digests)]
    if found:
        raise LaunchError(*(Finding(_CODE, message, help=mend) for message, mend in found))


def _digests(bundle: Path) -> dict[str, str]:
    path = bundle / MANIFEST
    try:
        files = json.loads(path.read_bytes())["files"]
        return {str(name): str(entry["sha256"]) for name, entry in files.items()}
    except OSError as error:
        raise _unreadable(path, cause(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, "it is not the manifest of a bundle") from error


def _unreadable(path: Path, reason: str) -> LaunchError:
    return LaunchError(Finding(_CODE, f"the bundle cannot be verified by `{path}`: {reason}", help=_MEND))


def _differing(bundle: Path, digests: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, expected in digests.items():
        try:
            found = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
        except FileNotFoundError:
            yield f"`{name}` of the bundle is missing", _MEND
        except OSError as error:
            yield f"`{name}` of the bundle cannot be read: {cause(error)}", _MEND
        else:
            if found != expected:
                yield f"`{name}` was changed after the bundle was built", _MEND


def _added(bundle: Path, digests: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Name what nodes could import by mistake; other files may lie in a bundle (a node's own output, for instance)."""
    folders = dict.fromkeys(name.partition("/")[0] for name in digests if "/" in name)
    candidates = [*bundle.glob("*"), *(path for folder in folders for path in sorted((bundle / folder).rglob("*")))]
    for path in candidates:
        name = path.relative_to(bundle).as_posix()
        if path.suffix in _IMPORTABLE and name not in digests and "__pycache__" not in path.parts and path.is_file():
            yield f"`{name}` does not belong to the bundle, and nodes could import it by mistake", f"remove `{name}`"
