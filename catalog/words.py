"""Which attributes of a garment a text names, in the words shoppers use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from catalog.croquis.palette import COLORS
from catalog.garment import CATEGORIES, SEASONS, SLOTS, Garment

OCCASIONS = (
    "commute",
    "work",
    "formal",
    "wedding",
    "party",
    "date",
    "weekend",
    "home",
    "travel",
    "sport",
    "hiking",
    "beach",
    "rain",
)
"""Occasion words of the starter cards."""


@dataclass(frozen=True)
class Mention:
    """A text names an attribute: any of ``values`` meets it."""

    facet: str
    """category, color, slot, pattern, material, season, occasion, wearer, waterproof or text."""
    values: frozenset[str]


WEIGHTS = {
    "category": 3.0,
    "color": 2.0,
    "slot": 2.0,
    "pattern": 2.0,
    "material": 1.0,
    "season": 1.0,
    "occasion": 1.0,
    "wearer": 1.0,
    "waterproof": 1.0,
    "text": 1.0,
}

_MORE = {
    "color": {
        "grey": "gray silver",
        "light blue": "sky-blue pale-blue baby-blue",
        "navy": "dark-blue navy-blue midnight-blue indigo",
        "dark green": "emerald forest-green bottle-green",
        "light blue|blue|navy": "bluish",
        "cream": "ivory off-white ecru",
        "beige": "sand stone nude",
        "camel|beige": "tan",
        "brown": "chocolate chestnut",
        "black": "jet-black",
        "charcoal": "dark-grey dark-gray anthracite",
        "burgundy": "maroon wine bordeaux claret dark-red",
        "purple": "violet plum",
        "lavender": "lilac",
        "turquoise": "aqua cyan",
        "olive": "khaki army-green",
        "mustard": "gold golden ochre",
        "red": "scarlet crimson",
        "pink": "rose",
        "magenta": "fuchsia hot-pink",
        "coral": "salmon peach",
    },
    "category": {
        "t-shirt": "tee tshirt tees",
        "tank top": "tank vest singlet",
        "polo shirt": "polo",
        "sweater": "jumper pullover",
        "sweater|turtleneck|cardigan": "knitwear knit-top",
        "turtleneck": "roll-neck rollneck polo-neck",
        "hoodie": "hoody sweatshirt hooded-top",
        "trousers": "pants slacks chinos joggers",
        "leggings": "tights",
        "mini skirt|midi skirt|pencil skirt": "skirt",
        "mini dress|midi dress|maxi dress": "dress",
        "maxi dress": "gown long-dress",
        "mini dress": "short-dress",
        "jumpsuit": "overalls playsuit",
        "coat|trench coat": "overcoat coat",
        "trench coat": "trench",
        "raincoat": "rain-jacket anorak mac waterproof-jacket",
        "puffer jacket": "puffer down-jacket parka quilted-jacket",
        "puffer jacket|denim jacket|leather jacket|blazer|raincoat": "jacket",
        "denim jacket": "jean-jacket jeans-jacket",
        "blazer": "suit-jacket sport-coat",
        "sneakers": "trainers running-shoes runners gym-shoes",
        "boots|rain boots": "boots",
        "boots": "ankle-boots",
        "rain boots": "wellies wellingtons rubber-boots gumboots",
        "heels": "high-heels pumps stilettos",
        "loafers": "dress-shoes moccasins",
        "ballet flats": "flats ballerinas",
        "beanie": "woolly-hat knit-hat winter-hat",
        "cap": "baseball-cap",
        "sun hat": "straw-hat",
        "sunglasses": "shades sunnies",
        "glasses": "spectacles eyeglasses",
        "scarf": "shawl",
        "tie": "necktie",
        "tote bag": "tote shopper",
        "handbag": "purse clutch",
        "backpack": "rucksack",
        "crossbody bag": "crossbody shoulder-bag",
    },
    "slot": {
        "top": "tops",
        "bottom": "bottoms",
        "onepiece": "one-piece",
        "outerwear": "outer-layer outdoor-layer",
        "footwear": "shoes shoe",
        "headwear": "hat hats",
        "eyewear": "",
        "neckwear": "",
        "bag": "bags",
    },
    "pattern": {
        "stripes|pinstripes": "striped stripe stripy",
        "plaid|gingham": "checked check checks checkered tartan",
        "dots": "polka-dots polka-dot dotted spots",
        "floral": "flowers flowery flower",
        "hearts": "heart",
        "stars": "star",
        "waves": "wave wavy",
        "leaves": "leaf leafy",
        "lemons": "lemon",
        "diamonds": "diamond",
        "zigzag": "chevron zig-zag",
        "plain": "solid unpatterned",
    },
    "material": {
        "wool": "woollen woolen",
        "knit": "knitted",
        "denim": "jean",
        "leather|suede": "leather",
        "quilted": "padded",
        "linen": "",
        "silk": "silky",
        "rubber": "",
        "straw": "woven",
    },
    "season": {
        "spring-autumn": "spring autumn fall",
        "winter": "wintry snow snowy freezing",
        "summer": "summery heatwave",
    },
    "occasion": {
        "commute": "commuting commuter train bus",
        "work": "office business meeting interview workwear",
        "formal": "gala black-tie ceremony opera elegant",
        "wedding": "weddings",
        "party": "parties club clubbing dancing night-out",
        "date": "dinner romantic",
        "weekend": "casual everyday",
        "home": "lounge lounging cosy cozy",
        "travel": "travelling traveling trip flight",
        "sport": "sports sporty gym running run workout training jogging yoga",
        "hiking": "hike trail mountain mountains outdoors",
        "beach": "seaside swim swimming pool",
        "rain": "rainy raining wet drizzle",
    },
    "wearer": {
        "women": "woman womens women's ladies female her",
        "men": "man mens men's gentlemen male him",
    },
    "waterproof": {"yes": "waterproof water-proof rainproof"},
}
_STOP_WORDS = (
    "a an and any are as at be but by can do for from get give go have i in is it its like look "
    "looking me my need nice of on one or outfit please show some something that the them these "
    "thing things this those to under very want wear wearing what with would you your clothes "
    "garment garments colour color coloured colored pattern patterned print printed"
)
_STOP = frozenset(_STOP_WORDS.split())
_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def mentions(text: str) -> list[Mention]:
    """Every attribute ``text`` names, longest phrases first taken; other words as ``text``."""
    tokens = tuple(_TOKEN.findall(text.lower().replace("’", "'")))
    phrases, longest = _phrases()
    found: list[Mention] = []
    i = 0
    while i < len(tokens):
        for size in range(min(longest, len(tokens) - i), 0, -1):
            named = phrases.get(tokens[i : i + size])
            if named:
                found += [m for m in named if m not in found]
                i += size
                break
        else:
            word = tokens[i]
            if word not in _STOP and len(word) > 2:
                mention = Mention("text", frozenset({_single(word)}))
                if mention not in found:
                    found.append(mention)
            i += 1
    return found


def meets(card: Garment, mention: Mention) -> bool:
    """Whether ``card`` has what ``mention`` names."""
    return not mention.values.isdisjoint(facts(card)[mention.facet])


def facts(card: Garment) -> dict[str, frozenset[str]]:
    """A card's values for every facet of ``Mention``."""
    return _facts(card)


@lru_cache(maxsize=200_000)
def _facts(card: Garment) -> dict[str, frozenset[str]]:
    prose = f"{card.id} {card.name} {card.trigger} {card.cloth.trim} {card.description}"
    return {
        "category": frozenset({card.category}),
        "color": frozenset({card.color}),
        "slot": frozenset({card.slot}),
        "pattern": frozenset({card.pattern}),
        "material": frozenset({card.material}),
        "season": frozenset(card.seasons),
        "occasion": frozenset(card.occasions),
        "wearer": frozenset(card.wearers),
        "waterproof": frozenset({"yes"} if card.waterproof else ()),
        "text": frozenset(_single(word) for word in _TOKEN.findall(prose.lower())),
    }


@lru_cache(maxsize=1)
def _phrases() -> tuple[dict[tuple[str, ...], list[Mention]], int]:
    """Phrase (as words) → what it names; and the length of the longest phrase."""
    from catalog.croquis.cloth import PATTERNS  # brings the drawing library: only when searched

    table: dict[tuple[str, ...], list[Mention]] = {}

    def put(phrase: str, facet: str, values: frozenset[str], *, twins: bool = True) -> None:
        words = _TOKEN.findall(phrase.lower())
        forms = {tuple(words)}
        if twins:
            last = words[-1]
            many = last + ("es" if last.endswith(("s", "x", "ch")) else "s")
            forms |= {(*words[:-1], many), (*words[:-1], _single(last))}
        for form in forms:
            named = table.setdefault(form, [])
            if all(m.facet != facet for m in named):
                named.append(Mention(facet, values))

    for facet, groups in _MORE.items():  # shoppers' words first: they say the wider meaning
        for meant, said in groups.items():
            for phrase in said.split():
                put(
                    phrase.replace("-", " "),
                    facet,
                    frozenset(meant.split("|")),
                    twins=facet == "category",
                )
    own: dict[str, tuple[str, ...]] = {
        "color": tuple(COLORS),
        "category": tuple(CATEGORIES),
        "slot": SLOTS,
        "pattern": PATTERNS,
        "material": tuple(sorted({m for c in CATEGORIES.values() for m in c.materials})),
        "season": SEASONS,
        "occasion": OCCASIONS,
    }
    for facet, names in own.items():
        for name in names:
            put(name, facet, frozenset({name}), twins=facet in ("category", "pattern", "occasion"))
    for said, meant in (("women", "women"), ("men", "men")):
        put(said, "wearer", frozenset({meant}), twins=False)
    return table, max(map(len, table))


def _single(word: str) -> str:
    """A word without its plural s."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
