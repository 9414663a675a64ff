"""SAM in training: a batch's masks are all answered together, corrected, and answered again."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from segment_anything.modeling import PromptEncoder, Sam
from torch import Tensor

from catalog import base as bases

ROUNDS = 2
"""Answers to each prompt: the first, and one after a correcting click."""
NOBODY, TAKE, ADD, CORNERS = -1, 0, 1, (2, 3)
"""Kinds of points as SAM numbers them: padding, clicks that take away or add, a box's corners."""


def answers(
    model: Sam, batch: dict[str, Tensor], rng: np.random.Generator, device: str
) -> tuple[Tensor, list[Tensor]]:
    """Loss of all rounds for a batch, and the mean overlap after each round."""
    # 1. the pictures, and what is to be found in them
    pictures = model.preprocess(batch["pictures"].permute(0, 3, 1, 2).float())
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    with bases.mixed_precision(device):
        embeddings = model.image_encoder(pictures)
    embeddings = embeddings.float().index_select(0, batch["of"])
    place = model.prompt_encoder.get_dense_pe()
    regions, wanted = batch["regions"].index_select(0, batch["of"]), batch["wanted"]
    truth = (regions >= wanted[:, :1, None]) & (regions <= wanted[:, 1:, None])
    rows, columns = truth.shape[1:]
    target = truth[:, None].float()
    # 2. answer, look, click
    points, kinds, masks = batch["points"], batch["kinds"], None
    index = torch.arange(len(points), device=points.device)
    loss, overlaps = torch.zeros((), device=points.device), []
    for turn in range(ROUNDS):
        prompts = prompt_tokens(model.prompt_encoder, points, kinds)
        with bases.mixed_precision(device):
            _, dense = model.prompt_encoder(points=None, boxes=None, masks=masks)
            logits, quality = model.mask_decoder(
                image_embeddings=embeddings,
                image_pe=place,
                sparse_prompt_embeddings=prompts,
                dense_prompt_embeddings=dense,
                multimask_output=turn == 0,
            )
        logits, quality = logits.float(), quality.float()
        seen = logits[..., :rows, :columns]  # the rest is what pictures are padded with
        overlap = _overlap(seen, target)
        # the best of the candidates learns; every fourth pixel tells which it is
        chosen = _mask_loss(seen.detach()[..., ::2, ::2], target[..., ::2, ::2]).argmin(1)
        best = seen[index, chosen][:, None]
        loss = loss + _mask_loss(best, target).mean() + F.mse_loss(quality, overlap)
        overlaps.append(overlap[index, quality.argmax(1)].mean())
        if turn + 1 < ROUNDS:
            masks = logits[index, chosen].detach()[:, None]
            where, kind = corrections(masks[:, 0, :rows, :columns] > 0, truth, rng)
            points, kinds = torch.cat([points, where], 1), torch.cat([kinds, kind], 1)
    return loss / ROUNDS, overlaps


def prompt_tokens(encoder: PromptEncoder, points: Tensor, kinds: Tensor) -> Tensor:
    """Points ``(N, k, 2)`` of any kinds ``(N, k)`` as SAM tells its decoder, ``(N, k, C)``.

    A box's corners and a click with its padding are both two points, so both fit in one batch.
    """
    said = [encoder.not_a_point_embed.weight, *(e.weight for e in encoder.point_embeddings)]
    place = encoder.pe_layer.forward_with_coords(points + 0.5, encoder.input_image_size)
    return place * (kinds != NOBODY)[..., None] + F.embedding(kinds + 1, torch.cat(said))


def corrections(found: Tensor, truth: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A click on a mistake of each mask; both bool ``(N, H, W)``.

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
    points = torch.from_numpy(clicks).to(found.device)
    return points[:, None], torch.where(lacking, ADD, TAKE)[:, None]


def _mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Focal (times 20) and dice loss of each candidate, ``(n, candidates)``."""
    target = truth.expand_as(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p = logits.sigmoid()
    focal = (entropy * (p - target).square()).mean((2, 3))
    dice = 1 - (2 * (p * target).sum((2, 3)) + 1) / ((p + target).sum((2, 3)) + 1)
    return 20 * focal + dice


@torch.no_grad()
def _overlap(logits: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union of each candidate with the truth."""
    a, b = logits > 0, truth > 0.5
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
