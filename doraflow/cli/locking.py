"""The lock of a dataflow on the command line: how it is used, and the file brought up to date.

What a lock holds is decided in `doraflow.pipeline`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from doraflow.pipeline import LockUse

if TYPE_CHECKING:
    from doraflow.cli.progress import Progress
    from doraflow.pipeline import Compilation


def lock_use(*, locked: bool, frozen: bool) -> LockUse:
    """Read the two options."""
    if locked and frozen:
        raise typer.BadParameter("--locked and --frozen exclude one another")
    if frozen:
        return LockUse.FROZEN
    return LockUse.LOCKED if locked else LockUse.KEPT


def keep_lock(made: Compilation, progress: Progress) -> bool:
    """Write the lock that a build asks for, if that is not what there is; tells whether it was written."""
    from doraflow.pipeline import new_lock

    wanted = new_lock(made) if made.options.lock is LockUse.KEPT else None
    if wanted is None or (made.lock is not None and made.lock.text == wanted[1]):
        return False
    path, text = wanted
    from doraflow.build.lock_file import tell_unwritable, write_lock

    with progress.stage("locking", str(path)) as locking:
        try:
            write_lock(path, text)
        except OSError as error:
            locking.failed = True
            tell_unwritable(path, error, made.sink.warning, mend="make its folder writable, or give `--frozen`")
            return False
    if not progress.tells_stages:
        typer.echo(f"{path}: {'written' if made.lock is None else 'brought up to date'}", err=True)
    return True


def check_lock(made: Compilation) -> None:
    """Report a lock whose entries hold, and which would be written in another way all the same."""
    from doraflow.pipeline import new_lock

    wanted = new_lock(made)
    if wanted is not None and made.lock is not None and made.lock.text != wanted[1]:
        made.sink.error(
            "DF891",
            f"`{made.lock.file}` is not written as doraflow writes it",
            help=f"run `doraflow lock {made.source.as_posix()}`, and commit what changes",
        )
