"""The shortlist: which garments may be worn for a wish, what each is worth, and for which slot.

Arrays over the ``n`` garments of a closet, in its order.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from catalog.garment import SEASONS, SLOTS, Slot
from tools.closet import Closet
from tools.reading import Context
from tools.warmth import veto
from tools.wish import Piece, comes_in

PER_SLOT = 22
ROW = {name: i for i, name in enumerate(SLOTS)}
"""Slot → its number in ``Closet.slot``."""
CLOTHES: tuple[Slot, ...] = ("top", "bottom", "onepiece", "outerwear", "footwear")
WEIGHT = {
    "top": 1.0, "bottom": 1.0, "onepiece": 2.0, "outerwear": 0.8, "footwear": 0.9, "neckwear": 0.3,
    "headwear": 0.3, "eyewear": 0.25, "bag": 0.3,
}  # fmt: skip
"""How much a slot counts in an outfit; a one-piece stands for two."""


@dataclass(frozen=True)
class Need:
    """One wanted piece and the slot it got."""

    piece: Piece
    slot: Slot
    relaxed: bool = False


@dataclass
class Found:
    """Rows of the best outfit, rows of diverse others, and what could not be met."""

    rows: tuple[int, ...] = ()
    others: list[tuple[int, ...]] = field(default_factory=list)
    score: float = 0.0
    unmet: list[str] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)


def values(context: Context, closet: Closet) -> np.ndarray:
    """What each garment is worth by itself, ``(n,)``; about 0–3, more for what was asked."""
    wish = context.wish
    weights = np.array([context.season.get(s, 0.0) for s in SEASONS])
    value = (closet.seasons * weights).sum(1) / weights.max()
    value = np.minimum(value, 1.0)
    value += 0.9 * closet.occasion_match(context.occasion.same, context.occasion.words)
    said = 1.3 if wish.formality is None else 2.2
    value += said * np.clip(1 - np.abs(closet.formality - context.formality) / 0.4, -0.6, 1)
    if "snow" in wish.weather or context.temperature_c < 0:
        value += 0.7 * closet.matches(Piece(categories=("boots", "rain boots")))
    if wish.who == "anyone":
        value -= 0.25 * ~(closet.women & closet.men)
    for piece in wish.like:
        value += 0.6 * closet.matches(piece)
    for piece in wish.less:
        value -= 0.9 * closet.matches(piece)
    for piece in wish.want:
        mask = closet.matches(piece)
        value += 1.5 * mask
        if piece.colors and not piece.everywhere:
            best = closet.matches(Piece(colors=piece.colors[:1]))
            value += 0.4 * (mask & best)
    for rank, garment_id in enumerate(wish.prefer):
        if garment_id in closet.row:
            value[closet.row[garment_id]] += 0.7 * 0.92**rank
    if context.formality < 0.72 and not any("tie" in p.categories for p in wish.want):
        value -= 2.0 * closet.matches(Piece(categories=("tie",)))
    if not {"rain", "snow"} & set(wish.weather):
        value -= 0.9 * closet.matches(Piece(categories=("rain boots", "raincoat")))
    if "rain" in wish.weather:
        value += 0.8 * closet.waterproof + 0.3 * closet.occasion_match(("rain",), ())
    if wish.colourful:
        value += 0.5 * wish.colourful * np.clip(closet.chroma / 50 + 0.3 * closet.loud - 0.4, -1, 1)
    if wish.thrifty:
        typical = max(float(np.median(closet.price)), 1.0)
        value -= 0.35 * wish.thrifty * np.minimum(closet.price / typical, 4)
    salt = np.uint64(zlib.crc32(wish.text.encode("utf-8", "replace")) | 1)
    noise = (closet.hash * salt) >> np.uint64(7) & np.uint64(0xFFFF)
    return value + 0.05 * noise / 65535.0


def allowed_rows(context: Context, closet: Closet, found: Found) -> np.ndarray:
    """Which garments may be worn at all, ``(n,)`` bool."""
    wish = context.wish
    ok = closet.available.copy()
    if wish.who != "anyone":
        ok &= closet.women if wish.who == "women" else closet.men
    if wish.size:
        ok &= closet.comes_in(wish.size)
    for piece in wish.avoid:
        if not is_empty(piece):
            ok &= ~closet.matches(piece)
    met = context.occasion.met
    ok &= ~closet.per_kind(lambda c, m: bool(veto(c, m, context.temperature_c, wish.weather, met)))
    for garment_id in wish.keep:
        row = closet.row.get(garment_id)
        if row is None or not ok[row]:
            name = closet.garments[row].name if row is not None else garment_id
            found.unmet.append(f"{name} could not be kept: {_reason(context, closet, row)}")
    if wish.exclude:
        out = ok.copy()
        for garment_id in wish.exclude:
            if garment_id in closet.row:
                out[closet.row[garment_id]] = False
        for slot in ("footwear", "top", "bottom", "onepiece", "outerwear"):
            here = closet.slot == ROW[slot]
            if (ok & here).any() and not (out & here).any() and slot == "footwear":
                out |= ok & here
                found.unmet.append("there is no other footwear for this")
        legs = any((out & (closet.slot == ROW[s])).any() for s in ("bottom", "onepiece"))
        torso = any((out & (closet.slot == ROW[s])).any() for s in ("top", "onepiece"))
        if legs and torso:
            ok = out
        elif ok.any():
            found.unmet.append("there is nothing else that fits, so some pieces come back")
    return ok


def is_empty(piece: Piece) -> bool:
    """Whether ``piece`` describes nothing at all and so would match every garment."""
    told = piece.model_dump(exclude={"said", "everywhere", "choice"})
    return not any(v for v in told.values())


def _reason(context: Context, closet: Closet, row: int | None) -> str:
    wish = context.wish
    if row is None:
        return "it is not in the catalog"
    g = closet.garments[row]
    if not g.available:
        return "it is not available"
    if wish.who != "anyone" and wish.who not in g.wearers:
        return f"it is not made for {wish.who}"
    if not comes_in(g.sizes, wish.size):
        return f"it does not come in size {wish.size}"
    if any(p.matches(g) for p in wish.avoid):
        return "you asked to avoid it"
    return (
        veto(g.category, g.material, context.temperature_c, wish.weather, context.occasion.met)
        or "it does not fit the rest"
    )


_WARMING: tuple[Slot, ...] = ("outerwear", "headwear", "neckwear")
_RELAX = ("fits", "sleeves", "lengths", "materials", "patterns", "colors", "categories")


def pools_of(
    context: Context, closet: Closet, value: np.ndarray, allowed: np.ndarray, found: Found
) -> dict[Slot, tuple[np.ndarray, bool]]:
    """For each slot the candidate rows, best first, and whether it must be filled."""
    wish = context.wish
    wished = np.array([s in context.seasons_allowed for s in SEASONS])
    in_season = (closet.seasons & wished).any(1)
    forced: dict[Slot, np.ndarray] = {}
    for garment_id in wish.keep:
        row = closet.row.get(garment_id)
        if row is not None and allowed[row]:
            slot = closet.garments[row].slot
            forced[slot] = np.array([row])
    base = {"onepiece"} & set(forced) or {"top", "bottom"} & set(forced)
    for piece in reversed(wish.want):
        _place(piece, context, closet, value, allowed, in_season, forced, base, found)
    pools: dict[Slot, tuple[np.ndarray, bool]] = {}
    for slot in SLOTS:
        if slot in forced:
            pools[slot] = (_top(forced[slot], closet, value, context), True)
            continue
        body = slot in ("top", "bottom", "onepiece")
        if base and body and (slot == "onepiece") != ("onepiece" in base):
            continue
        rows = np.flatnonzero(allowed & in_season & (closet.slot == ROW[slot]))
        if not len(rows) and slot in ("top", "bottom", "footwear"):
            rows = np.flatnonzero(allowed & (closet.slot == ROW[slot]))
        must, gain = slot_gain(slot, context)
        if slot in wish.bare and not must:
            continue
        for piece in wish.want if slot in CLOTHES and not (body or must) else ():
            if piece.everywhere:  # a coat that nobody needs, in another colour, is none
                rows = rows[closet.matches(piece)[rows]]
        if body or must or gain > 0 or (wish.cheapest and slot in _WARMING):
            pools[slot] = (_top(rows, closet, value, context), must and len(rows) > 0)
    return pools


def _place(
    piece: Piece,
    context: Context,
    closet: Closet,
    value: np.ndarray,
    allowed: np.ndarray,
    in_season: np.ndarray,
    forced: dict[Slot, np.ndarray],
    base: set[str],
    found: Found,
) -> None:
    """Reserve a slot for one wanted piece, nearest match if need be; say what is unmet."""
    if piece.everywhere:
        for slot in CLOTHES:
            rows = np.flatnonzero(closet.matches(piece) & allowed & (closet.slot == ROW[slot]))
            if slot not in forced and len(rows):
                forced_rows = rows[in_season[rows]] if in_season[rows].any() else rows
                if slot in ("outerwear", "onepiece") and not slot_gain(slot, context)[0]:
                    continue
                forced[slot] = forced_rows
                found.needs.append(Need(piece, slot))
        if {"top", "bottom"} & set(forced):
            base |= {"top", "bottom"}
        return
    if not piece.categories and piece.slot is None:  # “something navy”: what stays may be it
        for slot, rows in forced.items():
            if len(rows) == 1 and _already(piece, closet, rows):
                found.needs.append(Need(piece, slot))
                return
    relaxed = piece
    exact = ("exact",) if len(piece.colors) > 1 or len(piece.patterns) == 2 else ()
    for step in (*exact, "", *_RELAX):
        if step == "exact":
            patterns = piece.patterns[:1] if len(piece.patterns) == 2 else piece.patterns
            relaxed = piece.model_copy(update={"colors": piece.colors[:1], "patterns": patterns})
        elif step == "":
            relaxed = piece
        else:
            if not getattr(relaxed, step):
                continue
            slots = relaxed.slots
            relaxed = relaxed.model_copy(update={step: ()})
            if len(slots) == len(SLOTS) and is_empty(relaxed):
                break
            if step == "categories":
                if len(slots) != 1:
                    break
                relaxed = relaxed.model_copy(update={"slot": slots[0]})
        mask = closet.matches(relaxed) & allowed
        mask = mask & in_season if (mask & in_season).any() else mask
        rows = np.flatnonzero(mask)
        free = [s for s in piece.slots if s not in forced and not _clashes(s, base)]
        rows = rows[np.isin(closet.slot[rows], [ROW[s] for s in free])]
        if len(rows):
            # the slot of the best such garment, clothes before accessories
            weight = np.array([WEIGHT[s] for s in SLOTS])
            scored = value[rows] + 0.5 * np.minimum(weight, 1.0)[closet.slot[rows]]
            slot = SLOTS[int(closet.slot[rows[int(np.argmax(scored))]])]
            rows = rows[closet.slot[rows] == ROW[slot]]
            forced[slot] = rows
            if slot in ("top", "bottom"):
                base |= {"top", "bottom"}
            elif slot == "onepiece":
                base.add("onepiece")
            found.needs.append(Need(piece, slot, relaxed=step not in ("", "exact")))
            if step not in ("", "exact"):
                found.unmet.append(_sorry(piece, context, closet, allowed))
            return
    rows = np.flatnonzero(closet.matches(piece) & allowed)
    taken = [s for s in piece.slots if s in forced or _clashes(s, base)]
    if len(rows) and taken and not any(_already(piece, closet, forced[s]) for s in taken
                                       if s in forced):  # fmt: skip
        found.unmet.append(f"{piece.words}: its place ({taken[0]}) is already taken")
    elif not len(rows):
        found.unmet.append(_sorry(piece, context, closet, allowed))


def _already(piece: Piece, closet: Closet, rows: np.ndarray) -> bool:
    return bool(closet.matches(piece)[rows].all())


def _clashes(slot: Slot, base: set[str]) -> bool:
    if slot == "onepiece":
        return bool(base & {"top", "bottom"})
    return slot in ("top", "bottom") and "onepiece" in base


def _sorry(piece: Piece, context: Context, closet: Closet, allowed: np.ndarray) -> str:
    mask = closet.matches(piece)
    if not mask.any():
        return f"{piece.words}: there is none in the catalog"
    rows = np.flatnonzero(mask)
    if allowed[rows].any():
        return f"{piece.words}: does not fit beside the rest"
    reason = _reason(context, closet, int(rows[0]))
    return reason if reason.startswith(piece.words) else f"{piece.words}: {reason}"


def slot_gain(slot: Slot, context: Context) -> tuple[bool, float]:
    """(must be filled, worth of filling it at all) for a slot nobody asked about."""
    t, wish, occasion = context.temperature_c, context.wish, context.occasion
    if slot == "footwear":
        return True, 1.0
    if slot == "outerwear":
        if wish.layers < 0 and t >= 5:
            return False, 0.0
        if wish.cheapest:  # only what the frost asks for, if it does
            return False, 0.0
        cold = t < (8 if occasion.met >= 3 else 13) or wish.layers > 0 or "rain" in wish.weather
        dressy = 0.3 if context.formality >= 0.7 and t < 26 else 0.0
        return cold and not context.coatless, (0.4 if t < 18 else 0.0) + dressy
    gain = 0.35 if slot in occasion.extras else 0.0
    if slot == "headwear":
        gain += 0.4 if t < 5 and context.formality < 0.7 else 0.0
        gain += 0.3 if "sun" in wish.weather else 0.0
    elif slot == "neckwear":
        gain += 0.4 if t < 8 else (0.25 if context.formality >= 0.8 else 0.0)
    elif slot == "eyewear":
        gain += 0.35 if "sun" in wish.weather else 0.0
    return False, gain


def _top(rows: np.ndarray, closet: Closet, value: np.ndarray, context: Context) -> np.ndarray:
    """The ``PER_SLOT`` best rows, and some that keep warmth, price and colour open."""
    if context.wish.cheapest:
        return _bargains(rows, closet)
    if len(rows) <= PER_SLOT:
        return rows[np.argsort(-value[rows], kind="stable")]
    v = value[rows]
    keys = [(-v, PER_SLOT), (-closet.clo[rows] - 0.15 * v, 4), (closet.clo[rows] - 0.15 * v, 3)]
    if context.wish.budget or context.wish.ceiling or context.wish.thrifty > 0:
        keys.append((closet.price[rows] - 3 * v, 4))
        keys.append((closet.price[rows], 3))
    picks: list[np.ndarray] = []
    for key, count in keys:
        part = np.argpartition(key, min(count, len(key) - 1))[:count]
        picks.append(part[np.argsort(key[part], kind="stable")])
    _, first = np.unique(closet.color[rows[np.argsort(-v, kind="stable")]], return_index=True)
    best_of_color = np.argsort(-v, kind="stable")[first]
    best_of_color = best_of_color[np.argsort(-v[best_of_color], kind="stable")][:6]
    order = np.unique(np.concatenate([*picks, best_of_color]))
    return rows[order[np.argsort(-v[order], kind="stable")]]


def _bargains(rows: np.ndarray, closet: Closet) -> np.ndarray:
    """The rows that some cheapest outfit may need: none is both cheaper and warmer, or lighter."""
    kept: set[int] = set()
    for clo in (closet.clo[rows], -closet.clo[rows]):
        best = -np.inf
        for i in np.lexsort((-clo, closet.price[rows])):
            if clo[i] > best:
                best = clo[i]
                kept.add(int(rows[i]))
    return np.array(sorted(kept, key=lambda r: float(closet.price[r])), dtype=int)
