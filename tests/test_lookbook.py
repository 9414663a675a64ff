import base64
import io
import re

import numpy as np
import pytest
from fakes import WINTER
from PIL import Image

from catalog.croquis.figure import POSES
from ui import lookbook

PLAN = {
    "season": {"winter": 0.5, "spring-autumn": 0.5},
    "temperature_c": 2.0,
    "pose": "walking",
    "scene": "park",
    "assumptions": ["<b>cold</b>"],
    "unmet": [],
    "clo_total": 1.5,
    "price_total": 120.5,
    "garments": [
        {
            "id": "x",
            "name": '<script>alert("x")</script>',
            "slot": "top",
            "category": "sweater",
            "color": "navy",
            "pattern": "stripes",
            "material": "wool",
            "price": 120.5,
            "why": "it's <i>warm</i>",
        }
    ],
}


def test_texts_of_the_catalog_are_shown_not_run():
    page = lookbook.details(PLAN, {}) + lookbook.notes(PLAN) + lookbook.print_("a.png", PLAN)
    assert "<script" not in page and "<i>" not in page and "<b>cold" not in page


def test_a_bad_colour_of_a_card_never_reaches_the_style():
    assert lookbook.swatch(["red;background:url(//x)"], "navy") == "#1c2a4d"


def test_the_swatch_shows_every_colour_of_the_cloth():
    shown = lookbook.swatch(["#112233", "#445566", "#778899"], "navy")
    assert all(color in shown for color in ("#112233", "#445566", "#778899"))


@pytest.mark.parametrize("name", POSES)
def test_every_pose_has_a_figure_inside_its_frame(name):
    drawn = lookbook.figure(name)
    left, top, width, height = map(float, re.search(r'viewBox="([^"]+)"', drawn)[1].split())
    for x, y in re.findall(r"(-?\d+),(-?\d+)", drawn):
        assert left <= float(x) <= left + width and top <= float(y) <= top + height


def test_the_pose_of_the_look_is_the_one_pressed():
    assert 'data-word="walking" aria-pressed="true"' in lookbook.poses("walking")
    assert lookbook.poses("walking").count('aria-pressed="true"') == 1
    assert " disabled" in lookbook.poses(None)


def test_season_shares_and_prices_read_well():
    assert "50% winter · 50% spring-autumn" in lookbook.notes(PLAN)
    assert "€ 120.50" in lookbook.details(PLAN, {})


def test_a_preview_may_be_bytes_or_shares():
    grey = np.full((4, 6, 3), 0.5, np.float32)
    as_bytes = (grey * 255).round().astype(np.uint8)
    assert lookbook.preview_address(grey) == lookbook.preview_address(as_bytes)


def test_what_is_marked_lies_over_the_picture_and_the_picture_says_its_look():
    mask = np.zeros((768, 512), bool)
    mask[100:200, 100:200] = True
    address = lookbook.marks_address(mask)
    png = base64.b64decode(address.partition(",")[2])
    tint = np.asarray(Image.open(io.BytesIO(png)))
    assert np.array_equal(tint[..., 3] > 0, mask) and tint[150, 150, 3] < tint[100, 150, 3]
    shown = lookbook.easel("a.png", "x", look='look-"', marks=address)
    assert 'data-look="look-&quot;"' in shown and shown.count("<img") == 2
    assert "data-look" not in lookbook.easel("a.png", "x", 1, 3)


def test_a_touched_garment_shows_the_colour_it_is_drawn_in(room):
    plan = {"garments": [{"id": WINTER[0], "drawn": {"color": "red"}}, {"id": WINTER[1]}]}
    shades = lookbook.card_shades(room.catalog, plan)
    assert shades[WINTER[0]][0] in lookbook.COLORS["red"]
    assert shades[WINTER[1]] == room.garment(WINTER[1]).cloth.colors
