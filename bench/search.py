"""Figures of the search by picture: from a photo, and from a garment seen worn."""

from __future__ import annotations

import numpy as np

from bench import renders
from bench.figures import Measured, figure, once
from bench.outfits import class_of, outfits
from catalog.likeness import Likeness, embed
from catalog.photo_file import photo_pixels
from catalog.photos import cut_out


@once
def _known() -> tuple[list[str], np.ndarray]:
    """Every starter garment by the photos that stand for it."""
    catalog = renders.studio().catalog
    photos = {card.id: catalog.photos(card.id) for card in catalog.all()}
    return Likeness(catalog.store.root / "index").of_photos(photos)


def _hits(queries: list[tuple[str, np.ndarray]], within: int) -> float:
    ids, vectors = _known()
    found = [id in [ids[i] for i in np.argsort(-(vectors @ x))[:within]] for id, x in queries]
    return 100 * float(np.mean(found))


@figure("photo-search", better="higher", issue=3, unit="%", minutes=1)
def photo_search() -> Measured:
    """Garments whose last photo finds them first, of all starter garments."""
    catalog = renders.studio().catalog
    queries = []
    for card in catalog.all():
        pixels = photo_pixels(catalog.photos(card.id)[-1].read_bytes())
        queries.append((card.id, embed(pixels, cut_out(pixels))))
    note = f"{len(queries)} garments; among the first five {_hits(queries, 5):.0f} %"
    return Measured(_hits(queries, 1), note=note)


@figure("worn-search", better="higher", issue=3, unit="%", minutes=1)
def worn_search() -> Measured:
    """Garments that a drawing of somebody wearing them finds among the first five, by mask."""
    queries = [
        (o.garments[i].id, embed(o.picture, o.classes == class_of(o.garments[i])))
        for o in outfits()
        for i in o.visible
    ]
    note = f"{len(queries)} garments in outfits; first {_hits(queries, 1):.0f} %"
    return Measured(_hits(queries, 5), note=note)
