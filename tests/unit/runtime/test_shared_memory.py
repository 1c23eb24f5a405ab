"""Shared memory: sealed, without a name, and writable by its owner alone."""

from __future__ import annotations

import errno
import fcntl
import gc
import mmap
import os
from pathlib import Path

import pytest
from doraflow_runtime.shm import memory
from doraflow_runtime.shm.memory import SharedMemory, map_received


def test_not_even_its_owner_can_cut_it_short_or_take_the_seal_away() -> None:
    shared = SharedMemory(8192)
    for size in (0, 4096, 16384):
        with pytest.raises(PermissionError):
            os.ftruncate(shared._descriptor, size)
    with pytest.raises(PermissionError):
        fcntl.fcntl(shared._descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)


def test_its_readers_descriptor_writes_nothing() -> None:
    shared = SharedMemory(8192)
    with pytest.raises(PermissionError):
        mmap.mmap(shared.for_readers, 8192)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(shared.for_readers, b"x")
    mapped = map_received(os.dup(shared.for_readers))
    assert not mapped.is_mutable
    with pytest.raises(TypeError):
        memoryview(mapped)[0] = 1


def test_what_is_mapped_outlives_the_owner() -> None:
    shared = SharedMemory(8192)
    shared.view[:5] = b"still"
    mapped = map_received(os.dup(shared.for_readers))
    shared.close()
    shared.close()
    del shared
    gc.collect()
    assert mapped.slice(0, 5).to_pybytes() == b"still"


def test_no_page_is_used_before_it_is_allocated_or_after_it_is_given_up() -> None:
    shared = SharedMemory(1 << 30)
    pages = [os.fstat(shared.for_readers).st_blocks]
    shared.allocate(1 << 20, 1 << 20)
    pages.append(os.fstat(shared.for_readers).st_blocks)
    shared.give_up(1 << 20, 1 << 20)
    pages.append(os.fstat(shared.for_readers).st_blocks)
    assert [512 * count for count in pages] == [0, 1 << 20, 0]


def test_more_than_the_machine_has_available_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "meminfo"
    information.write_text("MemTotal: 64 kB\nMemFree: 1 kB\nMemAvailable: 16 kB\n")
    monkeypatch.setattr(memory, "_MEMORY_INFORMATION", information)
    shared = SharedMemory(1 << 20)
    shared.allocate(0, 16 * 1024)
    with pytest.raises(OSError, match="Cannot allocate memory") as raised:
        shared.allocate(0, 16 * 1024 + 1)
    assert raised.value.errno == errno.ENOMEM


def test_its_descriptors_go_with_it() -> None:
    shared = SharedMemory(8192)
    descriptors = [shared._descriptor, shared.for_readers]
    del shared
    gc.collect()
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def resident(shared: SharedMemory) -> int:
    """Count the mapped bytes of a memory, as the kernel sees them."""
    inode = os.fstat(shared.for_readers).st_ino
    total, is_ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, _, rest = line.partition(":")
        if "-" in name.partition(" ")[0]:
            is_ours = f" {inode} " in line and "memfd:doraflow" in line
        elif is_ours and name == "Rss":
            total += int(rest.split()[0]) * 1024
    return total


@pytest.mark.parametrize("huge_pages", [False, True])
def test_what_is_to_be_ready_is_mapped_before_anyone_writes(huge_pages: bool) -> None:
    shared = SharedMemory(16 << 20, 4 << 20, huge_pages=huge_pages)
    assert resident(shared) == 4 << 20
    shared.give_up(0, 8 << 20)
    assert resident(shared) == 4 << 20
    shared.allocate(6 << 20, 2 << 20)
    shared.view[7 << 20] = 1
    assert shared.view[7 << 20] == 1


def test_with_huge_pages_an_allocated_page_is_a_mapped_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = tmp_path / "shmem_enabled"
    monkeypatch.setattr(memory, "_HUGE_PAGES", chosen)
    chosen.write_text("always [advise] never deny force\n")
    shared = SharedMemory(8 << 20, huge_pages=True)
    assert shared.has_huge_pages
    shared.allocate(2 << 20, 2 << 20)
    assert resident(shared) == 2 << 20
    chosen.write_text("always advise [never] deny force\n")
    assert not SharedMemory(8 << 20, huge_pages=True).has_huge_pages
    chosen.unlink()
    assert not SharedMemory(8 << 20, huge_pages=True).has_huge_pages
    assert not SharedMemory(8 << 20).has_huge_pages


def test_memory_that_cannot_be_made_ready_is_an_error_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_available", lambda: 1 << 20)
    with pytest.raises(OSError, match="Cannot allocate memory"):
        SharedMemory(16 << 20, 4 << 20)
