"""Sends RGB images at the pace of its timer: even ones loaned, odd ones copied, so that a run compares the two."""

import argparse
import time

import numpy as np
import pyarrow as pa
from large_images_stubs.camera import Camera, TickEvent


def draw(image: np.ndarray, scene: np.ndarray, number: int) -> None:
    """Write what a camera would: the whole scene, a bar that moves, and in the first pixels when that was done."""
    np.copyto(image, scene)
    left = number * 8 % image.shape[1]
    image[:, left : left + 8] = 255
    image.reshape(-1)[:8].view(np.int64)[0] = time.monotonic_ns()


def main() -> None:
    """Send the images, then end: leaving `with` closes the output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int)
    parser.add_argument("--width", type=int)
    parser.add_argument("--height", type=int)
    told = parser.parse_args()
    shape = (told.height, told.width, 3)
    scene = np.random.default_rng(4).integers(0, 200, shape, np.uint8)
    own = np.empty(shape, np.uint8)
    number = 0
    with Camera() as node:
        for event in node:
            if not isinstance(event, TickEvent):
                continue
            output = node.outputs.image
            if number % 2 == 0:
                with output.loan_image(
                    width=told.width, height=told.height, encoding="rgb8", metadata={"way": "loaned"}
                ) as image:
                    draw(image, scene, number)
            else:
                draw(own, scene, number)
                metadata = {"way": "copied", "width": told.width, "height": told.height, "encoding": "rgb8"}
                output.send(pa.array(own.reshape(-1)), metadata=metadata)
            number += 1
            if number == told.images:
                break


main()
