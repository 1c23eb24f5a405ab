"""The memory that a producer shares: anonymous, sealed against shrinking, and handed to its readers as a descriptor.

Nothing of it has a name in a file system, so nothing is left when its last process is gone, and only those who are
given the descriptor can map it. Which part of it is used for what is not decided here.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import weakref
from pathlib import Path

import pyarrow as pa
from doraflow_runtime.shm.wire import WireError

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
_MEMORY_INFORMATION = Path("/proc/meminfo")
_HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/shmem_enabled")
_POPULATE_WRITE = 23  # MADV_POPULATE_WRITE, Linux 5.14; the mmap module has no name for it
_KIB = 1024


class SharedMemory:
    """Room for `size` bytes, of which only the first `ready` take memory before they were allocated.

    `has_huge_pages` tells whether pages of 2 MiB were asked for and can be had; then an allocated page is mapped too.
    """

    def __init__(self, size: int, ready: int = 0, *, huge_pages: bool = False) -> None:
        self.size = size
        self._descriptor = os.memfd_create("doraflow", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self._descriptor, size)
            fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, SEALS)
            self.mapped = mmap.mmap(self._descriptor, size)
            path = f"/proc/self/fd/{self._descriptor}"
            self.for_readers = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # through it nobody can map it writable
        except OSError:
            os.close(self._descriptor)
            raise
        self._finalizer = weakref.finalize(self, _close, self._descriptor, self.for_readers)
        self.has_huge_pages = huge_pages and self._ask_for_huge_pages()
        self._ready = 0
        if ready:
            self.allocate(0, ready)
            self._map_pages(0, ready)
            self._ready = ready

    @property
    def view(self) -> memoryview:
        """All of it, writable."""
        return memoryview(self.mapped)

    def allocate(self, offset: int, size: int) -> None:
        """Have the kernel set pages aside, so that a lack of memory is an error here and not a crash at a write.

        Raises OSError.
        """
        if size > _available():
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        if self.has_huge_pages:
            self._map_pages(offset, size)  # only a page that is mapped by one who asked becomes a huge one
        else:
            os.posix_fallocate(self._descriptor, offset, size)

    def give_up(self, offset: int, size: int) -> None:
        """Give pages back to the system at once, also where a reader maps them; those that were ready stay."""
        kept = max(0, self._ready - offset)
        offset, size = offset + kept, size - kept
        if size <= 0:
            return
        with contextlib.suppress(OSError):  # a kernel without holes: then the pages stay until the node ends
            self.mapped.madvise(mmap.MADV_REMOVE, offset, size)

    def close(self) -> None:
        """Give the descriptors back; what is mapped stays as long as somebody looks at it."""
        self._finalizer()

    def _map_pages(self, offset: int, size: int) -> None:
        """Have pages there and mapped, so that no write meets a missing one. Raises OSError."""
        begin = offset - offset % mmap.PAGESIZE
        self.mapped.madvise(_POPULATE_WRITE, begin, offset + size - begin)

    def _ask_for_huge_pages(self) -> bool:
        """Ask for pages of 2 MiB; False where the kernel gives none for shared memory."""
        try:
            self.mapped.madvise(mmap.MADV_HUGEPAGE)
            chosen = _HUGE_PAGES.read_text()
        except OSError:
            return False  # a kernel without them
        return "[never]" not in chosen and "[deny]" not in chosen


def map_received(descriptor: int) -> pa.Buffer:
    """Map memory that another process shares, read-only, and close its descriptor.

    Raises WireError for anything that could be cut short later: reading beyond its end would kill the reader.
    """
    try:
        if not _seals(descriptor) & fcntl.F_SEAL_SHRINK:
            raise WireError("shared memory that could shrink while it is read")
        return pa.py_buffer(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        if isinstance(error, WireError):
            raise
        raise WireError(f"shared memory that cannot be mapped: {error}") from None
    finally:
        os.close(descriptor)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _seals(descriptor: int) -> int:
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError:
        return 0  # not memory of this kind


def _available() -> int:
    """Ask how many bytes the machine could give away without swapping."""
    for line in _MEMORY_INFORMATION.read_text().splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return int(amount.split()[0]) * _KIB
    raise OSError(errno.ENOSYS, "the kernel does not tell how much memory is available")
