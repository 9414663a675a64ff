"""The canny ControlNet's map: a picture's edges, small enough to travel inside a plan."""

from __future__ import annotations

import base64
import binascii

import cv2
import numpy as np

from catalog.croquis import maps
from catalog.errors import BadValue
from tools.control_pictures import canny, kind_of

LONGEST = 12_000
"""Characters of a packed map; the fullest one has about 9,000."""
THIN = 0.5
"""Width of a line, in pixels of the picture it is given in, from which on it counts."""
SIZE = maps.HEIGHT, maps.WIDTH


def edge_map(picture: np.ndarray) -> str:
    """The edges of a picture uint8 ``(H, W, 3)``, as a plan takes them.

    The whole picture is fitted into the drawing's frame. One that shows edges already, white on
    black, is taken as it is.

    Raises:
        BadValue: it is a skeleton or a layout, or nothing in it has an edge.
        ModelUnavailable: controlnet-aux is not installed.
    """
    kind = kind_of(picture)
    if kind in ("skeleton", "layout"):
        raise BadValue(
            f"This picture is a {kind}, whose edges say little of what it was made from.",
            "Give the picture itself, or the skeleton as the pose.",
        )
    height, width = picture.shape[:2]
    share = min(SIZE[0] / height, SIZE[1] / width)
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    if kind == "edges":  # a line stays one, however much of a pixel it has left to cover
        lines = np.where(small.max(2) > THIN * 255 * min(1.0, share), 255, 0).astype(np.uint8)
    else:
        lines = canny(small)[..., 0]
    framed = np.zeros(SIZE, np.uint8)
    top, left = (SIZE[0] - rows) // 2, (SIZE[1] - columns) // 2
    framed[top : top + rows, left : left + columns] = lines
    if not framed.any():
        raise BadValue("Nothing in this picture has an edge.", "Give one with something to see.")
    return packed(maps.shrunk_edges(framed))


def packed(edges: np.ndarray) -> str:
    """A map uint8 ``(1, 96, 64)`` as a PNG file in base64."""
    _, data = cv2.imencode(".png", edges[0])
    return base64.b64encode(data.tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    """What ``packed`` was given. Raises BadValue for anything else."""
    try:
        data = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
        edges = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    except (binascii.Error, ValueError, cv2.error):
        edges = None
    if edges is None or edges.shape != maps.MAP_SIZE:
        raise BadValue(
            "The edges of this plan are no edge map.", "Make one: tools.edge_map.edge_map(picture)."
        )
    return edges[None]
