"""Catalog: add, find, get, remove. The folders are the truth; Chroma is the index over them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from catalog.croquis.palette import COLORS
from catalog.errors import BadValue, Damaged, UnknownName, clip
from catalog.garment import CATEGORIES, SEASONS, SLOTS, Garment
from catalog.store import Store
from catalog.vectors import NEAREST, Vectors
from catalog.words import WEIGHTS, Mention, meets, mentions

MAX_TEXT = 2000
"""Characters of a search text."""
MAX_LIMIT = 100_000
_MEANING = 0.4
"""Share of a score that is similarity of meaning; the rest is attributes named and met."""
_TOP_SIMILARITY = 0.75
"""Cosine similarity that counts as full: the model hardly gives more to a query and a card."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, how many there are."""

ORDERS: dict[str, Callable[[Garment], float]] = {
    "best": lambda card: 0.0,
    "cheapest": lambda card: card.price,
    "dearest": lambda card: -card.price,
    "warmest": lambda card: -card.clo,
    "lightest": lambda card: card.clo,
}
"""What may come first in a search; "best" is what meets the words best."""
_DESCRIBING = {"category", "slot", "color", "pattern", "material"}


class Catalog:
    """What can be worn, under ``<home>/catalog``.

    Opening installs the starter catalog on first use (some seconds; atomic for each garment, taken
    up again after an interruption). Reading needs no lock and any number of processes may do it;
    a change takes the one lock or raises ``Busy`` at once, naming who holds it. The search index
    is built, checked and mended by itself, on the first text search.
    """

    def __init__(
        self, home: Path | str, *, starter: bool = True, progress: Progress | None = None
    ) -> None:
        self.store = Store(Path(home))
        self._vectors = Vectors(self.store.root / "index")
        self._lock = threading.Lock()
        self._seen: tuple[int, dict[str, Garment], dict[str, Damaged]] | None = None
        if starter:
            from catalog.starter.install import install_starter

            install_starter(self.store, progress)

    # ---------------------------------------------------------------- reading

    @property
    def generation(self) -> int:
        """Grows with every change to the catalog."""
        return self.store.generation

    def get(self, id: str) -> Garment:
        """The garment ``id``. Raises ``UnknownName`` naming the nearest, ``Damaged``."""
        _, cards, problems = self._cards()
        if isinstance(id, str) and id in cards:
            return cards[id]
        if isinstance(id, str) and id in problems:
            raise problems[id]
        raise UnknownName.among("garment", id, cards)

    def all(self) -> list[Garment]:
        """Every garment whose card can be read, sorted by id."""
        return list(self._cards()[1].values())

    @property
    def problems(self) -> dict[str, Damaged]:
        """What is wrong, by id, with garments that ``all`` leaves out."""
        return dict(self._cards()[2])

    def find(
        self,
        text: str = "",
        *,
        slot: str | None = None,
        season: str | None = None,
        color: str | None = None,
        category: str | None = None,
        min_formality: float = 0.0,
        max_formality: float = 1.0,
        max_price: float | None = None,
        available: bool = True,
        order: str = "best",
        limit: int = 8,
    ) -> list[tuple[Garment, float]]:
        """Garments that meet every filter, with how well they meet ``text`` (0–1), best first.

        ``text``: at most 2000 characters in shoppers' words; empty = everything that meets the
        filters, by id, each with score 1. ``available``: only what can be bought now; False = the
        rest too. ``order``: one of ``ORDERS``; after any but "best", only what meets each word of
        kind, colour, pattern and material in ``text``. ``limit``: 1–100000.
        Raises ``UnknownName`` for a filter word that does not exist, ``BadValue`` for a number or
        text outside its limits.
        """
        text = _clean(text)
        for kind, value, known in (
            ("slot", slot, SLOTS),
            ("season", season, SEASONS),
            ("color", color, COLORS),
            ("category", category, CATEGORIES),
            ("order", order, ORDERS),
        ):
            if value is not None and (not isinstance(value, str) or value not in known):
                raise UnknownName.among(kind, value, known)
        low = _number("min_formality", min_formality, 0, 1)
        high = _number("max_formality", max_formality, 0, 1)
        if low > high:
            raise BadValue(f"min_formality {low:g} is above max_formality {high:g}.", "Swap them.")
        price = None if max_price is None else _number("max_price", max_price, 0, 1e9)
        limit = _limit(limit)

        generation, cards, _ = self._cards()
        wanted = [
            card
            for card in cards.values()
            if (slot is None or card.slot == slot)
            and (season is None or season in card.seasons)
            and (color is None or card.color == color)
            and (category is None or card.category == category)
            and low <= card.formality <= high
            and (price is None or card.price <= price)
            and (card.available or not available)
        ]
        if order != "best":
            asked = [m for m in mentions(text) if m.facet in _DESCRIBING]
            wanted = [card for card in wanted if all(meets(card, m) for m in asked)]
            wanted.sort(key=lambda card: (ORDERS[order](card), card.id))
            return [(card, 1.0) for card in wanted[:limit]]
        if not text or not wanted:
            return [(card, 1.0) for card in wanted[:limit]]
        near = self._vectors.similar(text, cards, wanted, generation)
        if len(wanted) > 10 * NEAREST:
            wanted = [card for card in wanted if card.id in near]
        named = _sayable(mentions(text), wanted)
        scored = [(card, _score(card, near.get(card.id, 0.0), named)) for card in wanted]
        scored.sort(key=lambda pair: (-pair[1], pair[0].id))
        return scored[:limit]

    def find_like(
        self,
        photo: bytes,
        *,
        slot: str | None = None,
        limit: int = 8,
        progress: Progress | None = None,
    ) -> list[tuple[Garment, float]]:
        """Garments that look like the one in ``photo``, with cosine similarity, best first.

        ``photo``: a PNG, JPEG or WebP file with one garment before an even background. The first
        call looks at the catalog's photos (some seconds) and remembers what it saw.
        Raises ``BadValue`` (no photo, nothing stands out), ``UnknownName`` for a slot that does not
        exist, ``ModelUnavailable``, ``Damaged``.
        """
        from catalog.likeness import Likeness, embed
        from catalog.photo_file import photo_pixels, photo_png
        from catalog.photos import cut_out

        if slot is not None and slot not in SLOTS:
            raise UnknownName.among("slot", slot, SLOTS)
        limit = _limit(limit)
        pixels = photo_pixels(photo_png(photo))
        wanted = embed(pixels, cut_out(pixels))
        _, cards, _ = self._cards()
        peers = {id: self.photos(id) for id, c in cards.items() if slot is None or c.slot == slot}
        if not peers:
            return []
        ids, vectors = Likeness(self.store.root / "index").of_photos(peers, progress)
        near = vectors @ wanted
        return [(cards[ids[i]], float(near[i])) for i in np.argsort(-near, kind="stable")[:limit]]

    def photos(self, id: str) -> list[Path]:
        """Photo files of garment ``id``, in order. Raises ``UnknownName``, ``Damaged``."""
        return self.store.photos(id)

    def lora(self, id: str, sha256: str | None = None) -> Path:
        """The LoRA of garment ``id``, its content checked against the card.

        ``sha256``: an earlier version, as a receipt names it. Raises ``UnknownName``,
        ``ModelUnavailable`` when none is trained yet, ``Damaged`` naming file and remedy.
        """
        return self.store.lora(id, sha256)

    def season_lora(self, season: str, sha256: str | None = None) -> Path:
        """The LoRA of a season, checked. Raises as ``lora`` does."""
        return self.store.season_lora(season, sha256)

    def season_sha256(self, season: str) -> str:
        """Content hash of a season's current LoRA; "" when none is trained yet."""
        return self.store.season_sha256(season)

    # ---------------------------------------------------------------- writing

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Hold the catalog while ``what`` is done. Raises ``Busy`` at once, naming the holder."""
        with self.store.writing(what):
            yield

    def add(self, card: Garment, photos: Sequence[bytes], lora: bytes | None = None) -> Garment:
        """Add a garment with 1–64 photos (PNG, JPEG or WebP files as bytes) and maybe a LoRA.

        Returns the card with its LoRA's hash. Raises ``BadValue`` (a word of the card, a photo,
        the LoRA, or the id is taken), ``Busy``, ``CannotNow``.
        """
        _check_card(card)
        return self.store.add(card, photos, lora)

    def replace_lora(
        self, id: str, data: bytes, *, strength: float | None = None, flags: Sequence[str] = ()
    ) -> Garment:
        """Give garment ``id`` a new LoRA (a new immutable file; the old one stays for replays).

        ``flags``: what its admission test found.

        Raises ``UnknownName``, ``BadValue`` (not a sound LoRA, other base, strength), ``Busy``.
        """
        return self.store.replace_lora(id, data, strength=strength, flags=flags)

    def replace_season_lora(self, season: str, data: bytes) -> str:
        """Give ``season`` a new LoRA; returns its content hash."""
        return self.store.replace_season_lora(season, data)

    def remove(self, id: str) -> None:
        """Take garment ``id`` out. Raises ``UnknownName``, ``Busy``."""
        self.store.remove(id)

    def rebuild(self, progress: Progress | None = None) -> int:
        """Check every folder, mend starter garments, build the search index from nothing.

        Returns how many garments the index holds. What cannot be mended is left out and listed in
        ``problems``. Raises ``Busy``.
        """
        from catalog.starter.install import mend

        with self.store.writing("rebuilding the catalog"):
            broken = mend(self.store, progress)
            self._seen = None
            generation, cards, problems = self._cards()
            problems.update(broken)
            if progress:
                progress("building the search index", len(cards), len(cards))
            self._vectors.rebuild(cards, generation)
        return len(cards)

    def close(self) -> None:
        """Let go of the index's files."""
        self._vectors.close()

    def _cards(self) -> tuple[int, dict[str, Garment], dict[str, Damaged]]:
        """Generation, readable cards and unreadable ones; read again when the number changed."""
        with self._lock:
            for _ in range(5):
                generation = self.store.generation
                if self._seen and self._seen[0] == generation and generation >= 0:
                    break
                cards: dict[str, Garment] = {}
                problems: dict[str, Damaged] = {}
                for id in self.store.ids():
                    try:
                        cards[id] = self.store.card(id)
                    except Damaged as problem:
                        problems[id] = problem
                    except UnknownName:
                        continue  # removed while we looked
                self._seen = generation, cards, problems
                if self.store.generation == generation:
                    break
            assert self._seen is not None
            return self._seen


def _score(card: Garment, similarity: float, named: list[Mention]) -> float:
    """0–1: meaning and attributes blended; without named attributes meaning alone."""
    meaning = min(max(similarity / _TOP_SIMILARITY, 0.0), 1.0)
    total = sum(WEIGHTS[m.facet] for m in named)
    if not total:
        return meaning
    met = sum(WEIGHTS[m.facet] for m in named if meets(card, m)) / total
    return _MEANING * meaning + (1 - _MEANING) * met


def _sayable(named: list[Mention], cards: Sequence[Garment]) -> list[Mention]:
    """Without the free words that no card says, as they tell nothing apart."""
    return [m for m in named if m.facet != "text" or any(meets(card, m) for card in cards)]


def _clean(text: str) -> str:
    """A search text as one plain line. Raises ``BadValue`` when it is none or too long."""
    if not isinstance(text, str):
        raise BadValue("A search text is words.", "Describe the garment in a few words.")
    if len(text) > MAX_TEXT:
        raise BadValue(
            f"The search text has {len(text)} characters; at most {MAX_TEXT} are read.",
            "Describe the garment in a few words.",
        )
    text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


_INSIDE = "Give a number in between, or leave it out."


def _limit(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_LIMIT:
        raise BadValue(
            f"limit is a whole number from 1 to {MAX_LIMIT}, not {clip(value)}.", _INSIDE
        )
    return value


def _number(name: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadValue(f"{name} is a number from {low:g} to {high:g}, not {clip(value)}.", _INSIDE)
    if not low <= value <= high:
        raise BadValue(f"{name} lies between {low:g} and {high:g}, not at {value:g}.", _INSIDE)
    return float(value)


def _check_card(card: Garment) -> None:
    """Words of the card must exist, and its shape must be one its category comes in."""
    kind = CATEGORIES.get(card.category)
    if kind is None:
        raise UnknownName.among("category", card.category, CATEGORIES)
    if card.color not in COLORS:
        raise UnknownName.among("color", card.color, COLORS)
    for what, value, known in (
        ("slot", card.slot, (kind.slot,)),
        ("length", card.shape.length, kind.lengths),
        ("sleeves", card.shape.sleeves, kind.sleeves),
        ("fit", card.shape.fit, kind.fits),
    ):
        if value not in known:
            raise BadValue(
                f"A {kind.name} has no {what} “{clip(value)}”.", f"It can be {', '.join(known)}."
            )
