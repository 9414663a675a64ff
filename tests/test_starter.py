"""The starter catalog: wide enough to dress anybody, and never what base training drew."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from pythermalcomfort.utilities import clo_individual_garments

from catalog.croquis import cloth, palette
from catalog.garment import CATEGORIES, SEASONS, SLOTS, Garment
from catalog.index import Catalog
from catalog.starter import install as installer
from catalog.starter import starter_garments, starter_photos
from catalog.words import OCCASIONS

GARMENTS = starter_garments()
COVERED = ("formal", "work", "commute", "weekend", "sport", "beach", "rain", "party")


def by_id(id):
    return next(g for g in GARMENTS if g.id == id)


def test_there_are_enough_garments_of_every_kind():
    assert len(GARMENTS) >= 64
    assert len({g.category for g in GARMENTS}) >= 25
    assert {g.slot for g in GARMENTS} == set(SLOTS)
    assert {g.color for g in GARMENTS} == set(palette.COLORS)
    for slot in SLOTS:
        assert sum(g.slot == slot for g in GARMENTS) >= 2


def test_base_training_never_draws_a_starter_shade():
    for garment in GARMENTS:
        for shade in garment.cloth.colors:
            assert palette.held_out(shade), (garment.id, shade)
    rng = np.random.default_rng(0)
    drawn = {palette.training_shade(w, rng) for w in palette.COLORS for _ in range(20)}
    assert not any(map(palette.held_out, drawn))
    assert drawn.isdisjoint(c for g in GARMENTS for c in g.cloth.colors)


def test_held_out_prints_and_trims_are_not_the_base_s():
    assert set(cloth.PRINTS_HELD).isdisjoint(cloth.PATTERNS_BASE)
    assert set(cloth.TRIMS_HELD).isdisjoint(cloth.TRIMS_BASE)
    patterned = [g for g in GARMENTS if g.pattern != "plain"]
    held = [g for g in patterned if g.pattern in cloth.PRINTS_HELD]
    assert {g.pattern for g in held} == set(cloth.PRINTS_HELD)
    assert len(held) >= len(patterned) / 2


def test_every_card_agrees_with_its_category_and_the_words_of_the_world():
    for g in GARMENTS:
        kind = CATEGORIES[g.category]
        assert g.slot == kind.slot, g.id
        assert g.shape.length in kind.lengths and g.shape.sleeves in kind.sleeves, g.id
        assert g.shape.fit in kind.fits and g.material in kind.materials, g.id
        assert kind.can_open or not g.shape.open, g.id
        assert g.color == palette.color_word(g.cloth.colors[0]), g.id
        assert g.pattern in cloth.PATTERNS and g.cloth.trim in cloth.TRIMS, g.id
        assert set(g.occasions) <= set(OCCASIONS) and g.occasions, g.id
        assert g.price > 0 and g.sizes and g.description and g.currency == "EUR", g.id
        assert (len(g.cloth.colors) > 1) or g.pattern == "plain", g.id


def test_ids_triggers_names_and_seeds_are_unique_and_triggers_are_no_words():
    for values in (
        [g.id for g in GARMENTS],
        [g.trigger for g in GARMENTS],
        [g.name for g in GARMENTS],
        [g.seed for g in GARMENTS],
    ):
        assert len(set(values)) == len(values)
    prose = " ".join(f"{g.name} {g.description} {g.category}" for g in GARMENTS).lower()
    for g in GARMENTS:
        assert re.fullmatch(r"[a-z]{5,7}", g.trigger) and g.trigger not in prose


def test_every_clo_value_names_its_source_and_agrees_with_the_library():
    for g in GARMENTS:
        assert g.clo_source, g.id
        if "pythermalcomfort" in g.clo_source:
            name = re.search("“(.+)”", g.clo_source)[1]
            assert g.clo == clo_individual_garments[name], g.id
        if g.slot in ("headwear", "eyewear", "neckwear", "bag"):
            assert g.clo == 0, g.id


@pytest.mark.parametrize(
    ("wearer", "season", "occasion"),
    list(itertools.product(("women", "men"), SEASONS, COVERED)),
)
def test_a_whole_outfit_exists(wearer, season, occasion):
    fitting = [
        g
        for g in GARMENTS
        if g.available and wearer in g.wearers and season in g.seasons and occasion in g.occasions
    ]
    slots = {g.slot for g in fitting}
    assert {"top", "bottom"} <= slots or "onepiece" in slots
    assert "footwear" in slots
    if season == "winter" or occasion == "rain":
        assert "outerwear" in slots
    if occasion == "rain":
        assert any(g.waterproof and g.slot == "outerwear" for g in fitting)
        assert any(g.waterproof and g.slot == "footwear" for g in fitting)


def test_photos_are_redrawn_alike_and_vary_among_themselves():
    garment = by_id("navy-wool-coat")
    first, again = starter_photos(garment, 2), starter_photos(garment, 2)
    assert all(p.shape == (384, 256, 3) and p.dtype == np.uint8 for p in first)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("id", ["navy-wool-coat", "navy-zigzag-sweater", "plaid-flannel-shirt"])
def test_photos_show_the_ground_colour_of_the_card(id):
    garment = by_id(id)
    wanted = palette.srgb_to_lab(palette.hex_to_rgb(garment.cloth.colors[0]))
    pixels = palette.srgb_to_lab(starter_photos(garment, 1)[0].reshape(-1, 3))
    assert (palette.delta_e(pixels, wanted) < 12).mean() > 0.03


@pytest.fixture
def few(monkeypatch):
    """An installation of four garments."""
    cards = [by_id(i) for i in ("navy-wool-coat", "white-cotton-tee", "navy-diamond-tie")]
    monkeypatch.setattr(installer, "starter_garments", lambda: cards)
    return cards


def test_first_use_installs_and_the_second_does_nothing(tmp_path, few):
    told = []
    catalog = Catalog(tmp_path, progress=lambda *step: told.append(step))
    assert [g.id for g in catalog.all()] == sorted(g.id for g in few)
    assert len(catalog.photos("navy-wool-coat")) == 10
    assert told[0][1:] == (0, 3) and told[-1][1:] == (3, 3)
    before = catalog.generation
    assert Catalog(tmp_path, progress=lambda *step: 1 / 0).generation == before


def test_a_removed_starter_garment_stays_removed(tmp_path, few, monkeypatch):
    Catalog(tmp_path).remove("navy-diamond-tie")
    monkeypatch.setattr(installer, "_stamp", lambda: "an update of the program")
    assert "navy-diamond-tie" not in [g.id for g in Catalog(tmp_path).all()]


def test_an_update_follows_the_program_but_not_over_the_person(tmp_path, few, monkeypatch):
    catalog = Catalog(tmp_path)
    own = catalog.get("white-cotton-tee").model_copy(update={"price": 1.0})
    files = {"photos/00.png": catalog.photos(own.id)[0].read_bytes()}
    catalog.store.put(own, files, over=True)
    newer = [g.model_copy(update={"price": 999.0}) for g in few]
    monkeypatch.setattr(installer, "starter_garments", lambda: newer)
    monkeypatch.setattr(installer, "_stamp", lambda: "an update of the program")
    catalog = Catalog(tmp_path)
    assert catalog.get("navy-wool-coat").price == 999.0
    assert catalog.get("white-cotton-tee").price == 1.0


def test_an_update_waits_while_somebody_writes(tmp_path, few, monkeypatch):
    catalog = Catalog(tmp_path)
    monkeypatch.setattr(installer, "_stamp", lambda: "an update of the program")
    opened = []
    with catalog.writing("a long training"):
        thread = threading.Thread(target=lambda: opened.append(Catalog(tmp_path).all()))
        thread.start()
        thread.join(timeout=10)
    assert opened == [catalog.all()]


def test_rebuild_mends_a_broken_starter_garment(tmp_path, few):
    catalog = Catalog(tmp_path)
    (catalog.store.garments / "navy-wool-coat" / "card.json").write_text("{")
    catalog.photos("white-cotton-tee")[3].write_bytes(b"\x89PNG")
    assert catalog.rebuild() == 3
    assert catalog.get("navy-wool-coat") == few[0]
    assert catalog.photos("white-cotton-tee")[3].stat().st_size > 1000


def test_a_killed_installation_is_taken_up_again(tmp_path):
    code = "import sys; from catalog.index import Catalog; Catalog(sys.argv[1])"
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    place = tmp_path / "catalog" / "garments"
    deadline = time.monotonic() + 60
    while len(list(place.glob("[a-z]*"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    partly = Catalog(tmp_path, starter=False)
    assert 4 <= len(partly.all()) < len(GARMENTS) and not partly.problems
    assert not (tmp_path / "catalog" / "starter.json").exists()
    kept = {g.id: (place / g.id).stat().st_mtime_ns for g in partly.all()}
    stop = {"n": 0}

    def halt(*step):
        stop["n"] += 1
        if stop["n"] > len(kept) + 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Catalog(tmp_path, progress=halt)
    again = Catalog(tmp_path, starter=False)
    assert len(again.all()) > len(kept) and not again.problems
    assert all((place / id).stat().st_mtime_ns == t for id, t in kept.items())
    assert not list(place.glob(".*"))


def test_a_home_of_before_cards_had_flags_still_has_the_programs_own_cards():
    card = starter_garments()[0]
    before = card.model_dump_json(exclude={"flags", "shades"})
    assert "flags" not in before and "shades" not in before
    digest = hashlib.sha256(before.encode()).hexdigest()
    assert installer._digest(card) == digest
    assert installer._digest(card.model_copy(update={"flags": ("weak",)})) == digest


def test_a_home_of_before_cards_had_shades_gets_them_and_a_changed_card_stays(
    installed_home, tmp_path
):
    shutil.copytree(installed_home / "catalog", tmp_path / "catalog")
    place = tmp_path / "catalog"
    note = json.loads((place / "starter.json").read_text())
    for id, price in (("teal-dots-raincoat", None), ("pink-heart-tee", 1.0)):
        path = place / "garments" / id / "card.json"
        card = json.loads(path.read_text())
        assert card.pop("shades")
        old = Garment.model_validate(card)
        digest = installer._digest(old)
        note["cards"][id] = f"{digest}:{note['cards'][id].split(':')[1]}"
        path.write_text(json.dumps(card if price is None else card | {"price": price}))
    note["stamp"] = "of before"
    (place / "starter.json").write_text(json.dumps(note))
    catalog = Catalog(tmp_path)
    assert catalog.get("teal-dots-raincoat").shades
    changed = catalog.get("pink-heart-tee")
    assert changed.price == 1.0 and not changed.shades
