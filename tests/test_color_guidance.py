"""Each garment is held to its card's colours while it is drawn."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catalog import base as bases
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.examples import encoder_input
from catalog.croquis.palette import delta_e, hex_to_rgb, srgb_to_lab
from catalog.errors import Cancelled
from catalog.garment import Shade
from catalog.photos import cut_out
from catalog.shades import shades
from catalog.starter import starter_garments, starter_photos
from tools.color_guidance import LAST, Colors, Guide, colors_of
from tools.look import Plan, Touch, Worn
from tools.looks import read_receipt
from tools.touch_up import RECOLORED

CARDS = {g.id: g for g in starter_garments()}
MUDDY, DARKER = (120.0, 110.0, 100.0), (90.0, 85.0, 80.0)
RED, CREAM = (190.0, 40.0, 50.0), (236.0, 230.0, 210.0)


@pytest.fixture(scope="module")
def vae():
    return CroquisAutoencoder.from_pretrained(bases.weights_folder() / "vae").float()


@pytest.fixture
def cloth():
    """A picture of two garments: left one muddy, with light and shade; right one muddy with darker
    stripes over a quarter of it; and the masks of both."""
    rng = np.random.default_rng(0)
    picture = np.full((384, 256, 3), 200.0)
    left, right = np.zeros((2, 384, 256), bool)
    left[64:320, 24:104], right[64:320, 152:232] = True, True
    picture[left | right] = MUDDY
    picture[64:320, 24:104] += np.linspace(-20, 20, 256)[:, None, None]
    stripes = right & (np.arange(256) % 32 < 8)
    picture[stripes] = DARKER
    picture += rng.normal(0, 1, picture.shape)
    return picture.clip(0, 255).astype(np.uint8), left, right, stripes


def guided(vae, cloth, colors, weight=1.0, left=0):
    """The linear picture before and after the guided steps, sRGB."""
    picture, *masks = cloth
    z = after = vae.encode(encoder_input(picture, "cpu")).latent_dist.mean
    for _ in range(LAST if weight < 1 else 1):
        after = Guide(vae, masks[: len(colors)], colors, weight)(after, left)
    return [
        ((vae.linear(x)[0].permute(1, 2, 0).numpy() + 1) * 127.5).astype(float) for x in (z, after)
    ]


def far(pixels, color) -> float:
    return float(delta_e(srgb_to_lab(np.median(pixels, 0)), srgb_to_lab(np.array(color))))


def inner(mask):
    rows, columns = np.nonzero(mask)
    kept = np.zeros_like(mask)
    kept[rows.min() + 8 : rows.max() - 7, columns.min() + 8 : columns.max() - 7] = True
    return mask & kept


def test_a_plain_garment_comes_in_its_colour_with_the_light_that_lay_on_it(vae, cloth):
    before, after = guided(vae, cloth, (Colors((RED,), (1.0,)), None))
    _, left, right, _ = cloth
    at = inner(left)
    assert far(before[at], RED) > 20 and far(after[at], RED) < 1
    light = [x[100:280, 64].mean(1) for x in (before, after)]
    assert np.abs(np.diff(light[0]) - np.diff(light[1])).max() < 0.5
    assert np.abs(after - before)[inner(right)].max() < 1e-3


def test_each_colour_of_a_pattern_comes_where_the_pattern_has_it(vae, cloth):
    held = Colors((CREAM, RED), (0.75, 0.25))
    before, after = guided(vae, cloth, (None, held))
    _, _, right, stripes = cloth
    ground, lines = inner(right & ~stripes), inner(stripes)
    assert far(before[ground], CREAM) > 30 and far(before[lines], RED) > 25
    assert far(after[ground], CREAM) < 3 and far(after[lines], RED) < 6


def test_a_pattern_covers_no_more_than_its_share(vae, cloth):
    """Of a muddy cloth two thirds are nearer to the dark colour: a quarter of it shall be."""
    for shares, most in (((0.75, 0.25), 0.4), ((0.25, 0.75), 0.95)):
        _, after = guided(vae, cloth, (Colors(((90, 90, 90), (30, 30, 30)), shares), None))
        dark = (after[inner(cloth[1])].mean(1) < 60).mean()
        assert most - 0.35 < dark < most


def test_half_the_weight_goes_half_the_way(vae, cloth):
    held = (Colors((RED,), (1.0,)), None)
    before, whole = guided(vae, cloth, held)
    _, half = guided(vae, cloth, held, weight=0.5)
    at = inner(cloth[1])
    assert np.allclose((half - before)[at], (whole - before)[at] / 2, atol=0.5)


def test_early_guesses_and_garments_that_hardly_show_are_left_alone(vae, cloth):
    held = (Colors((RED,), (1.0,)), None)
    early = guided(vae, cloth, held, left=LAST)
    assert np.array_equal(*early)
    few = np.zeros((384, 256), bool)
    few[100:104, 100:104] = True
    z = torch.randn(1, 24, 48, 32)
    assert Guide(vae, [few], held[:1], 1.0)(z, 0) is z


def test_a_card_says_what_its_garment_is_held_to():
    plain, dots = CARDS["red-leather-heels"], CARDS["teal-dots-raincoat"]
    assert colors_of(plain) == Colors((tuple(hex_to_rgb(plain.cloth.colors[0])),), (1.0,))
    held = colors_of(dots)
    assert held is not None and len(held.rgb) == 2 and sum(held.shares) == pytest.approx(1)
    assert held.shares[0] > 0.7  # the ground, which comes first on the card
    assert colors_of(dots.model_copy(update={"shades": ()})) is None


def test_a_recoloured_garment_is_held_to_its_new_colour():
    dots = CARDS["teal-dots-raincoat"]
    worn = Worn(id=dots.id, color="burgundy").of(dots)
    assert worn.shades[0] == Shade(color=worn.cloth.colors[0], share=dots.shades[0].share)
    assert [s.color for s in worn.shades] == list(worn.cloth.colors)
    assert [s.share for s in worn.shades] == [s.share for s in dots.shades]
    assert colors_of(worn) != colors_of(dots)


@pytest.mark.parametrize("id", sorted(id for id, card in CARDS.items() if card.shades))
def test_the_starter_cards_shades_are_those_of_their_photos(id):
    card = CARDS[id]
    photos = starter_photos(card)
    measured = shades(photos, [cut_out(p) for p in photos], card.cloth.colors)
    assert measured == card.shades
    assert sum(s.share for s in measured) == pytest.approx(1, abs=0.01)
    for shade, color in zip(measured, card.cloth.colors, strict=True):
        both = srgb_to_lab(np.stack([hex_to_rgb(shade.color), hex_to_rgb(color)]))
        assert delta_e(*both) < 15
    assert shades(photos, [cut_out(p) for p in photos], card.cloth.colors[:1]) == ()


def test_every_patterned_starter_garment_has_a_shade_for_each_colour():
    for card in CARDS.values():
        wanted = len(card.cloth.colors) if card.pattern != "plain" else 0
        assert len(card.shades) == wanted, card.id
        for shade, color in zip(card.shades, card.cloth.colors, strict=False):
            both = srgb_to_lab(np.stack([hex_to_rgb(shade.color), hex_to_rgb(color)]))
            assert delta_e(*both) < 12, card.id


def test_a_step_goes_where_the_guide_says_and_without_one_as_before():
    base = bases.load_base("croquis")
    scheduler = base.scheduler
    scheduler.set_timesteps(4)
    noisy, output = torch.randn(2, 1, 24, 48, 32)
    t = scheduler.timesteps[-1]
    as_before = scheduler.step(output, t, noisy).prev_sample
    asked = []

    def told(clean, left):
        asked.append((clean, left))
        return clean + 1

    scheduler.guide = told
    try:
        moved = scheduler.step(output, t, noisy).prev_sample
        assert asked[0][1] == 0 and torch.allclose(scheduler.clean, asked[0][0] + 1, atol=1e-4)
        # the last step ends at the guess
        assert torch.allclose(moved, as_before + 1, atol=1e-3)
        scheduler.guide = lambda clean, _: clean
        assert torch.equal(scheduler.step(output, t, noisy).prev_sample, as_before)
    finally:
        scheduler.guide = None


WORN = ("teal-dots-raincoat", "beige-chino-trousers", "red-leather-heels")


def test_renders_come_nearer_to_their_cards_and_the_rest_stays(studio):
    asked = Plan(garments=tuple(Worn(id=i) for i in WORN), steps=4, seed=3)
    looks = [studio.render_look(asked.model_copy(update={"color_weight": w})) for w in (0.0, 1.0)]
    pictures = [np.asarray(Image.open(look.image).convert("RGB")) for look in looks]
    masks = studio.garment_masks(looks[0].id)
    trousers = masks["beige-chino-trousers"]
    own = hex_to_rgb(CARDS["beige-chino-trousers"].cloth.colors[0]).astype(float)
    loose, held = (far(p[trousers], own) for p in pictures)
    assert held < 3 and held < loose - 1
    clothes = np.any(list(masks.values()), 0)
    change = np.abs(pictures[0].astype(int) - pictures[1]).mean(2)
    assert change[~clothes].mean() < 3 < change[clothes].mean()


def test_nothing_stays_guided_after_a_drawing_that_was_stopped(studio):
    stop = threading.Event()
    asked = Plan(garments=tuple(Worn(id=i) for i in WORN), steps=3, seed=4)
    with pytest.raises(Cancelled):
        studio.render_look(asked, progress=lambda p: stop.set(), cancel=stop)
    assert studio.engine.base.scheduler.guide is None


def test_a_look_of_before_is_drawn_again_as_it_was(tmp_path, studio):
    asked = Plan(garments=tuple(Worn(id=i) for i in WORN), steps=2, seed=3)
    receipt = json.loads(Path(studio.render_look(asked).receipt_file).read_text())
    assert receipt["plan"]["color_weight"] == 1.0
    del receipt["plan"]["color_weight"]
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(receipt))
    assert read_receipt(path).plan.color_weight == 0.0


def test_of_a_garment_that_is_mostly_kept_nothing_is_moved(studio):
    """A touch-up of the trousers leaves the strip of coat beside them to what is there."""
    worn = ("red-toggle-coat", *WORN[1:])
    asked = Plan(garments=tuple(Worn(id=i) for i in worn), steps=2, seed=3)
    layout = studio.briefs.layout(asked)
    job = studio.briefs.job(asked, layout, ())
    coat, trousers, _ = (layout.mask(i) for i in range(3))
    rows = np.arange(384)[:, None]
    hem = np.nonzero(coat)[0].max()
    within = (trousers | coat) & (rows > hem - 24)
    strip = coat & within & (rows < hem - 12)  # away from the cells that the trousers are in
    engine = studio.engine
    with engine._held_to_colors(job, within):
        guide = engine.base.scheduler.guide
        z = torch.zeros(1, 24, 48, 32)
        change = engine.base.vae.linear(guide(z, 0)) - engine.base.vae.linear(z)
    moved = change[0].abs().amax(0).numpy() > 0.05
    assert strip.sum() > 100 and moved[trousers & within].mean() > 0.9
    assert moved[strip].mean() < 0.1
    assert engine.base.scheduler.guide is None


def test_a_gentle_touch_moves_colours_gently(studio):
    asked = Plan(garments=tuple(Worn(id=i) for i in WORN), steps=2)
    layout = studio.briefs.layout(asked)
    job = studio.briefs.job(asked, layout, ())
    everything = np.ones((768, 512), bool)
    weights = [
        studio.briefs.touched(job, asked, everything, Touch(mask_sha256="", **touch)).color_weight
        for touch in ({"strength": 1.0}, {"strength": RECOLORED}, {"strength": RECOLORED / 2})
    ]
    assert weights == [1.0, 1.0, pytest.approx(0.5)]


def test_a_card_with_other_colours_is_said_to_be_the_reason_at_replay(studio, tmp_path):
    asked = Plan(garments=tuple(Worn(id=i) for i in WORN), steps=1, seed=3)
    look = studio.render_look(asked)
    receipt = json.loads(Path(look.receipt_file).read_text())
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(receipt | {"colors_sha256": "0" * 64}))
    result = studio.replay(path)
    assert not result.same and "colours" in result.message
    assert studio.replay(Path(look.receipt_file)).same
