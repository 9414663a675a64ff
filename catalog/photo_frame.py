"""The garment's frame: cut out, cropped, and set on an even ground in the base's training size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from catalog.errors import UnknownName
from catalog.photos import cut_out

SIZES = {"croquis": (384, 256), "sd15": (512, 512)}
"""Rows and columns of the pictures each base learns from."""
FILL = 0.8
"""Share of the frame that the garment's longer side fills; the drawn photos have 0.70–0.86."""
_GROUNDS = ((240, 239, 237), (226, 227, 230), (176, 178, 182), (120, 122, 126))
"""From the ground of the drawn photos to darker ones, for garments of its own colour."""


def frame(picture: np.ndarray, mask: np.ndarray, base: str = "croquis") -> np.ndarray:
    """The garment alone on an even ground, uint8 in the base's training size.

    The ground is the lightest on which ``photos.cut_out`` finds the garment again, as training
    will look for it. A studio photo that has the size already is kept as it is.

    Args:
        picture: uint8 ``(H, W, 3)`` RGB.
        mask: bool ``(H, W)``, not empty.
    """
    if base not in SIZES:
        raise UnknownName.among("base", base, SIZES)
    size = SIZES[base]
    if picture.shape[:2] == size and agreement(cut_out(picture), mask) > 0.95:
        return picture
    # 1. the garment, scaled into the middle of the frame
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    high, wide = picture[part].shape[:2]
    scale = FILL * min(size[0] / high, size[1] / wide)
    to = max(1, round(wide * scale)), max(1, round(high * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    cover = np.zeros(size, np.float32)
    cloth = np.zeros((*size, 3), np.float32)
    top, left = (size[0] - to[1]) // 2, (size[1] - to[0]) // 2
    place = slice(top, top + to[1]), slice(left, left + to[0])
    cover[place] = cv2.resize(mask[part].astype(np.float32), to, interpolation=way).clip(0, 1)
    # background pixels along the rim take the colour of the cloth beside them
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    source = inner if inner.any() else mask.astype(np.uint8)
    filled = _carried_out(picture[part], source[part] > 0)
    cloth[place] = cv2.resize(filled, to, interpolation=way)
    # 2. on the first ground that lets it stand out
    wanted, best = cover > 0.5, (-1.0, picture)
    for ground in _GROUNDS:
        set_on = cloth * cover[..., None] + np.array(ground) * (1 - cover[..., None])
        framed = np.clip(np.round(set_on), 0, 255).astype(np.uint8)
        found = agreement(cut_out(framed), wanted)
        if found > best[0]:
            best = found, framed
        if found > 0.95:
            break
    return best[1]


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks, 0–1."""
    return float((a & b).sum() / max((a | b).sum(), 1))


def _carried_out(picture: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """``picture`` with each pixel outside replaced by the nearest one inside."""
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    color = np.zeros((labels.max() + 1, 3), np.uint8)
    color[labels[inside]] = picture[inside]
    return color[labels]


def contact_sheet(
    rows: Sequence[tuple[str, np.ndarray, np.ndarray, np.ndarray]], cell: int = 192
) -> np.ndarray:
    """Before, cut out, and framed, one photo a line, uint8 ``(H, W, 3)``.

    Args:
        rows: note (printable ASCII is shown), picture, mask, framed picture of each photo.
    """
    lines = []
    for note, picture, mask, framed in rows:
        board = (np.indices(picture.shape[:2]) // max(4, picture.shape[1] // 24)).sum(0) % 2
        alone = np.where(mask[..., None], picture, (190 + 40 * board[..., None]).astype(np.uint8))
        line = np.concatenate([_fitted(p, cell) for p in (picture, alone, framed)], 1)
        title = np.full((18, line.shape[1], 3), 255, np.uint8)
        text = "".join(c if " " <= c <= "~" else "?" for c in note)[:90]
        cv2.putText(title, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 40), 1)
        lines += [title, line]
    return np.concatenate(lines) if lines else np.full((cell, 3 * cell, 3), 255, np.uint8)


def _fitted(picture: np.ndarray, cell: int) -> np.ndarray:
    scale = (cell - 6) / max(picture.shape[:2])
    to = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = cv2.resize(picture, to, interpolation=cv2.INTER_AREA)
    tile = np.full((cell, cell, 3), 255, np.uint8)
    top, left = (cell - to[1]) // 2, (cell - to[0]) // 2
    tile[top : top + to[1], left : left + to[0]] = small
    return tile
