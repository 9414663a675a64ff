"""Judges: small networks that say what a picture shows, from its pixels alone.

    python -m bench.judges train --minutes 60 [--only segmenter pattern …] [--fresh]
        [--rate 1e-3] [--device cuda --workers 5] [--folder FOLDER]
    python -m bench.judges score [--folder FOLDER]

They were trained on drawings of their own (seeds from 5·10⁹ on, garments in every shade, print and
trim), some passed through the autoencoder, softened and spoilt so that they read renders too.
Nothing of a render's layout reaches them.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from catalog.croquis.keypoints import Block
from catalog.croquis.parts import PARTS, PartsNet
from catalog.garment import CATEGORIES, SEASONS

FOLDER = Path(__file__).parent / "judges"
CLASSES = PARTS
PATTERN_CLASSES = ("plain", "stripes", "plaid", "dots", "print")
WINDOW = 160, 112
"""Rows and columns of the pattern judge's window on a garment, at the picture's own scale."""
NEAR = 160, 112
"""Rows and columns into which the category judge's garments are fitted."""
CELL = 16
"""Pixels, each way, of what the segmenter sees as one at its coarsest."""
SIZES = (0.875, 1.0, 1.125)
"""Sizes at which a picture is segmented; what they agree on is right more often."""
ZOOMS = (0.94, 1.0, 1.06)
"""Sizes at which the category judge looks."""
QUARTILES = (0.25, 0.5, 0.75)


# --- the networks --------------------------------------------------------------------------------


class PatternJudge(nn.Module):
    """A garment's window ``(B, 4, 160, 112)`` (colour less its mean, and mask) → pattern logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*_detail(), nn.Conv2d(48, 48, 3, 2, 1), Block(48))
        self.head = nn.Linear(96, len(PATTERN_CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.cat(_under(F.silu(self.body(x)), x[:, 3:]), 1))


class CategoryJudge(nn.Module):
    """A garment near by ``(B, 4, 160, 112)``, the whole picture with it ``(B, 4, 192, 128)`` and
    its box ``(B, 4)`` → kind logits: a collar is told from near, a hem by the legs under it."""

    def __init__(self) -> None:
        super().__init__()
        deep = nn.Conv2d(48, 64, 3, 2, 1), Block(64), Block(64, 2)
        self.near = nn.Sequential(*_detail(), *deep)
        self.places = nn.Sequential(nn.Conv2d(64, 16, 1), nn.AdaptiveAvgPool2d((5, 3)))
        self.far = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(64, 32, 3, padding=1),
            Block(32),
            nn.Conv2d(32, 48, 3, 2, 1),
            Block(48, 2),
        )
        self.head = nn.Sequential(
            nn.Linear(2 * 64 + 16 * 15 + 2 * 48 + 4, 96),
            nn.SiLU(),
            nn.Linear(96, len(CATEGORIES)),
        )

    def forward(self, near: Tensor, far: Tensor, box: Tensor) -> Tensor:
        close, wide = self.near(near), self.far(far)
        told = [*_under(F.silu(close), near[:, 3:]), self.places(close).flatten(1)]
        return self.head(torch.cat([*told, *_under(F.silu(wide), far[:, 3:]), box], 1))


def _detail() -> tuple[nn.Module, ...]:
    """The layers that see a garment from near: ``(B, 4, H, W)`` → ``(B, 48, H/4, W/4)``."""
    fine = nn.PixelUnshuffle(2), nn.Conv2d(16, 32, 3, padding=1), Block(32)
    return *fine, nn.Conv2d(32, 48, 3, 2, 1), Block(48)


def _under(features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and strongest answer over the mask, ``(B, C)`` each."""
    share = F.adaptive_avg_pool2d(mask, features.shape[2:])
    mean = (features * share).sum((2, 3)) / share.sum((2, 3)).clamp_min(1e-3)
    return mean, (features * (share > 0.3)).amax((2, 3))


class SeasonJudge(nn.Module):
    """A picture ``(B, 4, 384, 256)`` with its garments blanked → logits of ``SEASONS``."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(64, 32, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(32, 40, 3, 2, 1),
            nn.SiLU(),
            nn.GroupNorm(2, 40),
            nn.Conv2d(40, 56, 3, 2, 1),
            nn.SiLU(),
        )
        self.head = nn.Linear(112, len(SEASONS))

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return self.head(torch.cat([y.mean((2, 3)), y.amax((2, 3))], 1))


NETWORKS: dict[str, type[nn.Module]] = {
    "segmenter": PartsNet,
    "pattern": PatternJudge,
    "category": CategoryJudge,
    "season": SeasonJudge,
}


def likeliest(shares: dict[str, float]) -> str:
    """What a judge takes a picture for."""
    return max(shares, key=shares.__getitem__)


@lru_cache
def judge(name: str) -> nn.Module:
    """A trained judge, ready to use. Raises FileNotFoundError before the first training."""
    network = NETWORKS[name]()
    network.load_state_dict({k: v.float() for k, v in load_file(weights_file(name)).items()})
    return network.eval().requires_grad_(False)


def weights_file(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"


def save(name: str, network: nn.Module) -> None:
    """Keep a judge's weights in half precision."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    partial = weights_file(name).with_suffix(".partial")
    tensors = {k: v.detach().cpu().half().contiguous() for k, v in network.state_dict().items()}
    save_file(tensors, partial)
    os.replace(partial, weights_file(name))
    judge.cache_clear()


# --- what they read out of a picture, uint8 (384, 256, 3) ----------------------------------------


@torch.no_grad()
def segment(picture: np.ndarray, sizes: Sequence[float] = SIZES) -> np.ndarray:
    """Class of each pixel, uint8 ``(384, 256)``, numbers into ``CLASSES``: what the picture and its
    mirror image, at each of ``sizes``, are taken for on average."""
    x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1
    both = torch.cat([x, x.flip(3)])
    likely = torch.zeros(len(CLASSES), *x.shape[2:])
    for size in sizes:
        sides = [round(side * size / CELL) * CELL for side in x.shape[2:]]
        seen = F.interpolate(both, sides, mode="bilinear", antialias=True) if size != 1 else both
        shares = judge("segmenter")(seen).softmax(1)
        shares = shares[:1] + shares[1:].flip(3)
        likely += F.interpolate(shares, x.shape[2:], mode="bilinear")[0]
    return likely.argmax(0).to(torch.uint8).numpy()


@torch.no_grad()
def pattern(picture: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """How likely each of ``PATTERN_CLASSES`` is for the garment under ``mask``, by windows all over
    it and their mirror images."""
    windows = pattern_windows(picture, mask)
    area = windows[:, 3].sum((1, 2))
    logits = judge("pattern")(torch.cat([windows, windows.flip(3)]))
    mean = area.clamp_min(1e-3).repeat(2) @ logits / area.clamp_min(1e-3).sum()
    return dict(zip(PATTERN_CLASSES, (mean / 2).softmax(0).tolist(), strict=True))


@torch.no_grad()
def category(picture: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """How likely each kind is for the garment under ``mask``, by itself and its mirror image, as
    large as they are, a little smaller and larger."""
    seen = []
    for zoom in ZOOMS:
        near_by = _zoomed(picture, zoom), _zoomed(mask.astype(np.uint8), zoom) > 0
        seen += [category_input(*near_by), category_input(*(x[:, ::-1] for x in near_by))]
    logits = judge("category")(*(torch.stack(x) for x in zip(*seen, strict=True)))
    mean = logits.log_softmax(1).mean(0).softmax(0)
    return dict(zip(CATEGORIES, mean.tolist(), strict=True))


@torch.no_grad()
def season(picture: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """How likely each season is, by everything that is not a garment."""
    shares = judge("season")(season_input(picture, classes)[None])[0].softmax(0)
    return dict(zip(SEASONS, shares.tolist(), strict=True))


def pattern_windows(picture: np.ndarray, mask: np.ndarray) -> Tensor:
    """``(n, 4, 160, 112)``: windows at the quartiles of a garment's rows and columns, all else
    blank; one at least."""
    places = np.nonzero(mask)
    if not len(places[0]):
        return pattern_input(picture, mask)[None]
    middles = [np.quantile(p, QUARTILES).astype(int).tolist() for p in places]
    windows = {_window(at, picture.shape) for at in itertools.product(*middles)}
    seen = [_pattern_input(picture, mask, *window) for window in sorted(windows)]
    return torch.stack([x for x in seen if x[3].any()] or seen)


def pattern_input(picture: np.ndarray, mask: np.ndarray) -> Tensor:
    """``(4, 160, 112)``: a window around the garment's middle, all else blank."""
    places = np.nonzero(mask)
    if not len(places[0]):
        return torch.zeros(4, *WINDOW)
    middle = [(int(p.min()) + int(p.max()) + 1) // 2 for p in places]
    return _pattern_input(picture, mask, *_window(middle, picture.shape))


def _window(middle: Sequence[int], shape: tuple[int, ...]) -> tuple[int, int]:
    """Row and column where a window around ``middle`` begins."""
    top, left = (
        max(0, min(at - length // 2, side - length))
        for at, length, side in zip(middle, WINDOW, shape[:2], strict=True)
    )
    return top, left


def _pattern_input(picture: np.ndarray, mask: np.ndarray, top: int, left: int) -> Tensor:
    height, width = WINDOW
    out = np.zeros((height, width, 4), np.float32)
    alone = mask[top : top + height, left : left + width].astype(np.float32)
    part = picture[top : top + height, left : left + width].astype(np.float32)
    mean = part[alone > 0].mean(0) if alone.any() else 128.0
    view = out[: part.shape[0], : part.shape[1]]
    view[..., :3] = (part - mean) / 48.0 * alone[..., None]
    view[..., 3] = alone
    return torch.from_numpy(out).permute(2, 0, 1)


def _zoomed(picture: np.ndarray, zoom: float) -> np.ndarray:
    """A picture of the same size, larger or smaller about its middle."""
    rows, columns = picture.shape[:2]
    move = np.array([[zoom, 0, (1 - zoom) * columns / 2], [0, zoom, (1 - zoom) * rows / 2]])
    same = np.ascontiguousarray(picture)
    return cv2.warpAffine(same, move, (columns, rows), borderMode=cv2.BORDER_REPLICATE)


def category_input(picture: np.ndarray, mask: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """``(4, 160, 112)``: the garment and a tenth around it, fitted to the frame; ``(4, 192, 128)``:
    the whole picture; each with the garment's mask; its box: middle and size, 0…1."""
    whole = np.dstack([picture / 127.5 - 1, mask]).astype(np.float32)
    far = cv2.resize(whole, (128, 192), interpolation=cv2.INTER_AREA)
    near, box = np.zeros((*NEAR, 4), np.float32), np.zeros(4, np.float32)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows):
        y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        tall, wide = mask.shape
        box[:] = (y0 + y1) / 2 / tall, (x0 + x1) / 2 / wide, (y1 - y0) / tall, (x1 - x0) / wide
        scale = min(NEAR[0] / (y1 - y0), NEAR[1] / (x1 - x0)) / 1.2
        middle = (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2
        move = np.array([[scale, 0, (NEAR[1] - 1) / 2 - scale * middle[0]],
                         [0, scale, (NEAR[0] - 1) / 2 - scale * middle[1]]])  # fmt: skip
        if scale < 1:  # warping samples points: finer detail must be gone before
            whole = cv2.GaussianBlur(whole, (0, 0), 0.4 / scale)
        near = cv2.warpAffine(whole, move, NEAR[::-1])
    as_tensors = (torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1))) for x in (near, far))
    return *as_tensors, torch.from_numpy(box)


def season_input(picture: np.ndarray, classes: np.ndarray) -> Tensor:
    """``(4, 384, 256)``: the picture with every garment blanked, and the mask of what is left."""
    left = (classes < 3).astype(np.float32)[..., None]
    whole = np.concatenate([(picture / 127.5 - 1) * left, left], 2).astype(np.float32)
    return torch.from_numpy(whole).permute(2, 0, 1)


def main() -> None:
    # by its own name, since this file may be running under the name of ``__main__``
    from bench import judges
    from bench.judge_training import Options, score, train

    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    training, scoring = commands.add_parser("train"), commands.add_parser("score")
    for command in (training, scoring):
        command.add_argument("--folder", type=Path, default=FOLDER, help="where the weights are")
    training.add_argument("--minutes", type=float, default=40.0, help="for all of them together")
    training.add_argument("--drawings", type=int, default=3000, help="at hand, of all workers")
    training.add_argument("--only", nargs="*", choices=tuple(NETWORKS), default=tuple(NETWORKS))
    training.add_argument("--fresh", action="store_true", help="do not start from kept weights")
    training.add_argument("--rate", type=float, default=3e-3, help="1e-3 to go on gently")
    training.add_argument("--device", default=device)
    training.add_argument("--workers", type=int, default=1, help="draw and spoil, at least one")
    training.add_argument("--unscored", action="store_true", help="leave the scoring for later")
    given = vars(parser.parse_args())
    judges.FOLDER = given.pop("folder")
    scored = not given.pop("unscored", False)
    if given.pop("command") == "train":
        train(Options(**given))
    if scored:
        score()


if __name__ == "__main__":
    main()
