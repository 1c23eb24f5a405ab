"""The check that a bundle is as it was built, and by whom, told as findings before anything runs.

By the digests in MANIFEST.json alone it finds copies that went wrong and edits that were forgotten. With a trusted key
it finds everything that is not as it was signed. It is no defence against someone who can replace the launcher that
does the checking; `doraflow verify` checks from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.bundles.contents import (
    COPY_AGAIN,
    MANIFEST,
    ManifestError,
    differing,
    importable_strangers,
    read_digests,
)
from doraflow_runtime.bundles.trust import TrustError, check_signed, read_trusted
from doraflow_runtime.launcher.findings import Finding, LaunchError, cause

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CODE = "DF804"
_TRUST_CODE = "DF854"
_MEND = f"{COPY_AGAIN}; `--no-verify` starts it as it is"


def verify(bundle: Path) -> None:
    """Compare every file of the bundle with the manifest.

    Raises LaunchError with a finding for each file that is changed, missing, or importable and not of the bundle.
    """
    digests = _digests(bundle)
    found = [*differing(bundle, digests, _MEND), *importable_strangers(bundle, digests)]
    if found:
        raise LaunchError(*(Finding(_CODE, message, help=mend) for message, mend in found))


def verify_signed(bundle: Path, trusted: Sequence[Path], sources: Path | None) -> None:
    """Check that the bundle is as someone signed whose key lies in one of the files `trusted`.

    `sources` are where nodes' sources lie if not in the bundle, where no signature covers them. Raises LaunchError.
    """
    if sources is not None and not sources.resolve().is_relative_to(bundle.resolve()):
        message = f"the sources in `{sources}` lie outside of the bundle, and no signature covers them"
        raise LaunchError(Finding(_TRUST_CODE, message, help="start the bundle without `--sources`"))
    try:
        check_signed(bundle, read_trusted(trusted))
    except TrustError as error:
        raise LaunchError(*(Finding(_TRUST_CODE, message, help=mend) for message, mend in error.found)) from error


def _digests(bundle: Path) -> dict[str, str]:
    path = bundle / MANIFEST
    try:
        return read_digests(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, cause(error)) from error
    except ManifestError as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, reason: str) -> LaunchError:
    return LaunchError(Finding(_CODE, f"the bundle cannot be verified by `{path}`: {reason}", help=_MEND))
