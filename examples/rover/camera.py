"""Sends images in which one more pixel is bright each time."""

import argparse

import pyarrow as pa
from dora import Node

SIZE = 640 * 480

parser = argparse.ArgumentParser()
parser.add_argument("--frames", type=int, default=0, help="how many to send; 0 is without end")
frames = parser.parse_args().frames

sent = 0
pixels = bytearray(SIZE)
with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            pixels[sent % SIZE] = 255
            node.send_output("image", pa.Array.from_buffers(pa.uint8(), SIZE, [None, pa.py_buffer(bytes(pixels))]))
            sent += 1
            if sent == frames:
                break
