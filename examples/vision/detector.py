"""Finds the faces of people and cats in each image with the Haar cascades that OpenCV's wheel ships.

The detector is the boosted cascade of Viola and Jones (2001). Its settings below find the astronaut, the heads on
the coins and the cat, and nothing in the pictures without a face.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from doraflow_runtime.node_api.images import pixels
from vision_stubs.detector import Detector, ImageEvent
from vision_stubs.types import BoundingBox, Image


@dataclass(frozen=True)
class Feature:
    """What to look for: a cascade file and how strict to be."""

    label: str
    cascade: cv2.CascadeClassifier
    scale_step: float
    neighbours: int
    smallest: int


def features() -> tuple[Feature, ...]:
    """Load the cascades."""

    def load(name: str) -> cv2.CascadeClassifier:
        return cv2.CascadeClassifier(cv2.data.haarcascades + name)

    return (
        Feature("face", load("haarcascade_frontalface_default.xml"), scale_step=1.1, neighbours=6, smallest=40),
        Feature("cat", load("haarcascade_frontalcatface.xml"), scale_step=1.05, neighbours=3, smallest=60),
    )


def grey(image: Image) -> np.ndarray:
    """The image's brightness, with its contrast spread over the whole range."""
    return cv2.equalizeHist(cv2.cvtColor(pixels(image), cv2.COLOR_RGB2GRAY))


def detect(image: Image, wanted: tuple[Feature, ...]) -> Iterator[BoundingBox]:
    """One box for each feature found. The confidence is the last stage's margin, squeezed into 0 to 1."""
    brightness = grey(image)
    for feature in wanted:
        boxes, _, margins = feature.cascade.detectMultiScale3(
            brightness,
            scaleFactor=feature.scale_step,
            minNeighbors=feature.neighbours,
            minSize=(feature.smallest, feature.smallest),
            outputRejectLevels=True,
        )
        for (x, y, width, height), margin in zip(boxes, margins, strict=True):
            yield BoundingBox(
                x=float(x),
                y=float(y),
                width=float(width),
                height=float(height),
                confidence=float(1.0 / (1.0 + np.exp(-margin))),
                label=feature.label,
            )


def main() -> None:
    """Answer each image with its boxes; the metadata goes along, so that a reader can pair the two."""
    wanted = features()
    with Detector() as node:
        for event in node:
            if isinstance(event, ImageEvent):
                node.outputs.boxes.send(list(detect(event.value, wanted)), metadata=event.metadata)


main()
