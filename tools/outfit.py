"""What goes together: ``choose`` searches the catalog for a wish, ``check`` judges any outfit.

The two share no code but the rules in ``warmth`` and ``harmony``: ``check`` looks at cards, one by
one, and is asked after any model spoke. Both are deterministic.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from catalog.garment import Garment
from tools.closet import Closet, closet_of
from tools.harmony import loudness
from tools.outfit_search import search
from tools.reading import Context, read_wish
from tools.shortlist import CLOTHES, WEIGHT, Found, Need, is_empty
from tools.warmth import ensemble_clo, least_clo, most_clo, veto
from tools.wish import OCCASIONS, Chosen, Occasion, Outfit, Piece, Violation, Wish, card, comes_in

__all__ = [
    "OCCASIONS",
    "Chosen",
    "Occasion",
    "Outfit",
    "Piece",
    "Violation",
    "Wish",
    "card",
    "check",
    "choose",
    "describe",
]

CHILLY = 0.3
"""clo below what is comfortable from which an outfit's coolness is said aloud."""
MOST_WAYS = 8
"""So many ways to take one of each group of alternatives are tried at most."""
LAYERS = ("headwear", "eyewear", "neckwear", "outerwear", "top", "onepiece", "bottom", "footwear",
          "bag")  # fmt: skip
"""The order in which an outfit is told: from head to foot."""


def choose(wish: Wish, garments: Sequence[Garment] | Closet) -> Outfit:
    """The best outfit for ``wish`` among ``garments``, with reasons, runners-up and unmet wishes.

    Never raises for a wish that cannot be met: what is missing is said in ``unmet``, and
    ``complete`` is False when torso, legs or feet stay undressed. The same wish and garments give
    the same outfit.
    """
    closet = closet_of(garments)
    ways = _ways(wish)
    outfits = [_chosen(wish.model_copy(update={"want": way}), closet) for way in ways]
    at = min(range(len(ways)), key=lambda i: _falls_short(outfits[i]))
    taken = _taken(wish, ways, outfits, at)
    return outfits[at].model_copy(update={"assumptions": (*taken, *outfits[at].assumptions)})


def _ways(wish: Wish) -> list[tuple[Piece, ...]]:
    """What to want, once for each way to take one piece of every group of alternatives."""
    numbers = sorted({p.choice for p in wish.want if p.choice})
    groups = [[p for p in wish.want if p.choice == n] for n in numbers]
    return [
        tuple(p for p in wish.want if not p.choice or p in taken)
        for taken in itertools.islice(itertools.product(*groups), MOST_WAYS)
    ]


def _falls_short(outfit: Outfit) -> tuple[bool, int, float]:
    """Sorts the better outfit first; a hair's breadth is no difference, so the first said stays."""
    return not outfit.complete, len(outfit.unmet), -round(outfit.score, 1)


def _taken(
    wish: Wish, ways: list[tuple[Piece, ...]], outfits: Sequence[Outfit], at: int
) -> list[str]:
    """Which alternatives were taken, and whether the others would have done."""
    told: list[str] = []
    for piece in ways[at]:
        worn = [c.garment for c in outfits[at].garments]
        rest = [p for p in wish.want if p.choice == piece.choice and p != piece
                and not any(p.matches(g) for g in worn)]  # fmt: skip
        as_good: list[str] = []
        for other in rest if piece.choice else []:
            way = tuple(other if p == piece else p for p in ways[at])
            instead = next((o for w, o in zip(ways, outfits, strict=True) if set(w) == set(way)),
                           None)  # fmt: skip
            lost = [u for u in instead.unmet if u not in outfits[at].unmet] if instead else []
            why = next((u for u in lost if u.startswith(f"{other.words}: ")), "")
            if why:
                reason = why.removeprefix(f"{other.words}: ")
                told.append(f"I took the {piece.words}, not the {other.words}: {reason}")
            elif lost:
                told.append(f"I took the {piece.words}, because the {other.words} fits less well")
            else:
                as_good.append(other.words)
        if as_good:
            others = " or ".join(as_good)
            told.append(f"I took the {piece.words}, and the {others} would do as well")
    return told


def _chosen(wish: Wish, closet: Closet) -> Outfit:
    """The best outfit for a wish without alternatives."""
    context = read_wish(wish)
    result, unmet, cheapest = _search(context, closet)
    rows = result.rows
    outfit = describe([closet.garments[i] for i in rows], wish, needs=result.needs)
    for violation in check([c.garment for c in outfit.garments], wish):
        if violation.kind in ("warmth", "incomplete") and violation.message not in unmet:
            unmet.append(violation.message)
    unmet += [u for u in _given_up(outfit, context) if u not in unmet]
    others = tuple(
        tuple(g.id for g in _told([closet.garments[i] for i in other])) for other in result.others
    )
    return outfit.model_copy(
        update={
            "unmet": tuple(unmet),
            "score": round(result.score, 4),
            "runners_up": others,
            "cheapest": cheapest and outfit.complete,
        }
    )


def _given_up(outfit: Outfit, context: Context) -> list[str]:
    """Leanings that the weather overruled: “no layers” in frost, bare arms, a length."""
    wish, worn = context.wish, [c.garment for c in outfit.garments]
    lost = [f"{word}: there is none in the catalog" for word in wish.absent]
    if wish.layers < 0 and any(g.slot == "outerwear" for g in worn):
        lost.append(f"no layers: too cold for that at {context.temperature_c:g} °C")
    low, worn_clo = context.clo[0], outfit.clo_total
    if worn and context.temperature_c < 10 and worn_clo < low - CHILLY:
        lost.append(
            f"on the cool side for {context.temperature_c:g} °C: {worn_clo:.2f} clo, {low:.2f} "
            "would be comfortable"
        )
    for piece in wish.like:
        slots = ("top", "onepiece") if piece.sleeves else ("bottom", "onepiece", "outerwear")
        about = [g for g in worn if g.slot in slots]
        shape = piece.sleeves or piece.lengths
        if shape and about and not any(piece.matches(g) for g in about):
            t = context.temperature_c
            cold = piece.sleeves and not {"long", "elbow"} & set(piece.sleeves) and t < 10
            why = f"too cold for that at {t:g} °C" if cold else "nothing of the kind fits this"
            lost.append(f"{piece.words}: {why}")
    return lost


def _search(context: Context, closet: Closet) -> tuple[Found, list[str], bool]:
    """Search; when nothing wearable comes of it, give up exclusions first, then the budget.

    Last, whether the outfit is the cheapest there is, as was wished.
    """
    wish = context.wish
    stays = _stays(wish, closet)
    # what was to be exchanged once and came back, for want of another, is not sent away again
    out = tuple(i for i in wish.exclude if i not in stays)
    tries: list[tuple[Context, str]] = [(context.easier(keep=stays, exclude=out), "")]
    if wish.stay and wish.budget is not None:
        loose = context.easier(prefer=(*wish.stay, *wish.prefer)[:32], bare=())
        tries.append((loose, f"to stay within {wish.budget:g}, more had to change"))
    if wish.ceiling is not None:
        # a little cheaper is better than not at all
        tries += [(context.easier(ceiling=wish.ceiling * more), "") for more in (1.08, 1.16)]
        tries.append((context.easier(ceiling=None, thrifty=6.0), "nothing cheaper fits"))
    if wish.exclude:
        again = "there is nothing else that fits, so some pieces come back"
        tries.append((context.easier(exclude=(), ceiling=None), again))
    if wish.budget is not None:
        bare = replace(context.easier(exclude=(), ceiling=None), coatless=True)
        tries.append((bare, f"a coat as well does not fit into {wish.budget:g}"))
        free = context.easier(budget=None, ceiling=None, exclude=(), cheapest=True)
        tries.append((free, f"nothing complete costs at most {wish.budget:g}"))
    best: tuple[Found, list[str]] | None = None
    cheapest = False
    for attempt, word in tries:
        found = search(attempt, closet)
        unmet = [*found.unmet, word] if word else list(found.unmet)
        picked = [closet.garments[i] for i in found.rows]
        wrong = [
            v
            for v in check(picked, attempt.wish)
            if v.hard and v.kind not in ("budget", "excluded")
        ]
        if picked and (best is None or not wrong):
            best = found, unmet
        if picked and not wrong:
            cheapest = wish.cheapest and attempt is tries[0][0] and not (stays or found.unmet)
            break
    found, unmet = best or (found, list(found.unmet))
    total = sum(closet.garments[i].price for i in found.rows)
    if wish.budget is not None and total > wish.budget:
        unmet[-1] += f": the cheapest I found is {total:.2f}"
    return found, unmet, cheapest


def _stays(wish: Wish, closet: Closet) -> tuple[str, ...]:
    """The garments to begin with: those to keep, and of those worn what the wish leaves alone."""
    everywhere = [p for p in wish.want if p.everywhere]

    def left_alone(garment_id: str) -> bool:
        row = closet.row.get(garment_id)
        if row is None:
            return True
        g = closet.garments[row]
        if wish.who != "anyone" and wish.who not in g.wearers:
            return False
        unlike = g.slot in CLOTHES and not all(p.matches(g) for p in everywhere)
        return not unlike and not any(p.matches(g) for p in wish.avoid)

    stay = [i for i in wish.stay if left_alone(i)]
    return tuple(dict.fromkeys((*wish.keep, *stay)))[:9]


def describe(garments: Sequence[Garment], wish: Wish, *, needs: Sequence[Need] = ()) -> Outfit:
    """``garments`` as an outfit for ``wish``: reasons, totals and assumptions, nothing searched."""
    context, picked = read_wish(wish), _told(garments)
    if not needs:
        needs = [Need(p, g.slot) for p in wish.want for g in _asked(p, picked, wish)]
    low, high = context.clo
    return Outfit(
        garments=tuple(
            Chosen(garment=g, why=_why(g, picked, wish, context, needs)) for g in picked
        ),
        season=context.season,
        temperature_c=context.temperature_c,
        occasion=context.occasion.name,
        formality=context.formality,
        assumptions=context.assumptions,
        unmet=tuple(v.message for v in check(picked, wish) if v.kind in ("missing", "warmth")),
        clo_total=ensemble_clo(g.clo for g in picked),
        clo_needed=(round(low, 2), round(high, 2)),
        price_total=round(sum(g.price for g in picked), 2),
        currency=picked[0].currency if picked else "EUR",
        complete=not any(v.kind == "incomplete" for v in check(picked, wish)),
    )


def _asked(piece: Piece, worn: Sequence[Garment], wish: Wish) -> list[Garment]:
    """The garments that are there because of ``piece``: one, and that not one that only stayed."""
    found = [g for g in worn if piece.matches(g)]
    if piece.everywhere:
        return found
    stayed = {*wish.keep, *wish.stay, *wish.prefer}
    return sorted(found, key=lambda g: (g.id in stayed, -WEIGHT[g.slot]))[:1]


def _told(garments: Sequence[Garment]) -> list[Garment]:
    return sorted(garments, key=lambda g: LAYERS.index(g.slot))


def check(garments: Sequence[Garment], wish: Wish) -> list[Violation]:
    """Everything wrong with wearing ``garments`` together for ``wish``, worst first."""
    found: list[Violation] = []
    context = read_wish(wish)
    slots: dict[str, list[Garment]] = {}
    for g in garments:
        slots.setdefault(g.slot, []).append(g)

    def say(kind, message: str, *pieces: Garment, hard: bool = True) -> None:
        ids = tuple(g.id for g in pieces)
        found.append(Violation(kind=kind, message=message, ids=ids, hard=hard))

    # torso, legs, feet
    if "onepiece" not in slots:
        if "top" not in slots:
            say("incomplete", "nothing for the torso")
        if "bottom" not in slots:
            say("incomplete", "nothing for the legs")
    if "footwear" not in slots:
        say("incomplete", "nothing for the feet")
    # one piece a slot, and no dress with trousers
    for slot, worn in slots.items():
        if len(worn) > 1:
            say("conflict", f"two pieces for {slot}: {_names(worn)}", *worn)
    if "onepiece" in slots and ("top" in slots or "bottom" in slots):
        both = slots["onepiece"] + slots.get("top", []) + slots.get("bottom", [])
        say("conflict", f"a one-piece needs no top or bottom: {_names(both)}", *both)
    # each card by itself
    season = context.seasons_allowed
    for g in garments:
        if not g.available:
            say("unavailable", f"{g.name} is not available", g)
        if not comes_in(g.sizes, wish.size):
            say("unavailable", f"{g.name} — it does not come in size {wish.size}", g)
        if g.id in wish.exclude:
            say("excluded", f"{g.name} was to be replaced", g)
        if any(p.matches(g) for p in wish.avoid if not is_empty(p)):
            say("avoided", f"{g.name} is among the things to avoid", g)
        if wish.who != "anyone" and wish.who not in g.wearers:
            say("wearer", f"{g.name} is not made for {wish.who}", g)
        reason = veto(
            g.category, g.material, context.temperature_c, wish.weather, context.occasion.met
        )
        if reason:
            say("weather", f"{g.name} — {reason}", g)
        if not season & set(g.seasons):
            asked = g.id in wish.keep or any(p.matches(g) for p in wish.want)
            say("season", f"{g.name} is for {', '.join(g.seasons)}", g, hard=not asked)
    # all together
    worn_clo = ensemble_clo(g.clo for g in garments)
    cold, warm = context.temperature_c, context.temperature_c
    if garments and worn_clo < least_clo(cold):
        say("warmth", f"too cold for {cold:g} °C: {worn_clo:.2f} clo, at least "
                      f"{least_clo(cold):.2f} is needed", hard=wish.layers >= 0)  # fmt: skip
    if garments and worn_clo > most_clo(warm) + max(wish.warmer, 0):
        say("warmth", f"too warm for {warm:g} °C: {worn_clo:.2f} clo", hard=warm >= 20)
    if wish.budget is not None:
        total = sum(g.price for g in garments)
        if total > wish.budget + 0.005:
            say("budget", f"costs {total:.2f}, the budget is {wish.budget:g}", *garments)
    for piece in wish.want:
        either = [p for p in wish.want if piece.choice and p.choice == piece.choice]
        if not any(p.matches(g) for p in (piece, *either) for g in garments):
            say("missing", f"no {piece.words} in it", hard=False)
    for garment_id in wish.keep:
        if not any(g.id == garment_id for g in garments):
            say("missing", f"{garment_id} was to be kept", hard=False)
    return sorted(found, key=lambda v: not v.hard)


def _names(garments: Sequence[Garment]) -> str:
    return ", ".join(g.name for g in garments)


def _why(
    g: Garment, worn: Sequence[Garment], wish: Wish, context: Context, needs: Sequence[Need]
) -> str:
    """One short reason, the strongest first."""
    reasons: list[str] = []
    t = context.temperature_c
    stays = g.id in wish.keep or g.id in wish.stay
    if stays:
        reasons.append("stays from before")
    asked = [n for n in needs if n.slot == g.slot and n.piece.matches(g)]
    near = [n for n in needs if n.slot == g.slot and n not in asked]
    if asked and not stays:
        reasons.append(f"you asked for {asked[0].piece.words}")
    elif near and near[0].relaxed:
        kinds = near[0].piece.categories
        like = "the nearest to" if not kinds or g.category in kinds else "instead of"
        reasons.append(f"{like} {near[0].piece.words}")
    if g.waterproof and "rain" in wish.weather:
        reasons.append("keeps the rain out")
    elif g.slot in ("outerwear", "headwear", "neckwear") and t < 12 and g.clo >= 0.05:
        reasons.append(f"adds {g.clo:g} clo against {t:g} °C")
    elif g.clo >= 0.3 and t < 12:
        reasons.append(f"warm at {t:g} °C ({g.clo:g} clo)")
    elif t >= 22 and g.clo <= 0.2 and g.slot in ("top", "bottom", "onepiece", "footwear"):
        reasons.append(f"light at {t:g} °C")
    if set(context.occasion.same) & set(g.occasions):
        reasons.append(f"made for {_occasion_words(context.occasion.name)}")
    elif abs(g.formality - context.formality) < 0.15:
        reasons.append("as dressy as the occasion asks for")
    if len(reasons) < 2:
        other = next(
            (o for o in worn if o.id != g.id and o.slot in ("top", "onepiece", "bottom")), None
        )
        if loudness(g.pattern) >= 0.7:
            verb = "are" if g.pattern.endswith("s") else "is"
            reasons.append(f"its {g.pattern} {verb} the accent")
        elif other is not None:
            link = "picks up the color of" if g.color == other.color else f"{g.color} goes with"
            named = other.category if g.color == other.color else f"{other.color} {other.category}"
            reasons.append(f"{link} the {named}")
    return "; ".join(reasons[:2]) or "rounds the outfit off"


def _occasion_words(name: str) -> str:
    articles = {"commute": "a commute", "interview": "an interview", "party": "a party",
                "date": "a date", "wedding": "a wedding", "beach": "the beach",
                "formal": "formal occasions", "everyday": "every day"}  # fmt: skip
    return articles.get(name, name)
