"""How a message changes the wish: a new occasion, another colour, warmer, cheaper, swap, keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent import numbers
from agent.lexicon import Hit, fold
from agent.pieces import Mention, Mentions, without
from agent.reference import meant, taken_from
from tools.reading import read_wish
from tools.wish import OCCASIONS, Piece, Wish

if TYPE_CHECKING:
    from agent.understand import Request

_LENGTHS = (
    ("mini dress", "midi dress", "maxi dress"),
    ("mini skirt", "pencil skirt", "midi skirt"),
    ("shorts", "trousers"),
)
"""Kinds that differ in length, from short to long."""
_ACCESSORIES = ("headwear", "eyewear", "neckwear", "bag")
_OPTIONAL = (*_ACCESSORIES, "outerwear")
_WOMENS = {"mini skirt", "midi skirt", "pencil skirt", "mini dress", "midi dress", "maxi dress",
           "heels", "ballet flats", "blouse"}  # fmt: skip
_ADJECTIVES = {"more": 1.5, "much": 1.6, "way": 1.6, "lot": 1.6, "bit": 0.6, "little": 0.6,
               "slightly": 0.5, "even": 1.2, "far": 1.6}  # fmt: skip


def change(
    request: Request,
    message: str,
    found: list[Hit],
    mentioned: Mentions,
    state: dict[str, Any],
) -> None:
    """Fill ``request.wish``: the wish before, changed by this message."""
    plan, said = state.get("plan") or None, mentioned.found
    before = Wish.model_validate(state.get("wish") or {})
    worn = list(plan["garments"]) if plan else []

    def asks(*values: str) -> bool:
        return any(h.asks(v) for h in found for v in values)

    new: dict[str, Any] = {
        "keep": (),
        "stay": (),
        "bare": (),
        "prefer": (),
        "ceiling": None,
        "text": message[:2000],
    }
    if plan:  # what could not be had is not asked for for ever
        new["want"] = tuple(
            p for p in before.want if p.everywhere or any(_matches(p, g) for g in worn)
        )
        new["like"] = tuple(
            p for p in before.like if not _only_fit(p) or any(_matches(p, g) for g in worn)
        )
    # when and where
    season = numbers.seasons(message, found)
    heat = numbers.temperature(message)
    sky = _weather(found)
    occasion = _occasion(found)
    started_over = asks("fresh") or plan is None
    fresh = started_over or bool(
        (occasion and occasion != before.occasion)
        or (asks("new") and not asks("another"))
        and (season or occasion)
    )
    if fresh:
        new.update(want=(), like=(), formality=None, warmer=0.0, exclude=(), layers=0)
        new.update(colourful=0.0, thrifty=0.0, weather=())
        if started_over and asks("fresh"):
            new.update(avoid=(), less=(), budget=None, occasion="", season={}, temperature_c=None)
    if occasion:
        new["occasion"] = occasion
    if season:
        new.update(season=season, temperature_c=None)
        if season != before.season and not sky:
            new["weather"] = ()
    if sky:
        new["weather"] = tuple(sky)
        if "snow" in sky and not season and set(before.season) == {"summer"}:
            new["season"] = {}
    said_heat = _heat_word(found, bool(season))
    if heat:
        new["temperature_c"] = heat[0]
        if heat[1] and heat[1] >= 6:
            new["layers"] = 1
            request.notes.append(f"layers, because it moves by {heat[1]:g} °C")
    elif said_heat is not None:
        new["temperature_c"] = said_heat
    if new.get("temperature_c") is not None and not season:
        old = before.temperature_c
        if old is None or abs(old - new["temperature_c"]) > 4:
            new["season"] = {}
    money = numbers.budget(message)
    if money is None and any(h.has("unlimited") for h in found):
        new["budget"] = None
    if money is not None:
        new["budget"] = money
        if numbers.other_coin(message):
            request.notes.append(f"{money:g} is meant in the currency of the prices")
    if size := numbers.size(message):
        new["size"] = size
    absent = [h.get("absent") for i, h in enumerate(found) if h.has("absent")
              and not any(b.cues("not") for b in found[max(0, i - 3) : i])
              and not any(b.cues("free") for b in found[i + 1 : i + 2])]  # fmt: skip
    new["absent"] = tuple(dict.fromkeys(str(a) for a in absent))[:12]
    shunned = tuple(Piece(materials=(m,), said=m) for h in found if (v := h.get("shun"))
                    for m in v.split("|"))  # fmt: skip
    if shunned:
        new["avoid"] = tuple(dict.fromkeys((*new.get("avoid", before.avoid), *shunned)))[-24:]
    # who
    who = _who(request, said, state, before)
    new["who"] = who
    wish = before.model_copy(update=new)
    wish = _adjust(wish, found, plan, message)
    said = _measured(said, found, worn)
    wish = _pieces(wish, said, mentioned.keep_all, worn, request)
    source = taken_from(fold(message)) or ("before" if _says_previous(found) else None)
    if source and plan:
        wish = _previous(wish, said, (state.get(source) or {}).get("garments", []))
    another = (asks("another") or request.another) and not any(m.stance == "swap" for m in said)
    if another or mentioned.change_rest:
        kept = set(wish.keep)
        out = [g["id"] for g in worn if g["id"] not in kept
               and g["slot"] in ("top", "bottom", "onepiece", "outerwear", "footwear")
               and not _wanted(g, wish)]  # fmt: skip
        wish = wish.model_copy(update={"exclude": (*wish.exclude, *out)[-120:]})
    elif plan and not fresh:
        wish = _stay(wish, before, said, worn, found, request, bool(season or heat or sky))
    request.changes = another or mentioned.change_rest or any(
        h.has("adjust", "degree") for h in found
    ) or any(m.stance in ("swap", "less", "like") for m in said)  # fmt: skip
    request.wish = Wish.model_validate(wish.model_dump())


def _says_previous(found: list[Hit]) -> bool:
    return any(h.cues("previous") for h in found)


def _weather(found: list[Hit]) -> list[str]:
    sky: list[str] = []
    for i, hit in enumerate(found):
        value = hit.get("weather")
        if value and not (i and found[i - 1].cues("not")) and value not in sky:
            sky.append(value)
    return sky


def _occasion(found: list[Hit]) -> str | None:
    """The most telling occasion: an interview at work is an interview."""
    named = [v for h in found for k, v in h.meanings if k == "occasion"]
    if not named:
        return None
    rank = ("wedding", "interview", "formal", "sport", "beach", "party", "date", "outdoors",
            "commute", "work", "travel", "everyday")  # fmt: skip
    first = min(named, key=rank.index)
    return first if first in OCCASIONS else None


def _heat_word(found: list[Hit], season: bool) -> float | None:
    for i, hit in enumerate(found):
        value = hit.get("temperature")
        negated = any(h.cues("not") or h.text in ("too",) for h in found[max(0, i - 2) : i])
        if value is not None and not negated:
            return None if season and abs(float(value)) < 3 else float(value)
    return None


def _who(request: Request, said: list[Mention], state: dict[str, Any], before: Wish) -> str:
    shown = request.person.get("presentation")
    if shown:
        return {"woman": "women", "man": "men"}.get(shown, "anyone")
    wanted = {c for m in said if m.stance in ("want", "like") for c in m.piece.categories}
    if not state.get("person_chosen") and wanted & _WOMENS and before.who != "women":
        request.person["presentation"] = "woman"
        request.notes.append("I took it to be for a woman; say so if not")
        return "women"
    person = state.get("person") or {}
    return {"woman": "women", "man": "men"}.get(str(person.get("presentation")), "anyone")


def _adjust(wish: Wish, found: list[Hit], plan: dict[str, Any] | None, message: str) -> Wish:
    """Warmer, cheaper, more formal … relative to the outfit worn now."""
    new: dict[str, Any] = {}
    for i, hit in enumerate(found):
        level = hit.get("formality")
        if level is not None:
            new["formality"] = float(level)
        value = hit.get("adjust")
        if value is None:
            continue
        before = found[max(0, i - 3) : i]
        if any(h.cues("not") for h in before) and not hit.text.startswith(("no ", "too ")):
            value = {"formal": "casual", "casual": "formal", "warmer": "cooler",
                     "cooler": "warmer", "colourful": "quiet", "quiet": "colourful",
                     "cheaper": "pricier", "layers": "unlayered"}.get(value, value)  # fmt: skip
        size = next((_ADJECTIVES[h.text] for h in reversed(before) if h.text in _ADJECTIVES), 1.0)
        now = plan or {}
        if value in ("warmer", "cooler"):
            low, high = read_wish(wish.model_copy(update={"warmer": 0.0})).clo
            clo = float(now.get("clo_total") or (low + high) / 2)
            if value == "warmer":
                shift = max(clo - low, 0) + 0.2 * size if plan else 0.25
            else:
                shift = min(clo - high, 0) - 0.2 * size if plan else -0.25
            new["warmer"] = max(-2.0, min(2.0, round(shift, 3)))
        elif value in ("formal", "casual"):
            base = read_wish(wish).formality
            worn = [g["formality"] for g in now.get("garments", ())]
            mean = sum(worn) / len(worn) if worn else base
            step = 0.2 * size * (1 if value == "formal" else -1)
            base = max(base, mean) if value == "formal" else min(base, mean)
            new["formality"] = max(0.05, min(0.95, round(base + step, 3)))
        elif value == "cheaper":
            new["thrifty"] = min(3.0, wish.thrifty + 1)
            total = now.get("price_total")
            if total and numbers.budget(message) is None:
                new["ceiling"] = round(0.85 * float(total), 2)
        elif value == "pricier":
            new.update(thrifty=max(-1.0, wish.thrifty - 1), budget=None, ceiling=None)
        elif value in ("colourful", "quiet"):
            new["colourful"] = 1.0 if value == "colourful" else -1.0
        elif value in ("layers", "unlayered"):
            new["layers"] = 1 if value == "layers" else -1
    return wish.model_copy(update=new)


def _pieces(
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
        here = [g for g in worn if _matches(piece, g)]
        if not here and (m.stance in ("keep", "swap") or m.removed) and piece.categories:
            about = piece.model_copy(update={"categories": ()})
            here = [g for g in meant(piece.categories, None, worn) if _matches(about, g)]
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
            if m.loose and not piece.everywhere and _only_fit(piece):
                like = (*without(like, piece), piece)
                continue
            if _names_slot_only(piece):
                # “add a bag”, “with shoes”: any will do
                piece = piece.model_copy(update={"said": piece.slot or piece.said})
            # what was said before gives way; two wishes of one message are both told
            old = tuple(w for w in want if m.either or w not in new)
            same = tuple(w for w in want if w not in old)
            want, new = (*without(old, piece), *same, piece), (*new, piece)
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
            exclude += [g["id"] for g in target]
            if not any(o.stance == "want" for o in said):
                plain = Piece(slot=target[0]["slot"]) if target else piece
                slot = plain.model_copy(update={"said": f"other {m.piece.said or plain.slot}"})
                kind = piece.categories if here and len(piece.categories) == 1 else ()
                if piece.colors and not here:
                    slot = piece
                elif kind:
                    slot = slot.model_copy(update={"categories": kind})
                want = (*without(want, slot), slot)
            else:
                want = without(want, piece.model_copy(update={"colors": ()}))
    if keep_all:
        touched = _touched(said, worn)
        keep += [g["id"] for g in worn if g["slot"] not in touched]
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


def _stay(
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
    avoided = {g["id"] for g in worn if any(_matches(a, g) for a in wish.avoid)}
    rest = [
        g["id"]
        for g in worn
        if g["id"] not in drop | avoided and not any(_matches(p, g) for p in wish.less)
    ]
    piecewise = bool(said) and all(m.stance in ("want", "swap", "avoid", "keep") for m in said)
    loose = any(m.loose and m.stance == "want" for m in said)
    moved = weather_changed or any(h.has("adjust") for h in found) or loose
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


def _measured(said: list[Mention], found: list[Hit], worn: list[dict[str, Any]]) -> list[Mention]:
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


def _previous(wish: Wish, said: list[Mention], before: list[dict[str, Any]]) -> Wish:
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


def _matches(piece: Piece, g: dict[str, Any]) -> bool:
    """``Piece.matches`` on the plain card of the note (what it does not show counts as met)."""
    return (
        (piece.slot is None or g["slot"] == piece.slot)
        and (not piece.categories or g["category"] in piece.categories)
        and (not piece.colors or g["color"] in piece.colors)
        and (not piece.patterns or g["pattern"] in piece.patterns)
        and (not piece.materials or g["material"] in piece.materials)
    )


def _wanted(g: dict[str, Any], wish: Wish) -> bool:
    return any(_matches(p, g) for p in wish.want if not _names_slot_only(p))


def _covers(avoided: Piece, wanted: Piece) -> bool:
    """Whether a wanted piece cannot be there once ``avoided`` is out."""
    if avoided.categories and wanted.categories:
        return set(wanted.categories) <= set(avoided.categories)
    if avoided.slot and not avoided.colors:
        return wanted.slots == (avoided.slot,)
    if avoided.colors and not avoided.categories and wanted.colors:
        return wanted.colors[0] in avoided.colors
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


def _only_fit(piece: Piece) -> bool:
    return not (piece.colors or piece.patterns or piece.materials)


def _names_slot_only(piece: Piece) -> bool:
    return piece.slot is not None and not piece.categories and _only_fit(piece)
