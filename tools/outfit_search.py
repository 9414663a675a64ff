"""The search behind ``outfit.choose``: a beam over the slots.

Everything is arrays: ``C`` candidates (a few dozen a slot), ``B`` partial outfits. A partial outfit
is scored as if the pieces still to come would fit its warmth as well as they can, so a thin base
that a coat can save is not thrown away early.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catalog.garment import SLOTS, Slot
from tools.closet import Closet
from tools.harmony import harmony
from tools.reading import Context
from tools.shortlist import (
    CLOTHES,
    ROW,
    WEIGHT,
    Found,
    allowed_rows,
    pools_of,
    slot_gain,
    values,
)
from tools.warmth import least_clo, most_clo
from tools.wish import Piece

BEAM = 256
BEAM_CHEAPEST = 4096
"""Wide enough for every outfit of a few dozen garments a slot that may still be the cheapest."""
_COLLAR = Piece(categories=("shirt", "blouse", "polo shirt"))
_ORDER: tuple[Slot, ...] = ("outerwear", "footwear", "neckwear", "headwear", "eyewear", "bag")


def search(context: Context, closet: Closet) -> Found:
    """The best outfits for ``context``; ``rows`` is empty when none keeps the budget."""
    found = Found()
    if not len(closet):
        found.unmet.append("the catalog is empty")
        return found
    value = values(context, closet)
    allowed = allowed_rows(context, closet, found)
    pools = pools_of(context, closet, value, allowed, found)
    _beam(context, closet, value, pools, found)
    return found


def _beam(
    context: Context,
    closet: Closet,
    value: np.ndarray,
    pools: dict[Slot, tuple[np.ndarray, bool]],
    found: Found,
) -> None:
    """Extend partial outfits slot by slot, keeping the ``BEAM`` best."""
    rows = np.concatenate([pool for pool, _ in pools.values()] or [np.zeros(0, dtype=int)])
    rows = rows.astype(int)
    if not len(rows):
        return
    start, pool_at = 0, {}
    for slot, (pool, _) in pools.items():
        pool_at[slot] = np.arange(start, start + len(pool))
        start += len(pool)
    lab, formality = closet.lab[rows], closet.formality[rows]
    weight = np.array([WEIGHT[SLOTS[i]] for i in closet.slot[rows]])
    weight = np.minimum(weight, 1.0)
    agree = np.clip(1 - np.abs(formality[:, None] - formality[None]) / 0.45, -0.6, 1)
    pair = 1.3 * harmony(lab[:, None], lab[None]) + 1.1 * agree
    pair_w = weight[:, None] * weight[None]
    pair = pair * pair_w
    ties = closet.matches(Piece(categories=("tie",)))[rows]
    if ties.any():  # a tie wants a shirt
        bare = (closet.slot[rows] == ROW["top"]) & ~closet.matches(_COLLAR)[rows]
        bare |= closet.slot[rows] == ROW["onepiece"]
        pair = pair - 2.0 * (ties[:, None] & bare[None] | bare[:, None] & ties[None])
    worth, clo, price = value[rows], closet.clo[rows], closet.price[rows]
    loud = closet.loud[rows] * np.where(weight < 0.5, 0.6, 1.0)
    limits = [b + 0.005 for b in (context.wish.budget, context.wish.ceiling) if b is not None]
    budget = min(limits, default=np.inf)
    beam = BEAM_CHEAPEST if context.wish.cheapest else BEAM
    finished: list[tuple[np.ndarray, np.ndarray]] = []
    for base in (("top", "bottom"), ("onepiece",)):
        if any(s not in pools or not len(pools[s][0]) for s in base):
            continue
        if any(pools[s][1] for s in {"top", "bottom", "onepiece"} - set(base) if s in pools):
            continue
        chosen = np.full((1, len(SLOTS)), -1)
        sums = np.zeros((1, 5))  # worth, pair, pair weight, clo, price
        loudness = np.zeros((1, 2))
        near, near_w = np.zeros((1, len(rows))), np.zeros((1, len(rows)))
        slots = [*base, *(s for s in _ORDER if s in pools)]
        for step, slot in enumerate(slots):
            here = pool_at[slot]
            if not len(here):
                continue
            must = pools[slot][1] or slot in base
            gain = 0.0 if must else slot_gain(slot, context)[1]
            options = np.concatenate([here, [-1]]) if not must else here
            b, k = len(chosen), len(options)
            state, option = np.repeat(np.arange(b), k), np.tile(options, b)
            real = option >= 0
            o = np.maximum(option, 0)
            grown = sums[state].copy()
            w = WEIGHT[slot]
            grown[:, 0] += real * (w * (worth[o] - (0 if must else 1.9)) + gain)
            grown[:, 1] += real * near[state, o]
            grown[:, 2] += real * near_w[state, o]
            grown[:, 3] += real * clo[o]
            grown[:, 4] += real * price[o]
            loudest = loudness[state].copy()
            loudest[:, 0] += real * loud[o]
            loudest[:, 1] += real * (loud[o] >= 0.7)
            later = slots[step + 1 :]
            more = sum(float(clo[pool_at[s]].max()) for s in later if len(pool_at[s]))
            least = sum(
                float(clo[pool_at[s]].min()) for s in later if pools[s][1] and len(pool_at[s])
            )
            cheapest = sum(
                float(price[pool_at[s]].min()) for s in later if pools[s][1] and len(pool_at[s])
            )
            score = _score(grown, loudest, context, more, least)
            alive = grown[:, 4] + cheapest <= budget
            order = np.flatnonzero(alive)
            order = order[np.argsort(-score[order], kind="stable")][:beam]
            if not len(order):
                chosen = np.zeros((0, len(SLOTS)), dtype=int)
                break
            s, o_new, is_real = state[order], o[order], real[order]
            chosen = chosen[s].copy()
            chosen[:, ROW[slot]] = np.where(is_real, option[order], -1)
            sums, loudness = grown[order], loudest[order]
            near = near[s] + is_real[:, None] * pair[o_new]
            near_w = near_w[s] + is_real[:, None] * pair_w[o_new]
        if len(chosen):
            score = _score(sums, loudness, context, 0.0, 0.0)
            finished.append((score, np.where(chosen >= 0, rows[np.maximum(chosen, 0)], -1)))
    if not finished:
        _what_is_missing(pools, context, value, found)
        return
    score = np.concatenate([f[0] for f in finished])
    outfits = np.concatenate([f[1] for f in finished])
    order = np.argsort(-score, kind="stable")
    found.score = float(score[order[0]])
    found.rows = tuple(int(r) for r in outfits[order[0]] if r >= 0)
    found.others = _diverse(outfits[order], 3)


def _score(
    sums: np.ndarray, loudness: np.ndarray, context: Context, more: float, least: float
) -> np.ndarray:
    """Score of partial outfits, ``(B,)``: worth, agreement, warmth still reachable, patterns."""
    low, high = context.clo
    warmest = 0.161 + 0.835 * (sums[:, 3] + more)
    coolest = 0.161 + 0.835 * (sums[:, 3] + least)
    cold = np.maximum(low - warmest, 0)
    hot = np.maximum(coolest - high, 0)
    cold = cold + 60.0 * np.maximum(least_clo(context.temperature_c) + 0.01 - warmest, 0)
    pair = sums[:, 1] / np.maximum(sums[:, 2], 1e-9)
    bold = 0.6 * np.maximum(loudness[:, 0] - 1.2, 0) + 2.0 * (loudness[:, 1] > 2)
    asked = context.wish.warmer  # a warmth asked for outweighs staying with what is worn
    frost = 0.6 * max(0.0, -context.temperature_c)  # frost matters more than a better match
    colder, hotter = 3.0 + frost + 9.0 * (asked > 0), 1.8 + 9.0 * (asked < 0)
    score = sums[:, 0] + 2.2 * pair - colder * cold - hotter * hot - bold
    if context.wish.cheapest:
        t = context.temperature_c
        unfit = (warmest < least_clo(t)) & (context.wish.layers >= 0)
        unfit |= (t >= 20) & (coolest > most_clo(t) + max(asked, 0))
        score = score - 1e3 * sums[:, 4] - 1e9 * unfit
    return score


def _diverse(outfits: np.ndarray, count: int) -> list[tuple[int, ...]]:
    """Good outfits after the first that differ from each other in two pieces of clothing."""
    kept, result = [outfits[0]], []
    columns = [ROW[s] for s in CLOTHES]
    for outfit in outfits[1:]:
        if all((outfit[columns] != other[columns]).sum() >= 2 for other in kept):
            kept.append(outfit)
            result.append(tuple(int(r) for r in outfit if r >= 0))
            if len(result) == count:
                break
    return result


def _what_is_missing(
    pools: dict[Slot, tuple[np.ndarray, bool]],
    context: Context,
    value: np.ndarray,
    found: Found,
) -> None:
    """No complete outfit: take what there is if a slot is empty, nothing if the budget is it."""
    empty: Sequence[Slot] = [s for s in ("top", "bottom") if s not in pools or not len(pools[s][0])]
    onepiece = "onepiece" in pools and len(pools["onepiece"][0])
    if not empty or onepiece:
        return
    found.unmet.append(f"nothing suitable in the catalog for: {', '.join(empty)}")
    found.rows = tuple(
        int(pool[0])
        for slot, (pool, must) in pools.items()
        if len(pool) and (must or slot in ("top", "bottom"))
    )
