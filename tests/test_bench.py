import json
import math

import numpy as np
import pytest
import torch

from bench import __main__ as bench
from bench import base as bench_base
from bench import (
    cloths,
    judge_pictures,
    judges,
    measure,
    model_card,
    outfits,
    pictures,
    poses,
    renders,
    swaps,
    together,
)
from bench.figures import FIGURES, Figure, Measured, NotYet, figure, load_all
from catalog.base import load_base
from catalog.croquis import palette
from catalog.croquis.figure import Person
from catalog.croquis.posture import Keypoints
from catalog.starter import starter_garments
from tools import pose

KEYS = {
    "figure", "value", "target", "better", "issue", "command", "world", "date", "commit", "seconds",
}  # fmt: skip


def _figure(name: str, measured, **words) -> Figure:
    words = {"better": "lower", "issue": 3, "target": 2.0, "next": 1.0, "unit": "s"} | words
    return Figure(name, "It measures.", measured, minutes=0.1, **words)


def test_every_figure_says_what_it_measures_and_what_must_hold():
    figures = load_all()
    assert {"silhouette-iou", "garment-delta-e", "leak-pixels", "season", "lora-closer"} <= set(
        figures
    )
    for name, one in figures.items():
        assert one.name == name and len(one.what) > 20 and one.minutes > 0
        assert one.issue in (3, 4, 5, 6, 7, 8)
        if one.target is not None and one.next is not None:
            further = one.next > one.target if one.better == "higher" else one.next < one.target
            assert further, name


def test_a_figure_without_a_description_or_with_a_taken_name_is_refused():
    with pytest.raises(ValueError, match="does not say"):
        figure("new-figure", better="lower", issue=3)(lambda: Measured(1.0))
    with pytest.raises(ValueError, match="no good name"):
        figure("silhouette-iou", better="lower", issue=3)
    assert "new-figure" not in FIGURES


def test_results_hold_every_key_and_the_last_value_of_what_could_not_be_measured(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results.json")

    def missing() -> Measured:
        raise NotYet("the base is not trained")

    fine = _figure("fine", lambda: Measured(1.5, 1.2, "a note"))
    later = _figure("later", lambda: Measured(9.0))
    assert bench.run({"fine": fine, "later": later}, ["fine", "later"], ["fine"]) == 1
    gone = _figure("later", missing)
    assert bench.run({"fine": fine, "later": gone}, ["later"], ["fine", "later"]) == 1
    table = capsys.readouterr().out
    rows = {row["figure"]: row for row in json.loads((tmp_path / "results.json").read_text())}
    assert set(rows) == {"fine", "later"} and rows["later"]["value"] == 9.0
    for row in rows.values():
        assert set(row) >= KEYS
        assert row["command"] == f"python -m bench {row['figure']}" and row["world"] >= 1
    assert "the base is not trained" in table and "a note" in table


def test_the_committed_results_are_in_the_register():
    figures = load_all()
    for row in bench.read_results().values():
        assert set(row) >= KEYS and row["figure"] in figures
        assert math.isfinite(row["value"])


def test_a_plain_region_in_the_cards_colour_is_at_distance_nothing():
    picture = np.full((40, 40, 3), palette.hex_to_rgb("#2f5fb3"), np.uint8)
    pixels = measure.labs(picture, np.ones((40, 40), bool))
    assert measure.card_delta_e(pixels, ["#2f5fb3"], True) < 0.01
    known = palette.delta_e(*palette.srgb_to_lab(
        np.array([palette.hex_to_rgb(c) for c in ("#2f5fb3", "#c8242c")])
    ))  # fmt: skip
    assert measure.card_delta_e(pixels, ["#c8242c"], True) == pytest.approx(float(known))
    assert measure.card_delta_e(pixels[:3], ["#2f5fb3"], True) == measure.MISSING


def test_a_patterned_region_is_compared_colour_by_colour():
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:] = palette.hex_to_rgb("#f7f7f5")
    stripes[::3] = palette.hex_to_rgb("#1c2a4d")
    pixels = measure.labs(stripes, np.ones((40, 40), bool))
    both = ["#1c2a4d", "#f7f7f5"]
    assert measure.card_delta_e(pixels, both, False) < 0.5
    assert measure.card_delta_e(pixels, both[::-1], False) < 0.5
    assert measure.card_delta_e(pixels, ["#1c2a4d", "#c8242c"], False) > 15


def test_colour_families_cover_every_colour_word_once():
    words = [w for family in measure.FAMILIES.values() for w in family]
    assert sorted(words) == sorted(palette.COLORS)
    lab = palette.srgb_to_lab(np.array([palette.hex_to_rgb("#2f8a4a")] * 30))
    assert measure.in_family(lab, 1, "dark green") and not measure.in_family(lab, 1, "red")


def test_transport_of_a_region_to_itself_costs_little():
    rng = np.random.default_rng(0)
    blue = palette.srgb_to_lab(rng.normal((40, 80, 180), 6, (500, 3)))
    red = palette.srgb_to_lab(rng.normal((190, 40, 40), 6, (500, 3)))
    assert measure.transport(blue, blue[::-1]) < 2.5 < 30 < measure.transport(blue, red)


def test_erosion_keeps_something_of_a_thin_garment():
    mask = np.zeros((60, 60), bool)
    mask[10:13, 5:45] = True
    assert 0 < measure.eroded(mask).sum() <= mask.sum()
    square = np.zeros((60, 60), bool)
    square[10:30, 10:30] = True
    assert measure.eroded(square).sum() == 16 * 16


def test_the_outfits_show_every_starter_garment_in_a_hundred_pairs():
    shown = [o.garments[i].id for o in outfits.outfits() for i in o.visible]
    assert len(shown) >= 100 and set(shown) == {g.id for g in starter_garments()}
    assert {s.garment.id for s in swaps.switches()} == set(shown)
    for outfit in outfits.outfits():
        assert len({g.slot for g in outfit.garments}) == len(outfit.garments)


def test_a_switched_off_lora_changes_nothing_else_of_the_plan():
    plan = outfits.outfits()[0].plan
    without = renders.without_lora(plan, 1)
    assert without.garments[1].strength == 0 and without.garments[1].id == plan.garments[1].id
    assert without.model_copy(update={"garments": plan.garments}) == plan


def test_the_judges_read_drawings_they_have_not_learned_from():
    drawn = [judge_pictures.sample(judge_pictures.HELD_OUT + 1000 + i) for i in range(14)]
    drawn = [one for one in drawn if max(one.season) == 1.0]
    shapes, seasons, kinds, patterns = [], [], [], []
    for one in drawn:
        seen = judges.segment(one.picture)
        for number, pattern, kind in one.garments:
            if (one.classes == number).sum() >= 150:
                read = (f(one.picture, seen == number) for f in (judges.category, judges.pattern))
                told = [judges.likeliest(shares) for shares in read]
                kinds.append(told[0] == kind)
                patterns.append(told[1] == pattern)
        shapes.append(measure.iou(seen > 0, one.classes > 0))
        likely = judges.season(one.picture, seen)
        seasons.append(one.season[list(likely).index(judges.likeliest(likely))])
    assert np.mean(shapes) > 0.93
    assert np.mean(seasons) > 0.7
    assert np.mean(kinds) > 0.6 and np.mean(patterns) > 0.7


def test_a_kind_is_told_from_near_and_from_the_figure_around_it():
    picture = np.full((384, 256, 3), 200, np.uint8)
    picture[300:320, 100:140] = (20, 90, 30)
    mask = (picture == (20, 90, 30)).all(2)
    near, far, box = judges.category_input(picture, mask)
    assert near.shape == (4, *judges.NEAR) and far.shape == (4, 192, 128)
    assert box.tolist() == pytest.approx([310 / 384, 120 / 256, 20 / 384, 40 / 256])
    columns = near[3, judges.NEAR[0] // 2] > 0.5
    assert 0.75 < columns.float().mean() < 0.9, "it fills the frame, with ground around it"
    assert (near[:3, 80, 2] > 0.5).all(), "what lies beside it is seen too"
    assert far[3].sum() == pytest.approx(mask.sum() / 4, rel=0.05)
    empty = judges.category_input(picture, np.zeros_like(mask))
    assert [float(x.abs().sum()) for x in (empty[0], empty[2])] == [0, 0]


def test_windows_lie_all_over_a_garment_and_show_nothing_else():
    picture, mask = np.zeros((384, 256, 3), np.uint8), np.zeros((384, 256), bool)
    picture[100:340, 40:216] = (200, 30, 60)
    picture[100:340, 120:130] = (20, 30, 60)
    mask[100:340, 40:216] = True
    windows = judges.pattern_windows(picture, mask)
    assert windows.shape == (9, 4, *judges.WINDOW)
    assert (windows[:, :3] * (1 - windows[:, 3:]) == 0).all()
    assert set(np.unique(windows[:, 3]).tolist()) <= {0, 1}
    small = np.zeros_like(mask)
    small[0:8, 250:256] = True
    assert judges.pattern_windows(picture, small).shape[0] == 1
    none = judges.pattern_windows(picture, np.zeros_like(mask))
    assert none.shape == (1, 4, *judges.WINDOW) and not none.any()
    apart = np.zeros_like(mask)
    apart[150, 250] = apart[151, 1] = True  # no window holds either
    for few in (np.zeros_like(mask), apart):
        assert sum(judges.pattern(picture, few).values()) == pytest.approx(1)


def test_a_picture_is_segmented_at_several_sizes_by_their_mean(monkeypatch):
    sides = []

    def net(x: torch.Tensor) -> torch.Tensor:
        """Sure of the top at the first size; of the bottom, less so, at the others."""
        sides.append(tuple(x.shape))
        logits = torch.zeros(len(x), len(judges.CLASSES), *x.shape[2:])
        logits[:, 3 if len(sides) == 1 else 4] = 5.0 if len(sides) == 1 else 3.5
        return logits

    monkeypatch.setattr(judges, "judge", lambda name: net)
    seen = judges.segment(np.zeros((384, 256, 3), np.uint8))
    assert sides == [(2, 3, 336, 224), (2, 3, 384, 256), (2, 3, 432, 288)]
    assert (seen == 4).all(), "two that agree count for more than one that is sure"


def test_a_picture_and_its_mirror_image_are_read_alike():
    one = judge_pictures.sample(judge_pictures.HELD_OUT + 1000)
    seen = judges.segment(one.picture)
    back = judges.segment(one.picture[:, ::-1])[:, ::-1]
    assert (seen == back).mean() > 0.999
    number = one.garments[0][0]
    for read in (judges.category, judges.pattern):
        here = read(one.picture, seen == number)
        there = read(one.picture[:, ::-1], (seen == number)[:, ::-1])
        assert judges.likeliest(here) == judges.likeliest(there)
        assert here == pytest.approx(there, abs=0.05), read.__name__


def test_the_judges_are_small_and_their_drawings_are_their_own():
    assert sum(judges.weights_file(n).stat().st_size for n in judges.NETWORKS) < 4_000_000
    assert judge_pictures.FIRST_SEED >= 5_000_000_000 < judge_pictures.HELD_OUT


def test_the_model_card_tells_every_part_and_every_figure_of_the_base():
    text = model_card.card()
    for part in ("unet", "vae", "text_encoder", "controlnet-layout", "controlnet-openpose"):
        assert f"| {part} | " in text
    for row in bench.read_results().values():
        if row["issue"] == 3 and not row["figure"].startswith("stylist"):
            assert f"| {row['figure']} | {row['value']:.4g}" in text
    assert "0.00 M" not in text


def test_the_autoencoder_is_measured_beside_a_pca_of_its_size():
    base = load_base()
    coded, pca, twice = bench_base.psnrs(base.vae, [2**40])
    # the decoder has learned to mend what the UNet hands over, which costs it on clean latents
    assert pca > 20 and pca - 3 < coded < 60 and twice > 15


def test_what_parts_two_photos_of_a_garment_does_not_count_as_distance_to_it(monkeypatch):
    rng = np.random.default_rng(0)

    def photo(lightness: float, kind: float) -> cloths.Cloth:
        """A photo of a garment of this colour and pattern, in light of its own."""
        pixels = np.array([lightness + rng.normal(0, 6), 0.0, 0.0]) + rng.normal(0, 1, (200, 3))
        shares = np.array([kind, 1 - kind]) + rng.normal(0, 0.05, 2)
        return cloths.Cloth(pixels, shares, np.ones(1))

    photos = tuple(photo(40, 0) for _ in range(6))
    monkeypatch.setattr(cloths, "photographed", lambda _: photos)
    monkeypatch.setattr(cloths, "typical", lambda: (30.0, 1.0))
    same = [photo(40, 0) for _ in range(6)]
    again = [cloths.photo_distance(one, "made up") for one in same]
    other = [cloths.photo_distance(photo(75, 1), "made up") for _ in range(6)]
    plain = [cloths._mean_distance(one, photos) for one in same]
    assert np.mean(again) < 0.65 * np.mean(plain) < 0.3 < 1 < min(other)


def test_a_lora_alone_leaves_the_rest_of_the_plan():
    plan = outfits.outfits()[0].plan
    own = together.alone(plan, 0)
    assert [w.strength for w in own.garments] == [None] + [0.0] * (len(plan.garments) - 1)
    assert own.model_copy(update={"garments": plan.garments}) == plan


def test_distractors_are_other_garments_of_the_same_kind(monkeypatch):
    monkeypatch.setattr(together, "DISTRACTORS", 3)
    found = together.distractors.__wrapped__("jeans")
    assert len(found) == 3 and all(len(cloth.pixels) > measure.LEAST for cloth in found)


def test_drawn_truth_in_a_renders_place_is_identified(monkeypatch):
    monkeypatch.setattr(together, "DISTRACTORS", 5)
    plain = [s for s in swaps.switches() if s.garment.pattern == "plain"][:3]
    right = [together.identified(pictures.drawn(s.number), s) for s in plain]
    assert sum(right) >= 2


def test_all_committed_weights_are_weighed():
    found = bench_base.weights_mb()
    assert 30 < found.value < 120 and "LoRAs" in found.note


def test_keypoints_are_right_within_a_tenth_of_the_torso(monkeypatch):
    truth = outfits.outfits()[0]
    person = Person(**truth.plan.person.model_dump())
    points = pose.fitted(truth.plan.pose, person).array()
    answers = iter([points + (2, 0), points + (40, 0)])
    monkeypatch.setattr(poses, "detector", lambda: None)
    monkeypatch.setattr(poses, "read_keypoints", lambda *_: Keypoints(next(answers), np.ones(18)))
    assert poses.pck(lambda n: truth.picture, [0]).mean() == 1
    assert poses.pck(lambda n: truth.picture, [0]).mean() == 0


def test_unseen_garments_can_be_drawn_and_their_prints_have_colours_apart():
    from bench import garment_training
    from catalog.croquis import palette
    from catalog.croquis.cloth import PRINTS_HELD
    from catalog.garment import CATEGORIES

    assert set(garment_training.KINDS) <= set(CATEGORIES)
    garments = garment_training.unseen(garment_training.UNSEEN)
    assert len(garments) == 20 and garments == garment_training.unseen(20)
    for number, garment in enumerate(garments):
        assert (garment.cloth.pattern in PRINTS_HELD) == bool(number % 2)
        assert all(palette.held_out(color) for color in garment.cloth.colors)
        labs = palette.srgb_to_lab(np.array([palette.hex_to_rgb(c) for c in garment.cloth.colors]))
        gaps = [palette.delta_e(a, b) for i, a in enumerate(labs) for b in labs[:i]]
        assert min(gaps, default=99.0) > 12, garment
    assert garments[3].photos(1)[0].shape == (384, 256, 3)


def test_a_garment_that_a_picture_does_not_show_is_like_nothing():
    picture = np.full((384, 256, 3), 200, np.uint8)
    unseen = cloths.cloth(picture, np.zeros((384, 256), bool))
    shown = cloths.photographed("red-toggle-coat")
    assert unseen.likeness_gap(shown[0]) == 1 and unseen.color_gap(shown[0]) == measure.MISSING
    assert cloths.unlike(unseen, shown) > cloths.unlike(shown[0], shown[1:])
