"""SAM in training: a batch's masks are all answered together, corrected, and answered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from catalog import base as bases
from catalog.croquis.sam import SIZE

if TYPE_CHECKING:
    from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam

ROUNDS = 2
"""Answers to each prompt: the first, and one after a correcting click."""
SIDE = SIZE["image"] // 2
"""Rows and columns of a mask as SAM gives it."""
NOBODY, TAKE, ADD, CORNERS = -1, 0, 1, (2, 3)
"""Kinds of points as SAM numbers them: padding, clicks that take away or add, a box's corners."""


def answers(
    model: Sam, batch: dict[str, Tensor], rng: np.random.Generator, device: str
) -> tuple[Tensor, list[Tensor]]:
    """Loss of all rounds for a batch, and the mean overlap after each round."""
    # 1. the pictures, and the truth as large as an answer
    pictures = model.preprocess(batch["pictures"].permute(0, 3, 1, 2).float())
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    with bases.mixed_precision(device):
        embeddings = model.image_encoder(pictures)
    source = embeddings.float().index_select(0, batch["of"])
    place = model.prompt_encoder.get_dense_pe()
    regions, wanted = batch["regions"].index_select(0, batch["of"]), batch["wanted"]
    inside = (regions >= wanted[:, :1, None]) & (regions <= wanted[:, 1:, None])
    small = F.avg_pool2d(inside[:, None].float(), 2)
    small = F.pad(small, (0, SIDE - small.shape[3], 0, SIDE - small.shape[2]))
    truth = small[:, 0] >= 0.5
    # 2. answer, look, click
    points, kinds, masks = batch["points"], batch["kinds"], None
    index = torch.arange(len(points), device=points.device)
    loss, overlaps = torch.zeros((), device=points.device), []
    for turn in range(ROUNDS):
        prompts = prompt_tokens(model.prompt_encoder, points, kinds)
        with bases.mixed_precision(device):
            _, dense = model.prompt_encoder(points=None, boxes=None, masks=masks)
            low, quality = decoded(model.mask_decoder, source + dense, place, prompts, turn == 0)
        low, quality = low.float(), quality.float()
        each, overlap = _mask_loss(low, small), _overlap(low, small)
        chosen = each.argmin(1)
        loss = loss + each[index, chosen].mean() + F.mse_loss(quality, overlap)
        overlaps.append(overlap[index, quality.argmax(1)].mean())
        if turn + 1 < ROUNDS:
            masks = low[index, chosen].detach()[:, None]
            where, kind = corrections(masks[:, 0] > 0, truth, rng)
            points, kinds = torch.cat([points, where], 1), torch.cat([kinds, kind], 1)
    return loss / ROUNDS, overlaps


def prompt_tokens(encoder: PromptEncoder, points: Tensor, kinds: Tensor) -> Tensor:
    """Points ``(N, k, 2)`` of any kinds ``(N, k)`` as SAM tells its decoder, ``(N, k, C)``.

    A box's corners and a click with its padding are both two points, so both fit in one batch.
    """
    said = [encoder.not_a_point_embed.weight, *(e.weight for e in encoder.point_embeddings)]
    place = encoder.pe_layer.forward_with_coords(points + 0.5, encoder.input_image_size)
    return place * (kinds != NOBODY)[..., None] + F.embedding(kinds + 1, torch.cat(said))


def decoded(
    decoder: MaskDecoder, source: Tensor, place: Tensor, prompts: Tensor, several: bool
) -> tuple[Tensor, Tensor]:
    """SAM's decoder for masks of many pictures; its own ``forward`` reads one picture at a time.

    Args:
        source: ``(N, C, h, w)``, for each mask its picture's embedding with the mask so far.
        place: ``(1, C, h, w)``.
        prompts: ``(N, k, C)``.
        several: three candidates, else the one answer.

    Returns:
        logits ``(N, candidates, 4h, 4w)`` and qualities ``(N, candidates)``.
    """
    candidates = range(1, decoder.num_mask_tokens) if several else range(1)
    asked = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([asked.expand(len(prompts), -1, -1), prompts], 1)
    told, cells = decoder.transformer(source, place.expand_as(source), tokens)
    fine = decoder.output_upscaling(cells.transpose(1, 2).reshape(source.shape))
    nets = decoder.output_hypernetworks_mlps
    weights = torch.stack([nets[i](told[:, 1 + i]) for i in candidates], 1)
    logits = torch.einsum("nmc,nchw->nmhw", weights, fine)
    return logits, decoder.iou_prediction_head(told[:, 0])[:, candidates.start : candidates.stop]


def corrections(found: Tensor, truth: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A click on a mistake of each mask; both bool ``(N, 192, 192)``.

    Returns:
        points ``(N, 1, 2)`` in the picture's pixels and kinds ``(N, 1)``: ``ADD`` where something
        is missing, ``TAKE`` where there is too much. What has no mistake is clicked on again.
    """
    missing, extra = truth & ~found, found & ~truth
    lacking = missing.sum((1, 2)) >= extra.sum((1, 2))
    worse = torch.where(lacking[:, None, None], missing, extra)
    worse = torch.where(worse.any(2).any(1)[:, None, None], worse, truth)
    # all at once: each copy waits for the GPU
    clicks = np.array([click(mask, rng) for mask in worse.cpu().numpy()], np.float32)
    points = torch.from_numpy(2 * clicks + 0.5).to(found.device)
    return points[:, None], torch.where(lacking, ADD, TAKE)[:, None]


def _mask_loss(low: Tensor, small: Tensor) -> Tensor:
    """Focal (times 20) and dice loss of each candidate, ``(n, candidates)``."""
    target = small.expand_as(low)
    entropy = F.binary_cross_entropy_with_logits(low, target, reduction="none")
    p = low.sigmoid()
    focal = (entropy * (p - target).square()).mean((2, 3))
    dice = 1 - (2 * (p * target).sum((2, 3)) + 1) / ((p + target).sum((2, 3)) + 1)
    return 20 * focal + dice


@torch.no_grad()
def _overlap(low: Tensor, small: Tensor) -> Tensor:
    """Intersection over union of each candidate with the truth."""
    a, b = low > 0, small > 0.5
    return (a & b).sum((2, 3)) / (a | b).sum((2, 3)).clamp_min(1)


# --- where a person would click ------------------------------------------------------------------


def most_interior(mask: np.ndarray) -> tuple[int, int]:
    """x, y of the point of ``mask`` that is farthest from its border."""
    inside = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(x), int(y)


def click(mask: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
    if rng.random() < 0.5:
        return most_interior(mask)
    inside = np.flatnonzero(mask)
    y, x = divmod(int(inside[rng.integers(len(inside))]), mask.shape[1])
    return x, y
