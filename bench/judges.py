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
import os
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


# --- the networks --------------------------------------------------------------------------------


class PatternJudge(nn.Module):
    """A garment's window ``(B, 4, 160, 112)`` (colour less its mean, and mask) → pattern logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*_detail(), nn.Conv2d(48, 48, 3, 2, 1), Block(48))
        self.head = nn.Linear(96, len(PATTERN_CLASSES))

    def features(self, x: Tensor) -> Tensor:
        """What the classes are told from, ``(B, 96)``: mean and strongest answer over the mask."""
        return torch.cat(_under(F.silu(self.body(x)), x[:, 3:]), 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


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
def segment(picture: np.ndarray) -> np.ndarray:
    """Class of each pixel, uint8 ``(384, 256)``, numbers into ``CLASSES``."""
    x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1
    return judge("segmenter")(x)[0].argmax(0).to(torch.uint8).numpy()


@torch.no_grad()
def pattern(picture: np.ndarray, mask: np.ndarray) -> tuple[str, np.ndarray]:
    """The pattern class of the garment under ``mask``, and the features ``(96,)`` it is told by."""
    features = judge("pattern").features(pattern_input(picture, mask)[None])  # type: ignore[operator]
    best = int(judge("pattern").head(features).argmax())  # type: ignore[operator]
    return PATTERN_CLASSES[best], features[0].numpy()


@torch.no_grad()
def pattern_shares(features: np.ndarray) -> np.ndarray:
    """How likely each of ``PATTERN_CLASSES`` is by a garment's features ``(96,)``; sums to 1."""
    likely = judge("pattern").head(torch.from_numpy(features))  # type: ignore[operator]
    return likely.softmax(-1).numpy()


@torch.no_grad()
def category(picture: np.ndarray, mask: np.ndarray) -> str:
    """The kind of the garment under ``mask``."""
    near, far, box = category_input(picture, mask)
    return tuple(CATEGORIES)[int(judge("category")(near[None], far[None], box[None]).argmax())]


@torch.no_grad()
def season(picture: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """How likely each season is, by everything that is not a garment."""
    shares = judge("season")(season_input(picture, classes)[None])[0].softmax(0)
    return dict(zip(SEASONS, shares.tolist(), strict=True))


def pattern_input(picture: np.ndarray, mask: np.ndarray) -> Tensor:
    """``(4, 160, 112)``: a window around the garment's middle, all else blank."""
    rows, columns = np.nonzero(mask)
    height, width = WINDOW
    out = np.zeros((height, width, 4), np.float32)
    if not len(rows):
        return torch.from_numpy(out).permute(2, 0, 1)
    top = _window(rows, height, picture.shape[0])
    left = _window(columns, width, picture.shape[1])
    alone = mask[top : top + height, left : left + width].astype(np.float32)
    part = picture[top : top + height, left : left + width].astype(np.float32)
    mean = part[alone > 0].mean(0) if alone.any() else 128.0
    view = out[: part.shape[0], : part.shape[1]]
    view[..., :3] = (part - mean) / 48.0 * alone[..., None]
    view[..., 3] = alone
    return torch.from_numpy(out).permute(2, 0, 1)


def _window(places: np.ndarray, length: int, total: int) -> int:
    """Where a window begins that holds the middle of ``places``."""
    middle = (int(places.min()) + int(places.max()) + 1) // 2
    return max(0, min(middle - length // 2, total - length))


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
