"""Every word that a wish, a plan or a card can use."""

from __future__ import annotations

from catalog.croquis.cloth import PATTERNS
from catalog.croquis.figure import AGES, BODIES, HAIR, HAIR_COLORS, POSES, PRESENTATIONS, SKINS
from catalog.croquis.palette import COLORS
from catalog.croquis.scene import SCENES
from catalog.garment import CATEGORIES, SEASONS, SLOTS
from catalog.index import Catalog


def words(catalog: Catalog) -> dict[str, list[str]]:
    """Kind of word → the words it can take."""
    cards = catalog.all()
    return {
        "color": list(COLORS),
        "pattern": list(PATTERNS),
        "category": list(CATEGORIES),
        "slot": list(SLOTS),
        "season": list(SEASONS),
        "material": sorted({m for c in CATEGORIES.values() for m in c.materials}),
        "occasion": sorted({o for card in cards for o in card.occasions}),
        "pose": list(POSES),
        "scene": list(SCENES),
        "body": list(BODIES),
        "skin": list(SKINS),
        "hair": list(HAIR),
        "hair_color": list(HAIR_COLORS),
        "presentation": list(PRESENTATIONS),
        "age": list(AGES),
    }
