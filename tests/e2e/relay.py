"""A man in the middle: passes a link between hosts on, records what its sender says, and says it again.

Run as a program in the namespace of a host with the address of the reader's host, the port of the link, and those of
other links that are passed on as they are. It does what the lines on its standard input say, answers each with a line,
and ends with it:

- `replay` makes a connection of its own to the reader and says there all that was recorded; the answer tells how many
  bytes came back before the reader hung up.
- `inject` says the last message of the present connection once more, in its midst.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys

GREETING_BYTES = 64
_COMMAND, _LONG = 4, 2
_LONG_SIZE, _SHORT_SIZE = 8, 1
PATIENCE = 20.0


class Middle:
    """The connections that pass through; `said` are the parts of each as its sender said them."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._said: list[list[bytes]] = []
        self._reader_of_last: asyncio.StreamWriter | None = None
        self._passing: set[asyncio.Task[None]] = set()

    async def record(self, sender: asyncio.StreamReader, to_sender: asyncio.StreamWriter) -> None:
        try:
            reader, to_reader = await asyncio.open_connection(*self._target)
        except OSError:  # it does not listen yet
            to_sender.close()
            return
        self._said.append([])
        self._reader_of_last = to_reader
        back = asyncio.create_task(_pass(reader, to_sender))
        self._passing.add(back)
        try:
            await _record(sender, to_reader, self._said[-1])
        finally:
            to_reader.close()
            to_sender.close()
            await back
            self._passing.discard(back)

    async def replay(self) -> str:
        """Say all of the recorded connection with the most parts to the reader, as a stranger."""
        reader, to_reader = await asyncio.open_connection(*self._target)
        recorded = max(self._said, key=len)
        to_reader.writelines(recorded)
        answer = b""
        try:
            async with asyncio.timeout(PATIENCE):
                while more := await reader.read(65_536):
                    answer += more
        except ConnectionError:
            pass  # it hung up with what it had not read
        to_reader.close()
        return f"replayed {len(recorded)} parts, got {len(answer)} bytes and was hung up on"

    async def inject(self) -> str:
        """Say a part once more on the present connection, where the next one would begin."""
        messages = [part for part in self._said[-1][GREETING_BYTES:] if not part[0] & _COMMAND]
        assert self._reader_of_last is not None
        self._reader_of_last.write(messages[-1])
        return f"injected {len(messages[-1])} bytes"


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass  # either end hung up
    finally:
        target.close()


async def _record(source: asyncio.StreamReader, target: asyncio.StreamWriter, said: list[bytes]) -> None:
    """Pass on whole parts of ZMTP, so that what is injected never falls between two halves of one."""
    try:
        for _ in range(GREETING_BYTES):  # byte by byte: each end waits for some of the other's
            await _say(target, said, await source.readexactly(1))
        while True:
            flags = await source.readexactly(1)
            head = flags + await source.readexactly(_LONG_SIZE if flags[0] & _LONG else _SHORT_SIZE)
            await _say(target, said, head + await source.readexactly(int.from_bytes(head[1:], "big")))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # either end hung up


async def _say(target: asyncio.StreamWriter, said: list[bytes], part: bytes) -> None:
    said.append(part)
    target.write(part)
    await target.drain()


def _answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _pass_on(target: tuple[str, int], sender: asyncio.StreamReader, to_sender: asyncio.StreamWriter) -> None:
    try:
        reader, to_reader = await asyncio.open_connection(*target)
    except OSError:  # it does not listen yet
        to_sender.close()
        return
    await asyncio.gather(_pass(sender, to_reader), _pass(reader, to_sender))


async def main(address: str, port: str, *others: str) -> None:
    middle = Middle((address, int(port)))
    await asyncio.start_server(middle.record, port=int(port))
    for other in map(int, others):
        await asyncio.start_server(functools.partial(_pass_on, (address, other)), port=other)
    _answer("ready")
    told = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    orders = {"replay": middle.replay, "inject": middle.inject}
    while order := (await told.readline()).decode().strip():
        _answer(await orders[order]())
    os._exit(0)  # with all connections as they are: asyncio would tell of each that it ends


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
