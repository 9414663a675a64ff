"""A LoRA is admitted when it works, and only where it should."""

import numpy as np
import pytest

from catalog.base import load_base
from catalog.errors import BadValue
from catalog.starter import starter_garments, starter_lora_file, starter_photos
from tools import admission
from tools.admission import Trial, examine, judged

SHEET = np.zeros((2, 2, 3), np.uint8)


def trials(*rows: tuple[float, float, float, float]) -> tuple[Trial, ...]:
    """(inside, person, elsewhere, color) for each strength."""
    return tuple(Trial(s, *row) for s, row in zip(admission.STRENGTHS, rows, strict=True))


def test_of_equally_good_strengths_the_one_nearest_to_one_is_preferred():
    report = judged(20.0, trials((9, 1, 1, 6), (9, 1, 1, 5), (9, 1, 1, 5.2), (9, 1, 1, 7)), SHEET)
    assert report.wearable and report.strength == 1.0 and report.usable == (0.6, 1.25)
    assert report.flags == ()


def test_a_lora_that_changes_nothing_is_weak_and_not_wearable():
    report = judged(9.0, trials(*[(0.2, 0, 0, 9.0)] * 4), SHEET)
    assert report.flags == ("weak",) and not report.wearable


def test_an_overcooked_one_is_worn_at_a_strength_that_is_not():
    report = judged(20.0, trials((9, 1, 1, 5), (9, 1, 1, 6), (9, 1, 1, 9), (9, 1, 1, 30)), SHEET)
    assert report.flags == ("overcooked",) and report.wearable
    assert report.strength == 0.6 and report.usable == (0.6, 0.8)


def test_strengths_that_leak_are_not_usable_and_one_that_always_leaks_is_not_wearable():
    some = judged(20.0, trials((9, 1, 1, 8), (9, 1, 5, 6), (9, 1, 9, 4), (9, 9, 9, 4)), SHEET)
    assert some.wearable and some.usable == (0.6, 0.8) and some.strength == 0.8
    face = judged(20.0, trials(*[(9, 8, 2, 5)] * 4), SHEET)
    all_over = judged(20.0, trials(*[(9, 2, 8, 5)] * 4), SHEET)
    assert face.flags == ("leaks into the person",) and all_over.flags == ("leaks",)
    assert not face.wearable and not all_over.wearable


def test_wrong_colours_are_said():
    report = judged(30.0, trials(*[(9, 1, 1, 40)] * 4), SHEET)
    assert report.flags == ("wrong colours",) and not report.wearable
    # nor is one offered that takes colours away which the words alone had brought
    harm = judged(4.0, trials(*[(9, 1, 1, 9)] * 4), SHEET)
    assert harm.flags == ("wrong colours",) and not harm.wearable


@pytest.fixture
def brief(monkeypatch):
    monkeypatch.setattr(admission, "STRENGTHS", (1.0,))
    monkeypatch.setattr(admission, "STEPS", {"croquis": 2})


def test_a_starter_garments_lora_is_measured_in_its_region(brief, monkeypatch):
    card = next(g for g in starter_garments() if g.id == "navy-zigzag-sweater")
    drawn = []
    report = examine(
        card,
        starter_lora_file(card.id),
        load_base(),
        photos=starter_photos(card, 3),
        progress=lambda n, of: drawn.append((n, of)),
    )
    assert drawn == [(i, 4) for i in range(4)]
    (trial,) = report.trials
    assert trial.inside > admission.EFFECT > 0 and trial.inside > 2 * trial.elsewhere
    assert report.sheet.shape == (2 * 384, 512, 3)
    first, second = report.sheet[:384], report.sheet[384:]
    assert np.abs(first.astype(int) - second).mean() > 1, "each row has its own noise"
    # its LoRA brings it nearer to its own photos, not to another garment's
    assert 0 < trial.look < report.off_look < 2
    other = next(g for g in starter_garments() if g.id == "white-cotton-tee")
    beside = examine(card, starter_lora_file(card.id), load_base(), photos=starter_photos(other, 3))
    assert beside.trials[0].look > trial.look + 0.1
    # what is measured is the mean of what each seed shows
    alone = []
    for seed in admission.SEEDS:
        monkeypatch.setattr(admission, "SEEDS", (seed,))
        alone.append(examine(card, starter_lora_file(card.id), load_base()).trials[0])
    assert trial.color == pytest.approx(np.mean([t.color for t in alone]), abs=2e-3)
    assert trial.inside == pytest.approx(np.mean([t.inside for t in alone]), abs=2e-3)
    assert report.facts()["trials"][0]["strength"] == 1.0


def test_a_file_that_is_no_lora_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(BadValue):
        examine(starter_garments()[0], path, load_base())
