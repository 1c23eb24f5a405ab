"""Looks at every image where it lies, and tells the rate, how old the images were, and the memory it took."""

import statistics
import time
from pathlib import Path

import numpy as np
from large_images_stubs.viewer import ImageEvent, Viewer


def age_ms(image: np.ndarray) -> float:
    """Tell how long ago the image was drawn, from the moment in its first pixels."""
    return (time.monotonic_ns() - int(image.reshape(-1)[:8].view(np.int64)[0])) / 1e6


def own_memory_mib() -> float:
    """Read how much memory this process has for itself; what it shares with the camera is not in it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:"))


def main() -> None:
    """Look until the camera has ended, then report."""
    ages: dict[str, list[float]] = {"loaned": [], "copied": []}
    brightness = begun = size = 0.0
    with Viewer() as node:
        before = own_memory_mib()
        for event in node:
            if isinstance(event, ImageEvent):
                image = event.image()  # a read-only numpy array (height, width, 3); nothing is copied
                ages[str(event.metadata["way"])].append(age_ms(image))
                begun, size = begun or time.monotonic(), image.nbytes / 1e6
                brightness += float(image[::64, ::64].mean())
        seconds = time.monotonic() - begun
        dropped, grown = node.node.dropped["image"], own_memory_mib() - before
    count = sum(map(len, ages.values()))
    print(f"{count} images of {size:.1f} MB, {(count - 1) / seconds:.0f} a second, {dropped} dropped")
    for way, told in ages.items():
        print(f"{way}: {statistics.median(told):.2f} ms old at the median, {max(told):.2f} ms at most")
    print(f"copied to loaned: {statistics.median(ages['copied']) / statistics.median(ages['loaned']):.1f} to 1")
    print(f"the viewer's own memory grew by {grown:.0f} MiB")


main()
