"""Draws the boxes into the images, and writes one PNG a photograph and all detections as one Parquet file."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from doraflow_runtime.node_api.images import pixels
from vision_stubs.annotator import Annotator, BoxesEvent, ImageEvent, InputClosed, Stop
from vision_stubs.types import BoundingBox, Image

GREEN = (60, 220, 60)


def annotated(image: Image, boxes: tuple[BoundingBox, ...]) -> np.ndarray:
    """A copy of the image as OpenCV wants it (BGR), with the boxes and their labels drawn in."""
    picture = cv2.cvtColor(pixels(image), cv2.COLOR_RGB2BGR)
    for box in boxes:
        left, top = int(box.x), int(box.y)
        cv2.rectangle(picture, (left, top), (left + int(box.width), top + int(box.height)), GREEN, 2)
        text = f"{box.label} {box.confidence:.2f}"
        cv2.putText(picture, text, (left, max(top - 6, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, GREEN, 1, cv2.LINE_AA)
    return picture


@dataclass
class Album:
    """Pairs images with their boxes by the photograph's name, whichever comes first, and keeps the table."""

    folder: Path
    images: dict[str, Image] = field(default_factory=dict)
    boxes: dict[str, pa.StructArray] = field(default_factory=dict)
    tables: list[pa.Table] = field(default_factory=list)

    def add(self, photo: str) -> None:
        """Draw and write the photograph once both its image and its boxes are there."""
        if photo not in self.images or photo not in self.boxes:
            return
        rows = self.boxes.pop(photo)
        boxes = tuple(BoundingBox.from_arrow(rows))
        picture = annotated(self.images.pop(photo), boxes)
        cv2.imwrite(str(self.folder / f"{Path(photo).stem}.png"), picture)
        table = pa.Table.from_batches([pa.RecordBatch.from_struct_array(rows)])
        self.tables.append(table.add_column(0, "photo", pa.array([photo] * len(rows), pa.string())))
        print(f"{photo}: {len(boxes)} found")

    def finish(self) -> None:
        """Write all detections as one table and say where everything lies."""
        if self.tables:
            pq.write_table(pa.concat_tables(self.tables), self.folder / "detections.parquet")
        print(f"{len(self.tables)} pictures and detections.parquet lie in {self.folder}")


def main() -> None:
    """Collect until both inputs have closed."""
    album = Album(Path(os.environ["PICTURES"]).resolve())
    album.folder.mkdir(parents=True, exist_ok=True)
    with Annotator() as node:
        for event in node:
            match event:
                case ImageEvent(value=image, metadata=metadata):
                    album.images[str(metadata["photo"])] = image
                    album.add(str(metadata["photo"]))
                case BoxesEvent(array=rows, metadata=metadata):
                    album.boxes[str(metadata["photo"])] = rows
                    album.add(str(metadata["photo"]))
                case InputClosed() | Stop():
                    pass
    album.finish()


main()
