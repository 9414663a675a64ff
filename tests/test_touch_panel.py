"""Clicks and strokes in the picture: what they mark, and the page that shows and changes it."""

import io
import os
import re
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import WINTER, QuickEngine
from PIL import Image

from agent.stylist import Stylist
from catalog.croquis.sam import SIZE, new_sam
from catalog.errors import BadValue, StylistError
from tools.look import Plan, Worn
from tools.mask import grow
from tools.segment import Segmenter
from ui import marking, touch_panel
from ui.settings import quieten, read_settings

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SMALL = SIZE | {"image": 128}
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
    coat = marking.marked(room, look, None, *inside(masks[WINTER[0]]), True)
    assert coat.garment == WINTER[0] and np.array_equal(coat.mask, masks[WINTER[0]])
    assert coat.mark().mask is None, "its own region, which may grow with another shape"
    boots = marking.marked(room, look, coat, *inside(masks[WINTER[3]]), True)
    assert boots.garment == WINTER[3]
    assert marking.marked(room, look, boots, *inside(masks[WINTER[0]]), False) is boots
    assert marking.marked(room, look, boots, *inside(masks[WINTER[3]]), False) is None
    for x, y in ((2, 2), (9999, 2), (-1, 2)):
        with pytest.raises(BadValue):
            marking.marked(room, look, None, x, y, True)


def test_a_model_adds_candidates_and_answers_further_clicks(room):
    torch.manual_seed(0)
    room._segmenter = Segmenter(new_sam(SMALL).eval().requires_grad_(False), "toy")
    look = room.render_look(PLAN).id
    x, y = inside(room.garment_masks(look)[WINTER[0]])
    first = marking.marked(room, look, None, x, y, True)
    assert first.own and 1 <= len(first.masks) <= 4
    second = marking.marked(room, look, first, 200, 500, False)
    assert second is None or (not second.own and second.mark().mask is second.mask)
    assert marking.marked(room, look, first, x, y, False) is None, "the click is taken back"


@pytest.fixture(scope="module")
def page(installed_home, tmp_path_factory):
    """The page over a studio that draws cards, in Debian's Chromium."""
    if not os.path.exists(CHROMIUM):
        said = "Chromium is needed to drive the page: apt-get install chromium"
        if os.environ.get("STYLIST_TEST_BROWSER") == "required":
            pytest.fail(said)
        pytest.skip(said)
    from playwright.sync_api import sync_playwright

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


def test_after_a_garment_is_named_clicks_go_on_from_it(room, no_sam):
    look = room.render_look(PLAN).id
    masks = room.garment_masks(look)
    coat = marking.named(room, look, WINTER[0])
    (x, y, keep), at = coat.points[0], masks[WINTER[0]]
    assert keep and at[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5].all()
    torch.manual_seed(0)
    room._segmenter = Segmenter(new_sam(SMALL).eval().requires_grad_(False), "toy")
    less = marking.marked(room, look, coat, x, y + 9, False)
    both = room.segment(look, points=[coat.points[0], (x, y + 9, False)])
    assert less is None or np.array_equal(less.mask, both.mask)


def test_strokes_paint_where_they_went_and_can_be_taken_back(room, no_sam):
    look = room.render_look(PLAN).id
    masks = room.garment_masks(look)
    x, y = inside(masks[WINTER[0]])
    began = replace(marking.nothing(look), brush=24, removing=True)
    first = marking.painted(room, look, began, [[x, y], [x, y + 40]], 24, True)
    assert first.garment == WINTER[0] and first.mask[y : y + 40, x - 10 : x + 10].all()
    assert not first.mask[:, : x - 14].any() and (first.brush, first.removing) == (24, True)
    assert first.mark().mask is first.mask
    second = marking.painted(room, look, first, [[x, y]], 64, False)
    assert second.mask.sum() < first.mask.sum() and second.past[-1].mask is first.mask
    gone = marking.painted(room, look, second, [[x, y], [x, y + 40]], 64, False)
    assert not gone.masks and gone.mark() is None and len(gone.past) == 3
    # a click adds to what is painted
    whole = marking.marked(room, look, first, x, y, True)
    assert np.array_equal(whole.mask, masks[WINTER[0]] | first.mask)
    assert np.array_equal(marking.reshaped(room, first, "grow:4").mask, grow(first.mask, 4))
    for stroke in ([], "ab", [[1]], [[float("nan"), 2]], [[1, 2]] * 5001, None):
        with pytest.raises(BadValue):
            marking.painted(room, look, None, stroke, 24, True)
    for width in (0, 9999, float("nan")):
        with pytest.raises(BadValue):
            marking.painted(room, look, None, [[x, y]], width, True)
    with pytest.raises(BadValue, match="no garment under"):
        marking.painted(room, look, None, [[4, 4]], 8, True)


def test_steps_back_are_few_and_hold_no_others(room, no_sam):
    look = room.render_look(PLAN).id
    x, y = inside(room.garment_masks(look)[WINTER[0]])
    part = None
    for _ in range(20):
        part = marking.painted(room, look, part, [[x, y]], 24, True)
    assert len(part.past) == marking.KEPT and not any(p.past for p in part.past)


@pytest.mark.parametrize(
    "picture",
    [Image.new("L", (256, 384), 255), Image.new("L", (512, 768), 255), Image.new("L", (512, 768)),
     Image.new("L", (512, 768), 128), None],
    ids=["another size", "full", "empty", "grey", "text"],
)  # fmt: skip
def test_an_uploaded_file_that_is_no_mask_of_this_look_is_refused(room, no_sam, picture):
    look, file = room.render_look(PLAN).id, io.BytesIO()
    if picture is None:
        file.write(b"this is no picture")
    else:
        picture.save(file, "PNG")
    with pytest.raises(BadValue) as error:
        marking.uploaded(room, look, None, file.getvalue())
    assert error.value.hint


def test_each_button_of_the_panel_does_what_it_says(room, no_sam):
    stylist = Stylist(room, room.home)
    made = stylist.ask("winter outfit for a commute", "t1")
    turn = {"look": made["look"]["id"], "plan": made["plan"]}
    panel = touch_panel.TouchPanel(stylist, lambda *_: turn, lambda said, _: said)
    coat = next(g["id"] for g in made["plan"]["garments"] if g["slot"] == "outerwear")

    def press(word, part):
        return panel.chosen(word, turn, part)

    part, change, _ = press(f"garment:{coat}", None)
    assert change is None and part.garment == coat
    mask = part.mask
    part = replace(part, masks=(mask, mask & False, ~mask))
    numbers = [part.number]
    for _ in range(3):
        part = press("next", part)[0]
        numbers.append(part.number)
    assert numbers == [0, 1, 2, 0]
    part = press("mode:remove", part)[0]
    assert part.removing and not press("mode:add", part)[0].removing
    grown = press("reshape:grow:4", part)[0]
    assert np.array_equal(grown.mask, grow(mask, 4)) and grown.removing
    back = press("back", grown)[0]
    assert np.array_equal(back.mask, mask) and back.removing
    html = panel.html(turn, part)
    offered = re.findall(r'data-word="((?:color|sleeves|length|swap|again)[^"]*)"', html)
    assert {w.partition(":")[0] for w in offered} == {"color", "sleeves", "length", "swap", "again"}
    for word in offered:
        kind, _, value = word.partition(":")
        now, change, said = press(word, part)
        assert now is part and said
        assert change == ({"garment": coat} if kind == "again" else {kind: value})
    assert press("clear", part)[0] is None
    for word in ("color:rde", "sleeves:off", "swap", "jump"):
        with pytest.raises(StylistError):
            press(word, part)


def test_how_it_is_drawn_goes_with_the_mark(room, no_sam):
    look = room.render_look(PLAN).id
    masks = room.garment_masks(look)
    part = marking.marked(room, look, None, *inside(masks[WINTER[0]]), True)
    ways = [{"content": "noise"}, {"strength": 0.5}, {"strength": 0.5, "padding": 32}]
    ways += [ways[-1] | {"feather": 0}, ways[-1], ways[-1] | {"feather": 20}]
    steps = ("content:noise", "strength:0.5", "padding:32", "feather:0", "feather:6", "feather:20")
    for pressed, way in zip(steps, ways, strict=True):
        part = replace(part, way=touch_panel._way(part, *pressed.split(":")))
        assert part.mark().way == way
    with pytest.raises(BadValue):
        touch_panel._way(part, "strength", "9")
    stylist = Stylist(room, room.home)
    made = stylist.ask("winter outfit for a commute", "t1")
    coat = next(g["id"] for g in made["plan"]["garments"] if g["slot"] == "outerwear")
    mark = marking.Mark(made["look"]["id"], coat, None, {"color": "red"}, part.mark().way)
    events = list(stylist.reply("in red", "t1", mark=mark))
    red = next(e["answer"]["look"]["id"] for e in events if e.get("answer"))
    touch = room.look(red).receipt.touch
    assert (touch.strength, touch.padding, touch.content) == (0.5, 32, "original")
    assert touch.feather == 20


def _turn_over(page, count: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('#chat img.print').length === n", arg=count
    )
    page.wait_for_selector("#send", state="visible")


def _click_at(page, x: int, y: int, button: str = "left") -> None:
    """Click the shown picture at its own pixel (x, y)."""
    page.mouse.click(*_on_page(page, x, y), button=button)


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

    assert page.locator('#touch [data-word="redo"]').count() == 0
    page.click('#touch [data-word="undo"]')
    _turn_over(page, 4)
    assert page.get_attribute(".easel img[data-look]", "data-look") == red
    page.click('#touch [data-word="redo"]')
    _turn_over(page, 5)
    assert page.get_attribute(".easel img[data-look]", "data-look") == white.id


def _on_page(page, x: float, y: float) -> tuple[float, float]:
    """Where the shown picture's own pixel (x, y) lies on the page."""
    box = page.locator(".easel img[data-look]").bounding_box()
    scale = min(box["width"] / 512, box["height"] / 768)
    left = box["x"] + (box["width"] - 512 * scale) / 2
    top = box["y"] + (box["height"] - 768 * scale) / 2
    return left + x * scale, top + y * scale


def _stroke(page, begin, end, button: str = "left") -> None:
    page.mouse.move(*_on_page(page, *begin))
    page.mouse.down(button=button)
    page.mouse.move(*_on_page(page, *end), steps=6)
    assert page.locator(".easel svg.stroke polyline").count() >= 1, "seen while it is painted"
    page.mouse.up(button=button)


def _upload(page, file: Path) -> None:
    """As a person does: the button forgets the file before when it is pressed."""
    with page.expect_file_chooser() as chooser:
        page.click("#mask")
    chooser.value.set_files(str(file))


def test_a_mask_is_painted_taken_back_and_uploaded(page, tmp_path):
    page.click("#new")
    page.fill("#box textarea", "winter outfit for a commute")
    page.press("#box textarea", "Enter")
    _turn_over(page, 1)
    page.click('#touch [data-word="brush:24"]')
    page.wait_for_selector('.easel img[data-brush="24"]')
    look = page.get_attribute(".easel img[data-look]", "data-look")
    masks = page.studio.garment_masks(look)
    coat = next(i for i in masks if page.studio.garment(i).slot == "outerwear")
    x, y = inside(masks[coat])
    page.locator(".easel img[data-look]").scroll_into_view_if_needed()
    # the second stroke does not wait for what the first one marks
    _stroke(page, (x, y - 30), (x, y + 30))
    _stroke(page, (x - 40, y + 24), (x + 40, y + 24), button="right")
    page.wait_for_selector("text=Step back (2)")
    page.wait_for_selector(".easel img.marks")
    page.wait_for_selector(".easel svg.stroke", state="detached")
    page.click('#touch [data-word="color:red"]')
    _turn_over(page, 2)
    red = page.studio.look(page.get_attribute(".easel img[data-look]", "data-look"))
    kept = np.asarray(Image.open(Path(red.folder) / "mask.png")) > 127
    rows, columns = np.nonzero(kept)
    painted = (rows.min(), columns.min(), columns.max())
    assert np.allclose(painted, (y - 42, x - 12, x + 12), atol=3)
    assert kept[y - 30 : y + 8, x - 8 : x + 8].all() and not kept[y + 16 : y + 32].any()

    file = tmp_path / "mask.png"
    Image.new("L", (256, 384), 255).save(file)
    _upload(page, file)
    page.wait_for_selector("text=It must have the size of the picture, 512x768")
    assert page.locator(".easel img.marks").count() == 0
    Image.fromarray(masks[coat]).save(file)
    _upload(page, file)
    page.wait_for_selector(".easel img.marks")
    page.click('#touch [data-word="reshape:shrink:4"]')
    page.click('#touch [data-word="back"]')
    page.click('#touch [data-word="clear"]')
    page.wait_for_selector(".easel img.marks", state="detached")
