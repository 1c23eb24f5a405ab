"""Sends the photographs that scikit-image's wheel ships, each written straight into shared memory."""

from pathlib import Path

import cv2
import skimage
from vision_stubs.photos import Photos

NAMES = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "motorcycle_left.png",
    "rocket.jpg",
)


def main() -> None:
    """Send every photograph once as 8-bit RGB, its file name in the metadata."""
    folder = Path(skimage.__file__).parent / "data"
    with Photos() as node:
        for name in NAMES:
            picture = cv2.imread(str(folder / name), cv2.IMREAD_COLOR)
            if picture is None:
                raise SystemExit(f"{folder / name} is not a picture that OpenCV can read")
            height, width, _ = picture.shape
            with node.outputs.image.loan_image(width=width, height=height, metadata={"photo": name}) as pixels:
                cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=pixels)


main()
