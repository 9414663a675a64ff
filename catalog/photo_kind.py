"""What kind of garment real photos show: a linear head on the picture embedding.

The head knows the 14 labels it was trained on (``train_photo_kind.py``), and tells apart from that
whether a picture is of the drawn world (``DRAWN``), which the drawn silhouettes judge better. A
label stands for one or more of our categories; which of them it is, the silhouette says
(``attributes.py``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from catalog.errors import ModelUnavailable
from catalog.photo_embedding import DIM, garment_square, photo_embedding

DRAWN = "drawn"
KINDS: dict[str, tuple[str, ...]] = {
    "Blazer": ("blazer",),
    "Blouse": ("blouse",),
    "Dress": ("mini dress", "midi dress", "maxi dress"),
    "Hat": ("beanie", "cap", "sun hat", "fedora"),
    "Hoodie": ("hoodie",),
    "Longsleeve": ("sweater", "turtleneck"),
    "Outwear": (
        "coat", "trench coat", "raincoat", "puffer jacket", "denim jacket", "leather jacket",
    ),
    "Pants": ("jeans", "trousers", "leggings"),
    "Polo": ("polo shirt",),
    "Shirt": ("shirt",),
    "Shoes": (
        "sneakers", "boots", "rain boots", "heels", "loafers", "sandals", "ballet flats",
    ),
    "Shorts": ("shorts",),
    "Skirt": ("mini skirt", "midi skirt", "pencil skirt"),
    "T-Shirt": ("t-shirt",),
}  # fmt: skip
"""Labels of the photos the head was trained on → our categories that mean the same."""
HEAD = Path(__file__).with_name("photo_kind.safetensors")
MOST_PHOTOS = 3
"""Photos of one garment that are looked at: more take longer and say the same."""
_LEAST = 1e-6
"""What no look rules out."""


@dataclass(frozen=True)
class Head:
    """Two logistic regressions over embeddings of length 1: what is it, and is it drawn."""

    labels: tuple[str, ...]
    """The last is ``DRAWN``."""
    weight: np.ndarray
    """float32 ``(labels, 3840)``"""
    bias: np.ndarray
    """float32 ``(labels,)``"""

    def __call__(self, embedded: np.ndarray) -> np.ndarray:
        """Probabilities float32 ``(n, labels)`` of embeddings float32 ``(n, 3840)``."""
        logits = embedded @ self.weight.T + self.bias
        kinds = np.exp(logits[:, :-1] - logits[:, :-1].max(1, keepdims=True))
        drawn = 1 / (1 + np.exp(-logits[:, -1:]))
        return np.hstack([(1 - drawn) * kinds / kinds.sum(1, keepdims=True), drawn])


def looks(photo: np.ndarray, mask: np.ndarray, whole: np.ndarray) -> list[np.ndarray]:
    """The garment alone, and the photo as it came: each shows what the other may have lost.

    Args:
        photo: uint8 ``(H, W, 3)`` RGB.
        mask: bool ``(H, W)``, not empty: the garment.
        whole: uint8 ``(H', W', 3)``: ``photo`` before anything was done to it.

    Returns:
        Two pictures for the embedding, uint8 ``(320, 320, 3)``.
    """
    return [garment_square(photo, mask), garment_square(whole, np.ones(whole.shape[:2], bool))]


def label_chances(
    photos: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    whole: Sequence[np.ndarray] | None = None,
) -> dict[str, float]:
    """Label → probability 0–1 that these photos of one garment show it; they sum to 1.

    Args:
        photos: uint8 ``(H, W, 3)`` RGB each, at least one.
        masks: bool ``(H, W)`` each, not empty: the garment.
        whole: the photos as they came, uint8 ``(H', W', 3)`` each, when ``photos`` are frames of
            them.

    Raises:
        ModelUnavailable: the embedding or the head is not there, or not whole.
    """
    model = head()
    seen = list(zip(photos, masks, whole or photos, strict=True))[:MOST_PHOTOS]
    pictures = [picture for three in seen for picture in looks(*three)]
    # every look is evidence of its own, so logarithms are averaged: likelier by cross-validation
    likely = np.exp(np.log(model(photo_embedding()(pictures)) + _LEAST).mean(0))
    chances = likely / likely.sum()
    return dict(zip(model.labels, chances.tolist(), strict=True))


@lru_cache(maxsize=2)
def head(path: Path = HEAD) -> Head:
    """The trained head. Raises ``ModelUnavailable`` when its file is not whole."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "np") as file:
            labels = tuple(json.loads((file.metadata() or {})["labels"]))
            weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
        fits = weight.shape == (len(labels), DIM) and bias.shape == (len(labels),)
        if not fits or labels != (*KINDS, DRAWN):
            raise KeyError("labels")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelUnavailable(
            "The classifier of real photos is missing or damaged.",
            f"Restore it: git checkout -- catalog/{path.name}",
        ) from error
    return Head(labels, weight.astype(np.float32), bias.astype(np.float32))
