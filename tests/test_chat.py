"""The page in Debian's Chromium, over the real stylist: words in, pictures out."""

import os
import shutil
import socket
import threading
from dataclasses import replace

import pytest

from catalog.errors import Busy
from ui.settings import quieten, read_settings

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
DRAWN = "#chat img.print"
WAIT = 120_000
"""Milliseconds for a whole turn on a busy machine, model loading included."""


@pytest.fixture(scope="module")
def page_address(installed_home):
    if not os.path.exists(CHROMIUM):
        said = "Chromium is needed to drive the page: apt-get install chromium"
        if os.environ.get("STYLIST_TEST_BROWSER") == "required":
            pytest.fail(said)
        pytest.skip(said)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = replace(read_settings({"STYLIST_HOME": str(installed_home)}), port=port)
    quieten(settings)

    from agent.stylist import Stylist
    from tools.studio import Studio
    from ui.chat import build_page, launch

    blocks = build_page(Stylist(Studio(settings.home), settings.home))
    launch(blocks, settings)
    with pytest.raises(Busy, match=str(port)):
        launch(build_page(Stylist(Studio(settings.home), settings.home)), settings)
    yield f"http://127.0.0.1:{port}"
    blocks.close(verbose=False)


@pytest.fixture(scope="module")
def browser(page_address):
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, page_address):
    """A new visitor. Fails when the page asked anybody but its own server for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_address)
    page.wait_for_selector("#chat .example")
    yield page
    outside = [u for u in asked if not u.startswith((page_address, "data:", "blob:"))]
    context.close()
    assert not outside


@pytest.fixture
def held(monkeypatch):
    """Drawing waits until this is set: a page slower than the engine still meets it drawing."""
    from tools.engine import Engine

    go, draw = threading.Event(), Engine.draw

    def waits(self, *job, **more):
        go.wait(60)
        return draw(self, *job, **more)

    monkeypatch.setattr(Engine, "draw", waits)
    yield go
    go.set()


def _say(page, text: str) -> None:
    page.fill("#box textarea", text)
    page.press("#box textarea", "Enter")


def _pictures(page, count: int) -> None:
    """Wait until ``count`` finished pictures stand in the conversation and the turn is over."""
    page.wait_for_function(
        "n => document.querySelectorAll('#chat img.print').length === n", arg=count
    )
    page.wait_for_selector("#send", state="visible")
    page.wait_for_function(
        "() => [...document.querySelectorAll('#chat img.print')].every(i => i.naturalWidth > 200)"
    )


def test_a_request_is_drawn_and_refined_and_still_there_after_a_reload(page):
    _say(page, "winter outfit for a commute")
    page.wait_for_selector(".easel.drawing img")
    _pictures(page, 1)
    assert "wearing" in page.get_attribute(DRAWN, "alt")
    first = page.get_attribute(".easel img", "src")
    worn = page.locator(".details li b").all_inner_texts()
    assert len(worn) >= 3 and page.locator(".details .total").is_visible()
    assert page.locator("#poses [aria-pressed=true]").count() == 1

    page.click('#poses [data-word="hands on hips"]')
    _pictures(page, 2)
    assert page.get_attribute(".easel img", "src") != first
    assert page.locator(".details li b").all_inner_texts() == worn
    pressed = page.locator("#poses [aria-pressed=true]").get_attribute("data-word")
    assert pressed == "hands on hips"

    page.locator("#strip button").first.click()
    page.wait_for_function("s => document.querySelector('.easel img').src.endsWith(s)", arg=first)

    page.wait_for_selector("#strip button:first-child[aria-pressed=true]")

    page.reload()
    _pictures(page, 2)
    page.click("#new")
    page.wait_for_selector("#chat .example")
    assert page.locator(DRAWN).count() == 0


def test_what_is_typed_at_once_after_new_chat_belongs_to_the_new_one(page):
    _say(page, "what goes with brown shoes?")
    page.wait_for_selector("#chat .bot")
    page.wait_for_selector("#send", state="visible")
    # the server's answer to the press comes late, after the next words are typed
    page.evaluate(
        """() => { const ask = window.fetch; window.fetch = async (...a) => {
             await new Promise(done => setTimeout(done, 800)); return ask(...a); }; }"""
    )
    page.click("#new")
    page.fill("#box textarea", "a red dress")
    page.wait_for_timeout(1500)
    assert page.input_value("#box textarea") == "a red dress"
    page.press("#box textarea", "Enter")
    _pictures(page, 1)
    assert page.locator("#chat .user").all_inner_texts() == ["a red dress"]


def test_a_second_request_waits_in_the_box_and_is_told_why(page, held):
    _say(page, "winter outfit for a commute")
    page.wait_for_selector("#stop", state="visible")
    _say(page, "a red dress")
    page.wait_for_selector("text=One moment")
    assert page.input_value("#box textarea") == "a red dress"
    held.set()
    _pictures(page, 1)
    assert page.locator("#chat .user").count() == 1


def test_enter_pressed_twice_is_one_turn_and_the_next_one_works(page):
    page.fill("#box textarea", "what goes with brown shoes?")
    page.evaluate(
        """() => { const box = document.querySelector("#box textarea");
             for (const _ of [1, 2, 3]) box.dispatchEvent(new KeyboardEvent("keypress",
               {key: "Enter", code: "Enter", keyCode: 13, bubbles: true, cancelable: true})); }"""
    )
    page.keyboard.press("Enter")
    _pictures(page, 1)
    assert page.locator("#chat .user").count() == 1
    _say(page, "a red dress")
    _pictures(page, 2)
    assert page.locator("#chat .user").count() == 2


def test_a_new_chat_in_the_middle_of_a_drawing_answers_at_once(page, held):
    _say(page, "winter outfit for a commute")
    page.wait_for_selector(".easel.drawing")
    page.click("#new")
    _say(page, "a red dress")
    held.set()
    _pictures(page, 1)
    assert page.locator("#chat .user").all_inner_texts() == ["a red dress"]


def test_stop_ends_the_drawing_and_the_next_request_is_fine(page):
    _say(page, "summer dress for a garden party")
    page.wait_for_selector(".easel.drawing")
    page.click("#stop")
    page.wait_for_selector("#send", state="visible")
    assert page.locator(DRAWN).count() == 0
    assert page.locator("#chat").inner_text()
    _say(page, "summer dress for a garden party")
    _pictures(page, 1)


def test_an_error_is_a_bubble_in_plain_words(page):
    page.fill("#box textarea", "warm " * 20_000)
    page.click("#send")
    page.wait_for_selector("#chat .bot")
    page.wait_for_selector("#send", state="visible")
    said = page.locator("#chat .bot").last.inner_text()
    assert "Traceback" not in said and len(said) < 500
    assert page.locator(DRAWN).count() == 0


def test_a_message_with_markup_is_shown_and_never_run(page):
    _say(page, '<img src=x onerror="window.hit=1"><script>window.hit=1</script> what\'s a tie?')
    page.wait_for_selector("#chat .bot")
    page.wait_for_selector("#send", state="visible")
    assert page.evaluate("window.hit") is None


def test_another_visitor_sees_nothing_of_it(page):
    assert page.locator("#chat .user").count() == 0
    assert page.locator(".easel.empty").count() == 1


def test_turns_of_two_visitors_do_not_mix(browser, page_address):
    contexts = [browser.new_context() for _ in range(2)]
    pages = [context.new_page() for context in contexts]
    for page, wish in zip(pages, ("a red dress", "a blue shirt"), strict=True):
        page.set_default_timeout(WAIT)
        page.goto(page_address)
        page.wait_for_selector("#chat .example")
        _say(page, wish)
    for page, wish in zip(pages, ("a red dress", "a blue shirt"), strict=True):
        _pictures(page, 1)
        assert page.locator("#chat .user").all_inner_texts() == [wish]
    for context in contexts:
        context.close()
    assert threading.active_count() < 100


def test_the_garment_page_is_one_click_away_and_so_is_the_way_back(page):
    page.click("#mark >> text=New garment")
    page.wait_for_selector("#go")
    assert page.locator(".way li").count() == 6
    page.click("#mark >> text=Back to the chat")
    page.wait_for_selector("#chat .example")
