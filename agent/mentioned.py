"""How mentioned pieces come into the wish, and what of the present outfit stays beside them."""

from __future__ import annotations

from typing import Any

from agent.lexicon import Hit
from agent.mention import Mention, places, without
from agent.reference import meant
from agent.request import Request
from tools.wish import Piece, Wish

_LENGTHS = (
    ("mini dress", "midi dress", "maxi dress"),
    ("mini skirt", "pencil skirt", "midi skirt"),
    ("shorts", "trousers"),
)
"""Kinds that differ in length, from short to long."""
_ACCESSORIES = ("headwear", "eyewear", "neckwear", "bag")
_OPTIONAL = (*_ACCESSORIES, "outerwear")


def brought_in(
    wish: Wish, said: list[Mention], keep_all: bool, worn: list[dict[str, Any]], request: Request
) -> Wish:
    """Bring the mentioned pieces into the wish; what is new overrules what was."""
    want, like = wish.want, wish.like
    avoid, less = wish.avoid, wish.less
    keep: list[str] = []
    exclude, layers = list(wish.exclude), wish.layers
    new: tuple[Piece, ...] = ()
    for m in said:
        piece = m.piece
        here = [g for g in worn if matches(piece, g)]
        if not here and (m.stance in ("keep", "swap") or m.removed) and piece.categories:
            about = piece.model_copy(update={"categories": ()})
            here = [g for g in meant(piece.categories, None, worn) if matches(about, g)]
        m = _possible(m, here, bool(worn), request)
        if m.stance == "keep" and m.loose and worn and not here:
            # “the same in blue”: the main piece again, in another colour
            main = next((g for g in worn if g["slot"] in ("onepiece", "top")), worn[0])
            said_as = f"{piece.said.removeprefix('something ')} {main['category']}"
            piece = piece.model_copy(update={"categories": (main["category"],), "said": said_as})
            m = Mention(piece, "want", m.start)
            keep += [g["id"] for g in worn if g["id"] != main["id"]]
        if m.stance == "want":
            if m.loose:
                avoid = _allowed(avoid, piece)
            if m.loose and not piece.everywhere and only_fit(piece):
                like = (*without(like, piece), piece)
                continue
            if _names_slot_only(piece):
                # “add a bag”, “with shoes”: any will do
                piece = piece.model_copy(update={"said": piece.slot or piece.said})
            # what was said before gives way; two wishes of one message are both told
            old = tuple(w for w in want if w not in new)
            new = _with_alternative(new, piece, old) if m.either else (*new, piece)
            want = (*without(old, piece), *new)
            avoid = tuple(a for a in avoid if not _same(a, piece))
            less = tuple(a for a in less if not _same(a, piece))
            request.find.append(piece)
            if piece.slots == ("outerwear",):
                layers = max(layers, 0)
        elif m.stance == "like":
            like = (*without(like, piece), piece)
        elif m.stance == "avoid":
            if m.removed and not here and len(piece.slots) == 1:
                here = [g for g in worn if g["slot"] == piece.slots[0]]
            named = len(piece.slots) == 1 and piece.categories  # one that is owned is only a place
            if m.removed and named and worn and not here:
                request.notes.append(f"there was no {piece.words} to take off")
            gone = {g["slot"] for g in here} & set(_ACCESSORIES)
            if m.removed and any(g["slot"] == "outerwear" for g in here):
                layers = -1  # unless it is too cold without
                want = tuple(w for w in want if w.slots != ("outerwear",))
                continue
            if m.removed and gone:  # “lose the hat”: no other hat in its place
                piece = piece.model_copy(update={"slot": here[0]["slot"], "categories": ()})
            avoid = (*avoid, piece)
            want = tuple(w for w in want if not _covers(piece, w))
            like = tuple(w for w in like if not _covers(piece, w))
        elif m.stance == "less":
            less = (*less, piece)
            wide = set(piece.colors) or set(piece.patterns)
            want = tuple(
                w for w in want
                if w.categories or not wide & {*w.colors, *w.patterns}
            )  # fmt: skip
        elif m.stance == "keep":
            keep += [g["id"] for g in here]
            if not here and worn:
                request.notes.append(f"there was no {piece.words} to keep")
        elif m.stance == "swap":
            target = here or [g for g in worn if g["slot"] in piece.slots[:1]]
            if not target and worn and not any(o.stance == "want" for o in said):
                request.notes.append(f"there was no {piece.words} to swap")
                continue
            instead = [o.piece for o in said if o.stance == "want"]
            if already := _worn_already(piece, instead, target):
                keep += [g["id"] for g in target]
                request.notes.append(f"{already.words}: worn already")
                continue
            exclude += [g["id"] for g in target]
            if not any(o.stance == "want" for o in said):
                plain = Piece(slot=target[0]["slot"]) if target else piece
                slot = plain.model_copy(update={"said": f"other {m.piece.said or plain.slot}"})
                kind = piece.categories if here and len(piece.categories) == 1 else ()
                if (piece.colors or piece.categories) and not here:
                    slot = piece  # “the trousers in another colour”, where a skirt is worn
                elif kind:
                    slot = slot.model_copy(update={"categories": kind})
                want = (*without(want, slot), slot)
            else:
                want = without(want, piece.model_copy(update={"colors": ()}))
    if keep_all:
        touched = _touched(said, worn)
        dropped = [m.piece for m in said if m.stance == "avoid"]  # “same but without the blazer”
        keep += [
            g["id"]
            for g in worn
            if g["slot"] not in touched and not any(matches(p, g) for p in dropped)
        ]
    gone = set(exclude)
    keep = [k for k in dict.fromkeys(keep) if k not in gone]
    return wish.model_copy(
        update={
            "want": want[-12:],
            "like": like[-12:],
            "avoid": tuple(dict.fromkeys(avoid))[-24:],
            "less": less[-12:],
            "keep": tuple(keep[:9]),
            "exclude": tuple(dict.fromkeys(exclude))[-120:],
            "layers": layers,
        }
    )


def staying(
    wish: Wish,
    before: Wish,
    said: list[Mention],
    worn: list[dict[str, Any]],
    found: list[Hit],
    request: Request,
    weather_changed: bool,
) -> Wish:
    """What of the present outfit stays: everything when one piece changes, else a leaning."""
    touched = _touched(said, worn)
    if wish.layers < 0:
        touched.add("outerwear")
    drop = set(wish.exclude)
    avoided = {g["id"] for g in worn if any(matches(a, g) for a in wish.avoid)}
    rest = [
        g["id"]
        for g in worn
        if g["id"] not in drop | avoided and not any(matches(p, g) for p in wish.less)
    ]
    piecewise = bool(said) and all(m.stance in ("want", "swap", "avoid", "keep") for m in said)
    loose = any(m.loose and m.stance == "want" for m in said)
    moved = weather_changed or loose
    alone = ("cheapest",) if any(m.stance in ("want", "swap") for m in said) else ()
    moved |= any(h.get("adjust") not in (None, *alone) for h in found)
    if request.redraw_only or (piecewise and not moved):
        stays = [g["id"] for g in worn if g["slot"] not in touched and g["id"] in rest]
        named = {s for m in said if m.stance in ("want", "swap", "like") for s in m.piece.slots
                 if not m.loose}  # fmt: skip
        bare = [s for s in _OPTIONAL if s not in named and all(g["slot"] != s for g in worn)]
        return wish.model_copy(
            update={"stay": tuple(stays[:9]), "bare": tuple(bare), "prefer": tuple(rest)}
        )
    if any(h.get("adjust") not in (None, "warmer", "cooler") for h in found):
        return wish
    return wish.model_copy(update={"prefer": tuple(rest)})


def measured(said: list[Mention], found: list[Hit], worn: list[dict[str, Any]]) -> list[Mention]:
    """“make the dress longer”: the kinds beyond the one worn."""
    degree = next((h.get("degree") for h in found if h.has("degree")), None)
    if degree is None:
        return said
    result = []
    for m in said:
        family = next((f for f in _LENGTHS if set(m.piece.categories) & set(f)), ())
        now = next((g["category"] for g in worn if g["category"] in family), None)
        if now is not None and m.stance == "want":
            at = family.index(now)
            beyond = family[at + 1 :] if degree == "longer" else family[:at]
            if beyond:
                words = beyond[0] if len(beyond) == 1 else m.piece.said
                piece = m.piece.model_copy(update={"categories": tuple(beyond), "said": words})
                m = Mention(piece, "want", m.start)
        result.append(m)
    return result


def taken_back(wish: Wish, said: list[Mention], before: list[dict[str, Any]]) -> Wish:
    """“the previous shoes”: those of a look ``before`` come back."""
    slots = {s for m in said if not m.loose and len(m.piece.slots) == 1 for s in m.piece.slots}
    back = [g["id"] for g in before if g["slot"] in slots]
    if not back:
        return wish
    return wish.model_copy(
        update={
            "keep": tuple(dict.fromkeys((*back, *wish.keep)))[:9],
            "exclude": tuple(i for i in wish.exclude if i not in back),
            "want": tuple(w for w in wish.want if not set(w.slots) <= slots),
        }
    )


def _with_alternative(
    new: tuple[Piece, ...], piece: Piece, old: tuple[Piece, ...]
) -> tuple[Piece, ...]:
    """“A black skirt, a blue dress or grey trousers”: one of those for the same place is enough."""
    if not new:
        return (piece,)
    number = new[-1].choice or 1 + max(w.choice for w in (*old, *new))
    mine = places(piece.slots)
    joined = {id(w) for w in new if w is new[-1] or places(w.slots) & mine and not w.choice}
    either = (w.model_copy(update={"choice": number}) if id(w) in joined else w for w in new)
    return (*either, piece.model_copy(update={"choice": number}))


def _touched(said: list[Mention], worn: list[dict[str, Any]]) -> set[str]:
    """The slots that new pieces go to, with those that cannot stay beside them."""
    touched: set[str] = set()
    for m in said:
        if m.stance in ("want", "swap") and not m.piece.everywhere:
            touched |= set(m.piece.slots) if not m.loose else set()
    base = {"top", "bottom"}
    if "onepiece" in touched and len(touched) < 5:
        touched |= base
    elif touched & base and len(touched) < 5 and any(g["slot"] == "onepiece" for g in worn):
        touched |= {"onepiece", *base}
    return touched


def _possible(m: Mention, here: list[dict[str, Any]], dressed: bool, request: Request) -> Mention:
    """“I don't like the top”: a place that must be filled gets another piece, not none."""
    needed = m.piece.slot in ("top", "bottom", "footwear") and _names_slot_only(m.piece)
    if m.stance != "avoid" or not needed:
        return m
    if not here:
        request.notes.append(f"something is needed there, so {m.piece.words} stays in another form")
    return Mention(m.piece, "swap" if dressed else "like", m.start)


def matches(piece: Piece, g: dict[str, Any]) -> bool:
    """``Piece.matches`` on the plain card of the note (what it does not show counts as met)."""
    return (
        (piece.slot is None or g["slot"] == piece.slot)
        and (not piece.categories or g["category"] in piece.categories)
        and (not piece.colors or g["color"] in piece.colors)
        and (not piece.patterns or g["pattern"] in piece.patterns)
        and (not piece.materials or g["material"] in piece.materials)
    )


def is_wanted(g: dict[str, Any], wish: Wish) -> bool:
    return any(matches(p, g) for p in wish.want if not _names_slot_only(p))


def _covers(avoided: Piece, wanted: Piece) -> bool:
    """Whether a wanted piece cannot be there once ``avoided`` is out."""
    if avoided.categories and wanted.categories:
        return set(wanted.categories) <= set(avoided.categories)
    if avoided.slot and not avoided.colors:
        return wanted.slots == (avoided.slot,)
    if avoided.colors and not avoided.categories and wanted.colors:
        return wanted.colors[0] in avoided.colors
    for name in ("materials", "patterns"):  # “I'm allergic to wool”
        mine, theirs = set(getattr(avoided, name)), set(getattr(wanted, name))
        if mine and theirs and not avoided.categories and theirs <= mine:
            return True
    return False


def _allowed(avoid: tuple[Piece, ...], piece: Piece) -> tuple[Piece, ...]:
    """“I hate blue, navy is fine”: the colours of ``piece`` are no longer avoided."""
    kept = []
    for a in avoid:
        colors = tuple(c for c in a.colors if c not in piece.colors)
        if colors or not a.colors:
            kept.append(a if colors == a.colors else a.model_copy(update={"colors": colors}))
    return tuple(kept)


def _same(a: Piece, b: Piece) -> bool:
    if a.categories and b.categories:
        return set(a.categories) == set(b.categories) and (not a.colors or a.colors == b.colors)
    return bool(a.slot and b.slots == (a.slot,) and not a.colors and not a.categories)


def only_fit(piece: Piece) -> bool:
    return not (piece.colors or piece.patterns or piece.materials)


def _worn_already(swapped: Piece, instead: list[Piece], worn: list[dict[str, Any]]) -> Piece | None:
    """“Swap the shoes for flats” while flats are worn; “the boots for other boots” is no such."""
    kinds = set(swapped.categories)
    return next(
        (
            w
            for w in instead
            if w.categories and not kinds & set(w.categories)
            if any(matches(w, g) for g in worn)
        ),
        None,
    )


def _names_slot_only(piece: Piece) -> bool:
    return piece.slot is not None and not piece.categories and only_fit(piece)
