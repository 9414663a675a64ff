"""Who is at the page: cookies are signed, and each browser has only its own conversations."""

import socket
import stat
from dataclasses import replace

import pytest
from fakes import FakeEngineStudio

from agent.stylist import Stylist
from ui.settings import quieten, read_settings
from ui.visitor import COOKIE, Visitors


def test_a_cookie_is_known_again_and_a_forged_one_is_not(tmp_path):
    visitors = Visitors(tmp_path)
    cookie = visitors.new()
    owner = visitors.owner({COOKIE: cookie})
    assert owner and owner == Visitors(tmp_path).owner({COOKIE: cookie})
    assert visitors.owner({COOKIE: visitors.new()}) != owner
    name, _, sign = cookie.partition(".")
    for forged in ("", name, f"{name}.{'0' * 64}", f"{'a' * 32}.{sign}", cookie + "x"):
        assert visitors.owner({COOKIE: forged}) is None
    assert visitors.owner({}) is None
    assert Visitors(tmp_path / "other").owner({COOKIE: cookie}) is None


def test_the_signing_key_is_readable_by_its_owner_alone(tmp_path):
    Visitors(tmp_path)
    assert stat.S_IMODE((tmp_path / "page.key").stat().st_mode) == 0o600


@pytest.fixture
def page(tmp_path):
    """A running page over a stylist that does not draw: its address and the stylist."""
    from ui.chat import build_page, launch

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = replace(read_settings({"STYLIST_HOME": str(tmp_path)}), port=port)
    quieten(settings)
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    blocks = build_page(stylist)
    launch(blocks, settings)
    yield f"http://127.0.0.1:{port}", stylist
    blocks.close(verbose=False)


def test_the_page_gives_each_browser_a_cookie_and_exports_only_its_conversations(page):
    import httpx

    address, stylist = page
    with httpx.Client(base_url=address) as ann, httpx.Client(base_url=address) as ben:
        for browser in (ann, ben):
            said = browser.get("/").headers["set-cookie"]
            assert "HttpOnly" in said and "SameSite=Strict" in said
            assert "set-cookie" not in browser.get("/").headers
        assert "set-cookie" in httpx.get(f"{address}/garments").headers
        owner = Visitors(stylist.studio.home).owner(ann.cookies)
        stylist.ask("winter outfit", "t1", owner=owner, render=False)
        mine = ann.get("/conversations.json").json()
        assert [t["id"] for t in mine] == ["t1"] and mine[0]["turns"][0]["user"] == "winter outfit"
        assert ben.get("/conversations.json").json() == []
        assert httpx.get(f"{address}/conversations.json").json() == []
        other = Visitors(stylist.studio.home).owner(ben.cookies)
        assert stylist.ask("why?", "t1", owner=other)["error"]["type"] == "UnknownName"


def test_the_page_gives_no_file_of_the_home_to_whoever_knows_its_name(page):
    import httpx

    address, stylist = page
    home = stylist.studio.home
    files = [home / "looks" / "look-1" / name for name in ("receipt.json", "look.png")]
    files += [home / "jobs" / "job-1" / "kept" / "cut-outs.png", home / "page.key"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_bytes(b"x")
    with httpx.Client(base_url=address) as ann:
        ann.get("/")
        for file in files:
            for way in ("/gradio_api/file=", "/file=", "/gradio_api/file/"):
                assert ann.get(f"{way}{file}").status_code in (403, 404), (way, file)
