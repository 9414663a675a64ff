"""Clicks into the picture: what they mark, and the page that shows it and changes it."""

import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import WINTER, QuickEngine

from catalog.croquis.sam import SIZE, new_sam
from catalog.errors import BadValue
from tools.look import Plan, Worn
from tools.segment import Segmenter
from ui import touch_panel
from ui.settings import quieten, read_settings

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SMALL = SIZE | {"image": 128, "width": 32, "heads": 2, "depth": 2, "looks_everywhere": [1]}
PLAN = Plan(garments=tuple(Worn(id=i) for i in WINTER), season={"winter": 1.0}, steps=2)
WAIT = 240_000
"""Milliseconds for a whole turn on a busy machine, model loading included."""


@pytest.fixture
def no_sam(monkeypatch, tmp_path):
    monkeypatch.setattr("catalog.base.weights_folder", lambda: tmp_path / "none")


def inside(mask: np.ndarray) -> tuple[int, int]:
    """x, y of a pixel well inside a mask."""
    import cv2

    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y)


def test_a_click_means_the_garment_under_it_also_without_a_model(room, no_sam):
    look = room.render_look(PLAN).id
    masks = room.garment_masks(look)
    coat = touch_panel.marked(room, look, None, *inside(masks[WINTER[0]]), True)
    assert coat.garment == WINTER[0] and np.array_equal(coat.mask, masks[WINTER[0]])
    assert coat.mark().mask is None, "its own region, which may grow with another shape"
    boots = touch_panel.marked(room, look, coat, *inside(masks[WINTER[3]]), True)
    assert boots.garment == WINTER[3]
    assert touch_panel.marked(room, look, boots, *inside(masks[WINTER[0]]), False) is boots
    assert touch_panel.marked(room, look, boots, *inside(masks[WINTER[3]]), False) is None
    for x, y in ((2, 2), (9999, 2), (-1, 2)):
        with pytest.raises(BadValue):
            touch_panel.marked(room, look, None, x, y, True)


def test_a_model_adds_candidates_and_answers_further_clicks(room):
    torch.manual_seed(0)
    room._segmenter = Segmenter(new_sam(SMALL).eval().requires_grad_(False), "toy")
    look = room.render_look(PLAN).id
    x, y = inside(room.garment_masks(look)[WINTER[0]])
    first = touch_panel.marked(room, look, None, x, y, True)
    assert first.own and 1 <= len(first.masks) <= 4
    second = touch_panel.marked(room, look, first, 200, 500, False)
    assert second is None or (not second.own and second.mark().mask is second.mask)


@pytest.fixture(scope="module")
def page(installed_home, tmp_path_factory):
    """The page over a studio that draws cards, in Debian's Chromium."""
    if not os.path.exists(CHROMIUM):
        said = "Chromium is needed to drive the page: apt-get install chromium"
        if os.environ.get("STYLIST_TEST_BROWSER") == "required":
            pytest.fail(said)
        pytest.skip(said)
    from playwright.sync_api import sync_playwright

    from agent.stylist import Stylist
    from tools.studio import Studio
    from ui.chat import build_page, launch

    home = tmp_path_factory.mktemp("page")
    (home / "catalog").symlink_to(installed_home / "catalog")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = replace(read_settings({"STYLIST_HOME": str(home)}), port=port)
    quieten(settings)
    studio = Studio(home, sam=Path("none"))  # what a click means must not depend on weights here
    studio._engine = QuickEngine()
    blocks = build_page(Stylist(studio, home))
    launch(blocks, settings)
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(WAIT)
        page.goto(f"http://127.0.0.1:{port}")
        page.wait_for_selector("#chat .example")
        page.studio = studio
        yield page
        browser.close()
    blocks.close(verbose=False)


def _turn_over(page, count: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('#chat img.print').length === n", arg=count
    )
    page.wait_for_selector("#send", state="visible")


def _click_at(page, x: int, y: int, button: str = "left") -> None:
    """Click the shown picture at its own pixel (x, y)."""
    box = page.locator(".easel img[data-look]").bounding_box()
    scale = min(box["width"] / 512, box["height"] / 768)
    left = box["x"] + (box["width"] - 512 * scale) / 2
    top = box["y"] + (box["height"] - 768 * scale) / 2
    page.mouse.click(left + x * scale, top + y * scale, button=button)


def test_a_garment_is_clicked_changed_compared_and_taken_back(page):
    page.fill("#box textarea", "winter outfit for a commute")
    page.press("#box textarea", "Enter")
    _turn_over(page, 1)
    page.wait_for_selector("#touch .touch")
    look = page.get_attribute(".easel img[data-look]", "data-look")
    masks = page.studio.garment_masks(look)
    coat = next(i for i in masks if page.studio.garment(i).slot == "outerwear")

    page.locator(".easel img[data-look]").scroll_into_view_if_needed()
    _click_at(page, *inside(masks[coat]))
    page.wait_for_selector(".easel img.marks")
    pressed = page.locator(f'#touch [data-word="garment:{coat}"]')
    assert pressed.get_attribute("aria-pressed") == "true"
    _click_at(page, *inside(masks[coat]), button="right")
    page.wait_for_selector(".easel img.marks", state="detached")

    page.click(f'#touch [data-word="garment:{coat}"]')
    page.wait_for_selector(".easel img.marks")
    page.click('#touch [data-word="color:red"]')
    _turn_over(page, 2)
    assert "Only this was drawn again" in page.locator("#chat .bot").last.inner_text() or (
        "drawn in red" in page.locator("#chat").inner_text()
    )
    red = page.get_attribute(".easel img[data-look]", "data-look")
    assert red != look and page.studio.look(red).receipt.parent == look
    assert page.locator(".easel img.marks").count() == 0

    page.click('#touch [data-word="compare"]')
    page.wait_for_selector("#compare img", state="visible")

    boots = next(i for i in masks if page.studio.garment(i).slot == "footwear")
    page.click(f'#touch [data-word="garment:{boots}"]')
    page.wait_for_selector(".easel img.marks")
    page.fill("#box textarea", "in white")
    page.press("#box textarea", "Enter")
    _turn_over(page, 3)
    white = page.studio.look(page.get_attribute(".easel img[data-look]", "data-look"))
    worn = {w.id: w.color for w in white.receipt.plan.garments}
    assert worn[boots] == "white" and worn[coat] == "red"

    page.click('#touch [data-word="undo"]')
    _turn_over(page, 4)
    assert page.get_attribute(".easel img[data-look]", "data-look") == red
