"""Prints every line that arrives, until the talker has ended."""

from hello_stubs.listener import LineEvent, Listener

with Listener() as node:
    for event in node:
        if isinstance(event, LineEvent):
            print("heard:", event.value[0].as_py())
