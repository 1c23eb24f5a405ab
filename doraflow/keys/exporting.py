"""What one host needs of a ring, written to a folder of its own: its secret key and everybody's public ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.bundles.trust import TRUSTED_FILE
from doraflow_runtime.keys.files import OLD_PUBLIC, PRIVATE, PUBLIC
from doraflow_runtime.keys.folder import KeyRingError, names_in, opened, read_key
from doraflow_runtime.keys.ring import public_files, read_ring

from doraflow.keys.pairs import check_pair
from doraflow.keys.writing import locked, make_private, put, take_away

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow_runtime.keys.files import HostKey


def export_keys(folder: Path, host: str, target: Path) -> list[str]:
    """Write what `host` needs to the folder `target`; gives the names of the files.

    A folder that an earlier export wrote is brought up to date, also where a key was retired. Raises KeyRingError for
    one that holds anything else, since the whole folder is what gets copied to the host.
    """
    files = needed_keys(folder, host)
    make_private(target)
    if target.resolve() == folder.resolve():
        raise KeyRingError(f"`{target}` is where the keys lie already", "name another folder with `--to DIR`")
    with locked(target) as descriptor:
        there = names_in(descriptor)
        own = (PUBLIC, OLD_PUBLIC, f"{host}{PRIVATE}", TRUSTED_FILE)
        strange = [name for name in there if not name.endswith(own)]
        if strange:
            raise KeyRingError(
                f"`{target}` holds `{strange[0]}`, which would be copied to host `{host}` too",
                "name another folder with `--to DIR`",
            )
        for name, key in files.items():
            put(descriptor, name, key)
        for name in sorted(set(there) - set(files) - {TRUSTED_FILE}):
            take_away(descriptor, name)
    return list(files)


def needed_keys(folder: Path, host: str) -> dict[str, HostKey]:
    """Read what `host` needs of the ring in `folder`: its secret key and all public ones, by file name.

    Raises KeyRingError.
    """
    with opened(folder) as descriptor:
        check_pair(descriptor, folder, host)
    read_ring(folder, host)
    with opened(folder) as descriptor:
        public = [f"{each}{suffix}" for each, suffix in public_files(names_in(descriptor))]
        return {name: read_key(descriptor, folder, name) for name in (f"{host}{PRIVATE}", *public)}
