"""What a message means for the outfit: a ``Request``, made from words, numbers and what was before.

Rules over a word table; the same message in the same state is always read the same way. The state
is the plain JSON note that every model gets (``conversation.note``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from agent import numbers
from agent.lexicon import Hit, fold, hits, language_of
from agent.pieces import Mention, mentions, without
from tools.reading import read_wish
from tools.wish import OCCASIONS, Piece, Wish

Kind = Literal[
    "dress", "redraw", "undo", "first", "greet", "thanks", "why", "cost", "what", "warm_enough",
    "help", "have", "decline", "unclear",
]  # fmt: skip

_WOMENS = {"mini skirt", "midi skirt", "pencil skirt", "mini dress", "midi dress", "maxi dress",
           "heels", "ballet flats", "blouse"}  # fmt: skip
_UNDRESS = re.compile(
    r"\b(?:nude|naked|nudity|undress\w*|undressed|topless|bottomless|strip(?:ping|ped)? (?:her|him|"
    r"them|off|naked)|without (?:any )?cloth\w*|no clothes|take (?:her|his|their|my) clothes off|"
    r"take off (?:all )?(?:her|his|their) clothes|nsfw|porn\w*|erotic\w*|sexual\w*|lingerie|see "
    r"through|bare breasts?|nipples?|genital\w*|fetish|remove (?:all )?(?:her|his|their|the) "
    r"cloth\w*|nackt|nue?|nus|desnud\w+)\b|裸|脱光|ヌード|全裸"
)
_CHILD = re.compile(
    r"\b(?:child|children|kids?|toddler|baby|babies|infant|teen\w*|minor|schoolgirl|schoolboy|"
    r"underage|(?:[1-9]|1[0-7])[ -]?(?:year|yr)s?[ -]old|little (?:girl|boy)|kinder?|enfants?|"
    r"nin[oa]s?)\b|小孩|儿童|子供|宝宝"
)
_HARM = re.compile(
    r"\b(?:bomb|weapons?|explosive|kill\w*|murder|suicide|hack\w*|steal|shoplift\w*|drugs?|cocaine|"
    r"meth|nazi|swastika|kkk|ss uniform|terroris\w+|racist|blackface|malware|poison|counterfeit|"
    r"stalk\w*)\b"
)
_INJECT = re.compile(
    r"\b(?:ignore|disregard|forget) (?:\w+ ){0,3}(?:instructions|rules|prompt|guidelines)|"
    r"system prompt|developer mode|jailbreak|your (?:instructions|prompt)|api key|password|"
    r"/etc/|rm -rf|drop table|\bsudo\b|environment variable"
)
_ELSEWHERE = re.compile(
    r"^(?:please |can you |could you |would you |i want you to )*"
    r"(?:write|compose|translate|solve|calculate|code|program|debug|summari[sz]e|recite|sing|prove)"
    r"\b|\b(?:poem|essay|python|javascript|sql|homework|equation|capital of|president|prime "
    r"minister|stock price|stocks?|bitcoin|crypto|recipe|bake|movie|lyrics|football score|"
    r"who won|who is the|who was|tell me a joke|joke|weather forecast|what'?s the weather|what is "
    r"the weather|how (?:do|can) i (?:fix|cook|install|cure|invest)|medical|diagnos\w+|lawyer|"
    r"tax(?:es)?|horoscope|meaning of life|election|square root)\b"
)
_CLOTHES = ("category", "slot", "color", "pattern", "material", "sleeves", "length", "fit")
_PERSON = ("body", "skin", "age", "hair")
_ADJECTIVES = {"more": 1.5, "much": 1.6, "way": 1.6, "lot": 1.6, "bit": 0.6, "little": 0.6,
               "slightly": 0.5, "even": 1.2, "far": 1.6}  # fmt: skip


@dataclass
class Request:
    """What one message asks for."""

    kind: Kind
    language: str = "en"
    wish: Wish = field(default_factory=Wish)
    """The whole wish after this message (not only its change)."""
    find: list[Piece] = field(default_factory=list)
    """Pieces asked for by name in this message."""
    pose: str | None = None
    scene: str | None = None
    person: dict[str, str] = field(default_factory=dict)
    redraw_only: bool = False
    """Only pose, scene or person change: the garments stay."""
    reason: str = ""
    """Why it is declined: undress, child, harm, inject, elsewhere."""
    about: Piece | None = None
    """What a question is about."""
    notes: list[str] = field(default_factory=list)
    """Things to say aloud."""


def understand(message: str, state: dict[str, Any]) -> Request:
    """Read ``message`` in the light of ``state`` (see ``conversation.note``)."""
    language = language_of(message, str(state.get("language") or "en"))
    folded = fold(message)
    refusal = _refusal(folded)
    if refusal:
        return Request("decline", language, reason=refusal)
    found = hits(message, language)
    masked, person = _person(found, folded)
    said = mentions(found, language, masked)
    plan = state.get("plan")
    request = Request("dress", language, person=person)
    request.pose = _first(found, "pose", masked)
    request.scene = _first(found, "scene", masked)
    small = _small_talk(found, folded, said, plan, request)
    if small is not None:
        return small
    _change(request, message, found, said.found, said.keep_all, state)
    return request


def _refusal(folded: str) -> str:
    for reason, pattern in (
        ("undress", _UNDRESS), ("child", _CHILD), ("inject", _INJECT), ("harm", _HARM),
        ("elsewhere", _ELSEWHERE),
    ):  # fmt: skip
        if pattern.search(folded):
            return reason
    return ""


def _first(found: list[Hit], kind: str, masked: set[int]) -> str | None:
    return next((h.get(kind) for h in found if h.has(kind) and h.start not in masked), None)


def _person(found: list[Hit], folded: str) -> tuple[set[int], dict[str, str]]:
    """Words about the wearer, and the hits they use up."""
    from catalog.croquis.figure import HAIR, HAIR_COLORS, SKINS

    masked: set[int] = set()
    person: dict[str, str] = {}
    for hit in found:
        for kind in _PERSON:
            value = hit.get(kind)
            if value and not (kind == "age" and hit.text in ("old", "young", "senior")
                              and not re.search(r"\b(?:wo)?m[ae]n|person|lady|guy\b", folded)):
                person[kind] = value
                if kind != "body" or not hit.has(*_CLOTHES):
                    masked.add(hit.start)
    # “curly red hair”, “hair: short and black”, “blonde”
    for match in re.finditer(r"((?:[a-z]+[ ,]+){0,4})hair(?:ed)?\b", folded):
        words = match.group(1).replace(",", " ").split()
        words = words[len(words) - next(
            (i for i, w in enumerate(reversed(words)) if w in ("with", "a", "an", "has", "have")),
            len(words),
        ) :]  # fmt: skip
        for word in words:
            word = {"gray": "grey", "ginger": "red", "blond": "blonde", "brunette": "brown",
                    "wavy": "long", "straight": "long", "dark": "black", "silver": "grey",
                    "white": "grey", "shaved": "buzz", "auburn": "red"}.get(word, word)  # fmt: skip
            if word in HAIR_COLORS:
                person["hair_color"] = word
            if word in HAIR:
                person["hair"] = word
        masked |= {h.start for h in found if match.start() <= h.start < match.end()}
    for word, color in (("blonde", "blonde"), ("blond", "blonde"), ("redhead", "red"),
                        ("brunette", "brown"), ("ginger", "red")):  # fmt: skip
        if re.search(rf"\b{word}\b", folded):
            person.setdefault("hair_color", color)
    match = re.search(rf"\b({'|'.join(SKINS)}) skin", folded)
    if match:
        person["skin"] = match.group(1)
        masked |= {h.start for h in found if match.start() <= h.start < match.end()}
    who = [h.get("who") for h in found if h.has("who") and h.start not in masked]
    who += [h.get("who") for h in found if h.has("who") and h.start in masked]
    if who:
        person["presentation"] = {"women": "woman", "men": "man"}.get(str(who[0]), "person")
    return masked, person


_SUBSTANCE = (*_CLOTHES, "occasion", "season", "weather", "temperature", "adjust",
              "formality")


def _small_talk(
    found: list[Hit], folded: str, said: Any, plan: dict[str, Any] | None, request: Request
) -> Request | None:
    """Messages that do not change the outfit; None when this one does."""

    def asks(*values: str) -> bool:
        return any(h.asks(v) for h in found for v in values)

    substance = any(h.has(*_SUBSTANCE) for h in found)
    number = numbers.temperature(folded) or numbers.budget(folded)
    adjust = any(h.has("adjust") for h in found)
    about = said.found[0].piece if said.found else None

    def answer(kind: Kind) -> Request:
        return Request(kind, request.language, about=about)

    if asks("first"):
        return answer("first")
    if asks("undo") and not asks("another"):
        return answer("undo")
    if plan:
        if asks("warm_enough"):
            return answer("warm_enough")
        if asks("why") and not asks("new"):
            return answer("why")
        if asks("cost") and not adjust and numbers.budget(folded) is None:
            return answer("cost")
        if asks("what") and not adjust:
            return answer("what")
    if asks("have") and said.found and not asks("new") and re.search(
        r"\b(?:do you have|have you got|got any|which|list|find me|what .* do you have)\b", folded
    ):
        return Request("have", request.language, about=about, find=[m.piece for m in said.found])
    person = bool(request.person) and set(request.person) != {"presentation"}
    if substance or number or asks("another", "new", "fresh") or said.keep_all:
        return None
    if request.pose or request.scene or person or (plan and request.person):
        request.redraw_only = plan is not None
        return None
    if asks("redraw") and plan:
        return answer("redraw")
    if request.person:
        return None
    if asks("help"):
        return answer("help")
    if asks("thanks"):
        return answer("thanks")
    if asks("greet"):
        return answer("greet")
    if said.found or (plan and any(h.cues("swap", "add", "not") for h in found)):
        return answer("unclear")
    words = [h for h in found if re.match(r"\w", h.text)]
    question = "?" in folded or "？" in folded
    if len(words) <= 3 and not question:
        return answer("unclear")
    return Request("decline", request.language, reason="elsewhere")


def _change(
    request: Request,
    message: str,
    found: list[Hit],
    said: list[Mention],
    keep_all: bool,
    state: dict[str, Any],
) -> None:
    """Fill ``request.wish``: the wish before, changed by this message."""
    plan = state.get("plan") or None
    before = Wish.model_validate(state.get("wish") or {})
    worn = list(plan["garments"]) if plan else []

    def asks(*values: str) -> bool:
        return any(h.asks(v) for h in found for v in values)

    new: dict[str, Any] = {"keep": (), "prefer": (), "text": message[:2000]}
    # when and where
    season = numbers.seasons(message, found)
    heat = numbers.temperature(message)
    sky = _weather(found)
    occasion = _occasion(found)
    started_over = asks("fresh") or plan is None
    fresh = started_over or bool(
        (occasion and occasion != before.occasion) or (asks("new") and not asks("another"))
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
    if money is not None:
        new["budget"] = money
    # who
    who = _who(request, said, state, before)
    new["who"] = who
    wish = before.model_copy(update=new)
    wish = _adjust(wish, found, plan, message)
    wish = _pieces(wish, said, keep_all, worn, request)
    if asks("another") and not any(m.stance == "swap" for m in said):
        kept = set(wish.keep)
        out = [g["id"] for g in worn if g["id"] not in kept
               and g["slot"] in ("top", "bottom", "onepiece", "outerwear", "footwear")
               and not _wanted(g, wish)]  # fmt: skip
        wish = wish.model_copy(update={"exclude": (*wish.exclude, *out)[-120:]})
    elif plan and not fresh:
        wish = _stay(wish, before, said, worn, found, request, bool(season or heat or sky))
    request.wish = Wish.model_validate(wish.model_dump())


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
    return {"woman": "women", "man": "men"}.get(person.get("presentation"), "anyone")


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
            mean = sum(worn) / len(worn) if worn and not wish.occasion else base
            step = 0.2 * size * (1 if value == "formal" else -1)
            base = max(base, mean) if value == "formal" else min(base, mean)
            new["formality"] = max(0.05, min(0.95, round(base + step, 3)))
        elif value == "cheaper":
            new["thrifty"] = min(3.0, wish.thrifty + 1)
            total = now.get("price_total")
            if total and numbers.budget(message) is None:
                limit = round(0.85 * float(total), 2)
                new["budget"] = min(limit, wish.budget) if wish.budget else limit
        elif value == "pricier":
            new.update(thrifty=max(-1.0, wish.thrifty - 1), budget=None)
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
    exclude = list(wish.exclude)
    for m in said:
        piece = m.piece
        here = [g for g in worn if _matches(piece, g)]
        if m.stance == "want":
            if m.loose and not piece.everywhere and _only_fit(piece):
                like = (*without(like, piece), piece)
                continue
            if _names_slot_only(piece):
                # “add a bag”, “with shoes”: any will do
                piece = piece.model_copy(update={"said": piece.slot or piece.said})
            want = (*without(want, piece), piece)
            avoid = tuple(a for a in avoid if not _same(a, piece))
            less = tuple(a for a in less if not _same(a, piece))
            request.find.append(piece)
        elif m.stance == "like":
            like = (*without(like, piece), piece)
        elif m.stance == "avoid":
            avoid = (*avoid, piece)
            want = tuple(w for w in want if not _covers(piece, w))
            like = tuple(w for w in like if not _covers(piece, w))
        elif m.stance == "less":
            less = (*less, piece)
        elif m.stance == "keep":
            keep += [g["id"] for g in here]
            if not here and worn:
                want = (*without(want, piece), piece)
        elif m.stance == "swap":
            target = here or [g for g in worn if g["slot"] in piece.slots[:1]]
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
        keep += [g["id"] for g in worn]
    gone = set(exclude)
    keep = [k for k in dict.fromkeys(keep) if k not in gone]
    return wish.model_copy(update={
        "want": want[-12:], "like": like[-12:], "avoid": tuple(dict.fromkeys(avoid))[-24:],
        "less": less[-12:], "keep": tuple(keep[:9]), "exclude": tuple(dict.fromkeys(exclude))[-120:],
    })  # fmt: skip


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
    touched: set[str] = set()
    for m in said:
        if m.stance in ("want", "swap") and not m.piece.everywhere:
            touched |= set(m.piece.slots) if not m.loose else set()
    base = {"top", "bottom"}
    if "onepiece" in touched and len(touched) < 5:
        touched |= base
    elif touched & base and len(touched) < 5 and any(g["slot"] == "onepiece" for g in worn):
        touched |= {"onepiece", *base}
    drop = set(wish.exclude)
    avoided = {g["id"] for g in worn if any(_matches(a, g) for a in wish.avoid)}
    rest = [g["id"] for g in worn if g["id"] not in drop | avoided]
    piecewise = bool(said) and all(m.stance in ("want", "swap", "avoid", "keep") for m in said)
    loose = any(m.loose and m.stance == "want" for m in said)
    moved = weather_changed or any(h.has("adjust") for h in found) or loose
    if request.redraw_only or (piecewise and not moved):
        stays = [g["id"] for g in worn if g["slot"] not in touched and g["id"] in rest]
        keep = tuple(dict.fromkeys((*wish.keep, *stays)))
        return wish.model_copy(update={"keep": keep[:9], "prefer": tuple(rest)})
    return wish.model_copy(update={"prefer": tuple(rest)})


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
    return any(_matches(p, g) for p in wish.want if p.colors or p.patterns or p.materials)


def _covers(avoided: Piece, wanted: Piece) -> bool:
    """Whether a wanted piece cannot be there once ``avoided`` is out."""
    if avoided.categories and wanted.categories:
        return set(wanted.categories) <= set(avoided.categories)
    if avoided.slot and not avoided.colors:
        return wanted.slots == (avoided.slot,)
    if avoided.colors and not avoided.categories and wanted.colors:
        return wanted.colors[0] in avoided.colors
    return False


def _same(a: Piece, b: Piece) -> bool:
    if a.categories and b.categories:
        return set(a.categories) == set(b.categories) and (not a.colors or a.colors == b.colors)
    return bool(a.slot and b.slots == (a.slot,) and not a.colors and not a.categories)


def _only_fit(piece: Piece) -> bool:
    return not (piece.colors or piece.patterns or piece.materials)


def _names_slot_only(piece: Piece) -> bool:
    return piece.slot is not None and not piece.categories and _only_fit(piece)
