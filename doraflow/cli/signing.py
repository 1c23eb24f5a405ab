"""`doraflow sign` and `doraflow verify`: whether a bundle is what somebody trusted has built."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from doraflow.cli.outputs import TextOutput, TextOutputOption, tell_written

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink

Bundle: TypeAlias = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="The bundle, a folder that was built.", show_default=False)
]


def sign(
    bundle: Bundle,
    key: Annotated[
        Path,
        typer.Option("--key", "-k", metavar="FILE", help="The secret key, as minisign writes it.", show_default=False),
    ],
    output: TextOutputOption = TextOutput.TEXT,
) -> None:
    """Sign a bundle, so that launchers which trust the key start it and nothing else.

    The signature covers every file of the bundle by its digest, and is written beside the manifest.

    Example: doraflow sign bundle --key release.key
    """
    from doraflow.cli.operating import finish
    from doraflow.diagnostics import Sink
    from doraflow.signing.bundle import read_signing_key, sign_bundle

    sink = Sink()
    secret = read_signing_key(key, lambda: str(typer.prompt("password", hide_input=True, err=True)), sink)
    signature = sign_bundle(bundle, secret, sink) if secret is not None else None
    finish(sink)
    if signature is not None:
        tell_written([signature], output)


def verify(
    bundle: Bundle,
    trusted_key: Annotated[
        list[Path] | None,
        typer.Option(
            "--trusted-key",
            metavar="FILE",
            help="A public key of minisign, instead of `trusted.pub` in the folder of keys; may be repeated.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check that a bundle is as it was built; with a trusted key, that its owner has signed it as it is.

    Example: doraflow verify bundle --trusted-key release.key.pub
    """
    from doraflow_runtime.bundles.trust import find_trusted

    from doraflow.cli.operating import finish
    from doraflow.diagnostics import Sink

    sink = Sink()
    trusted = find_trusted(trusted_key or (), None, os.environ)
    said = _signed(bundle, trusted, sink) if trusted else _as_built(bundle, sink)
    finish(sink)
    typer.echo(f"{bundle}: {said}", err=True)


def _signed(bundle: Path, trusted: tuple[Path, ...], sink: Sink) -> str:
    from doraflow_runtime.bundles.trust import TrustError, check_signed, read_trusted

    try:
        comment = check_signed(bundle, read_trusted(trusted))
    except TrustError as error:
        for message, mend in error.found:
            sink.error("DF854", message, help=mend)
        return ""
    # Whoever signs chooses the comment, and it may hold what steers a terminal.
    shown = "".join(letter if letter.isprintable() else " " for letter in comment)
    return f"as it was signed ({shown})"


def _as_built(bundle: Path, sink: Sink) -> str:
    from doraflow_runtime.bundles.contents import MANIFEST, ManifestError, differing, importable_strangers, read_digests

    try:
        digests = read_digests((bundle / MANIFEST).read_bytes())
    except (OSError, ManifestError) as error:
        reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        message = f"the bundle cannot be verified by `{bundle / MANIFEST}`: {reason}"
        sink.error("DF804", message, help="name the folder of a bundle")
        return ""
    for message, mend in (*differing(bundle, digests), *importable_strangers(bundle, digests)):
        sink.error("DF804", message, help=mend)
    return f"{len(digests)} files as they were built; who built them was not asked"
