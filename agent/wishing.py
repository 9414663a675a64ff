"""How a message changes the wish: a new occasion, another colour, warmer, cheaper, swap, keep."""

from __future__ import annotations

from typing import Any

from agent import numbers
from agent.lexicon import Hit, fold
from agent.mention import Mention, Mentions
from agent.mentioned import brought_in, is_wanted, matches, measured, only_fit, staying, taken_back
from agent.questions import COMFORT
from agent.reference import looks_number, piece_number, taken_from
from agent.request import Request
from tools.reading import read_wish
from tools.wish import OCCASIONS, Piece, Wish

_WOMENS = {"mini skirt", "midi skirt", "pencil skirt", "mini dress", "midi dress", "maxi dress",
           "heels", "ballet flats", "blouse"}  # fmt: skip
_TOO = ("no ", "too ", "zu ", "trop ", "demasiado ", "太")
"""“Not too expensive” asks for the same as “too expensive”."""
_ADJECTIVES = {"more": 1.5, "much": 1.6, "way": 1.6, "lot": 1.6, "bit": 0.6, "little": 0.6,
               "slightly": 0.5, "even": 1.2, "far": 1.6}  # fmt: skip
_MORE_CASUAL = 0.3
"""How far below an occasion's formality “more casual” goes: no joggers at a wedding."""


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
        "cheapest": False,
        "text": message[:2000],
    }
    if plan:  # what could not be had is not asked for for ever
        here = {g["id"] for g in worn}  # and what came back, for want of another, is welcome again
        new["exclude"] = tuple(i for i in before.exclude if i not in here)
        new["want"] = tuple(
            p for p in before.want if p.everywhere or any(matches(p, g) for g in worn)
        )
        new["like"] = tuple(
            p for p in before.like if not only_fit(p) or any(matches(p, g) for g in worn)
        )
    # when and where
    season = numbers.seasons(message, found)
    heat = numbers.temperature(message)
    sky = _weather(found)
    occasion = _occasion(found)
    beach = request.scene == "beach" or any(("occasion", "beach") in h.meanings for h in found)
    if beach and plan is None and not occasion:
        occasion = "beach"
    if request.scene == "office" and plan is None and not occasion:
        occasion = "work"
    if beach and occasion and not (season or heat or sky):
        sky = ["sun"]  # a wedding on the beach is no wedding in March
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
    told = season or heat or sky or before.season or before.temperature_c is not None
    if fresh and plan and not (started_over or told or asks("new")):
        new["season"] = dict(plan["season"])  # dinner on the beach holiday is no colder than it
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
            request.notes.append(
                f"{money:.10g} is meant in the currency of the prices, for want of an exchange rate"
            )
    if asks("several"):
        request.notes.append("one look is shown at a time: ask for another and the next one comes")
    if asks("couple"):
        request.notes.append("one person is dressed at a time")
    if size := numbers.size(message):
        new["size"] = size
    absent = [h.get("absent") for i, h in enumerate(found) if h.has("absent")
              and h.start not in mentioned.spared
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
    if _dressy_and_easy(found, message) and not any("heels" in m.piece.categories for m in said):
        heels = Piece(categories=("heels",), said="heels")
        wish = wish.model_copy(
            update={"less": (*(p for p in wish.less if p != heels), heels)[-12:]}
        )
        request.notes.append("comfortable means rather no heels")
    said = measured(said, found, worn)
    wish = brought_in(wish, said, mentioned.keep_all, worn, request)
    source = taken_from(fold(message)) or ("before" if _says_previous(found) else None)
    if source and plan:
        wish = taken_back(wish, said, (state.get(source) or {}).get("garments", []))
    more = any(m.stance == "want" and m.piece.categories for m in said)
    if plan and more and not (fresh or season or heat or sky) and wish.temperature_c is None:
        then = plan.get("season")  # a coat more is no other weather
        same = before.occasion == wish.occasion and not wish.season
        if then and same and read_wish(wish).season != then:
            wish = wish.model_copy(update={"season": dict(then)})
    number = looks_number(fold(message)) if plan else None
    another = (asks("another") or request.another) and not any(m.stance == "swap" for m in said)
    if another or mentioned.change_rest:
        kept = set(wish.keep)
        out = [g["id"] for g in worn if g["id"] not in kept
               and g["slot"] in ("top", "bottom", "onepiece", "outerwear", "footwear")
               and not is_wanted(g, wish)]  # fmt: skip
        wish = wish.model_copy(update={"exclude": (*wish.exclude, *out)[-120:]})
    elif plan and not fresh:
        wish = staying(wish, before, said, worn, found, request, bool(season or heat or sky))
    if number is not None:
        wish = _from_look(wish, number, said, worn, fold(message), state, request)
    request.changes = another or mentioned.change_rest or any(
        h.has("adjust", "degree") for h in found
    ) or any(m.stance in ("swap", "less", "like") for m in said)  # fmt: skip
    request.wish = Wish.model_validate(wish.model_dump())


def _from_look(
    wish: Wish,
    number: int,
    said: list[Mention],
    worn: list[dict[str, Any]],
    folded: str,
    state: dict[str, Any],
    request: Request,
) -> Wish:
    """“The shoes of the second look”, “the third piece of look 1”: that piece, beside the rest."""
    looks = int(state.get("earlier_looks") or 0) + 1 + int(state.get("undone") or 0)
    garments = (state.get("named") or {}).get("garments", [])
    if number > looks or not garments:
        request.notes.append(f"there are only {looks} looks so far")
        return wish.model_copy(update={"stay": tuple(g["id"] for g in worn)[:9]})
    at = piece_number(folded)
    if at is not None:
        back = garments[at - 1 : at]
        if not back:
            request.notes.append(f"that look has only {len(garments)} pieces")
    else:
        slots = {s for m in said if not m.loose and len(m.piece.slots) == 1 for s in m.piece.slots}
        back = [g for g in garments if g["slot"] in slots]
    gone = {g["slot"] for g in back}
    ids = tuple(g["id"] for g in back)
    rest = tuple(g["id"] for g in worn if g["slot"] not in gone)
    return wish.model_copy(
        update={
            "keep": tuple(dict.fromkeys((*ids, *wish.keep)))[:9],
            "stay": rest[:9],
            "exclude": tuple(i for i in wish.exclude if i not in ids),
            "want": tuple(w for w in wish.want if not gone & set(w.slots)),
        }
    )


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
    if first == "party" and any(h.get("occasion") == "date" and "date" in h.text for h in found):
        first = "date"  # “a first date at a wine bar”
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


def _dressy_and_easy(found: list[Hit], message: str) -> bool:
    """“Elegant but comfortable”: the one is not meant to undo the other."""
    fine = any(h.get("adjust") == "formal" or float(h.get("formality") or 0) >= 0.6 for h in found)
    return fine and bool(COMFORT.search(fold(message)))


def _adjust(wish: Wish, found: list[Hit], plan: dict[str, Any] | None, message: str) -> Wish:
    """Warmer, cheaper, more formal … relative to the outfit worn now."""
    new: dict[str, Any] = {}
    dressy = _dressy_and_easy(found, message)
    for i, hit in enumerate(found):
        level = hit.get("formality")
        if level is not None:
            new["formality"] = float(level)
        value = hit.get("adjust")
        if value is None or dressy and value == "casual" and COMFORT.search(hit.text):
            continue
        before = found[max(0, i - 3) : i]
        if any(h.cues("not") for h in before) and not hit.text.startswith(_TOO):
            value = {"formal": "casual", "casual": "formal", "warmer": "cooler",
                     "cooler": "warmer", "colourful": "quiet", "quiet": "colourful",
                     "cheaper": "pricier", "cheapest": "",
                     "layers": "unlayered"}.get(value, value)  # fmt: skip
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
            least = OCCASIONS[wish.occasion or "everyday"].formality - _MORE_CASUAL
            new["formality"] = max(0.05, least, min(0.95, round(base + step, 3)))
        elif value == "cheaper":
            new["thrifty"] = min(3.0, wish.thrifty + 1)
            total = now.get("price_total")
            if total and numbers.budget(message) is None:
                new["ceiling"] = round(0.85 * float(total), 2)
        elif value == "cheapest":
            new.update(cheapest=True, thrifty=3.0)
        elif value == "pricier":
            new.update(thrifty=max(-1.0, wish.thrifty - 1), budget=None, ceiling=None)
        elif value in ("colourful", "quiet"):
            new["colourful"] = 1.0 if value == "colourful" else -1.0
        elif value in ("layers", "unlayered"):
            new["layers"] = 1 if value == "layers" else -1
    return wish.model_copy(update=new)
