"""The garment page in Debian's Chromium, over jobs on disk; training is left to other tests."""

import io
import json
import os
import shutil
import socket
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from catalog.starter import starter_garments, starter_photos
from ui.settings import quieten, read_settings

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WAIT = 120_000
TRUTH = next(g for g in starter_garments() if g.id == "camel-long-coat")


def shot(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.asarray(starter_photos(TRUTH, seed + 1)[seed])).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """Garment jobs whose process is this one, in which the stages after tagging are played."""
    from catalog.index import Catalog
    from tools import garment_order, new_garment
    from tools.garment_jobs import GarmentJobs
    from tools.jobs import Jobs
    from tools.uploads import Uploads

    class Played(new_garment.NewGarment):
        def _train(self, run, order, card):
            run.keep("curve.json", json.dumps({"loss": [0.9, 0.5, 0.4, 0.35]}).encode())
            run.keep("samples/00020-0.png", shot(0))
            return {"sha256": "", "loss": 0.35}

        def _admit(self, run, card):
            run.keep("admission.png", shot(1))
            return {"wearable": False, "strength": 1.0, "flags": ["weak"]}

        def _publish(self, run, card, trained, admitted):
            return {"id": card.id}

    home = tmp_path_factory.mktemp("page")
    jobs = GarmentJobs(home, Catalog(home, starter=False), Uploads(home), 1)
    work = {garment_order.KIND: Played(jobs._catalog, 1)}
    jobs._launch = lambda id: Jobs(home, work).run(id)  # type: ignore[method-assign]
    return SimpleNamespace(home=home, garment_jobs=jobs)


@pytest.fixture(scope="module")
def address(studio):
    if not os.path.exists(CHROMIUM):
        said = "Chromium is needed to drive the page: apt-get install chromium"
        if os.environ.get("STYLIST_TEST_BROWSER") == "required":
            pytest.fail(said)
        pytest.skip(said)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = replace(read_settings({"STYLIST_HOME": str(studio.home)}), port=port)
    quieten(settings)

    import gradio as gr

    from ui.chat import launch
    from ui.garment_page import LINK, PATH, add_garment_page
    from ui.visitor import Visitors

    visitors = Visitors(studio.home)
    with gr.Blocks(analytics_enabled=False, fill_width=True) as blocks:
        gr.HTML(LINK)
    add_garment_page(blocks, studio, lambda request: visitors.owner(request.cookies) or "nobody")
    launch(blocks, settings)
    yield f"http://127.0.0.1:{port}/{PATH}"
    blocks.close(verbose=False)


def test_photos_become_a_garment_and_every_step_survives_a_reload(address, studio, tmp_path):
    from playwright.sync_api import sync_playwright

    files = []
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(shot(i))
        files.append(str(tmp_path / f"{i}.png"))
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        page = chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        page.set_default_timeout(WAIT)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector("#go")
        # 1. what cannot be is said, and nothing begins
        page.click("#go")
        page.wait_for_selector(".toast-body")
        assert not (studio.home / "jobs").exists()
        # 2. photos in, cut-outs and tags out
        page.fill("#name input, #name textarea", "Camel coat")
        page.set_input_files("#photos input[type=file]", files)
        page.wait_for_function("() => document.querySelectorAll('#photos .file').length === 4")
        page.click("#go")
        page.wait_for_selector("#cut-outs img")
        page.wait_for_selector("#train")
        assert page.locator("#captions li").count() == 4
        # 3. tags are changed on the photos that have one, taken back, and there after a reload
        page.fill("#said input, #said textarea", "c[ao]+t")
        page.fill("#by input, #by textarea", "overcoat")
        page.check("#regex input")
        page.click("#replace")
        page.wait_for_selector(".chips span:has-text('overcoat')")
        page.reload()
        page.wait_for_selector(".chips span:has-text('overcoat')")
        page.click("#undo")
        page.wait_for_selector(".chips span:has-text('overcoat')", state="detached")
        # 4. trained, tried on, published
        page.click("#train")
        page.wait_for_selector("#admission img")
        assert page.locator(".curve polyline").count() == 1
        assert page.locator(".samples img").count() == 1
        assert "Weak" in page.inner_text(".verdict")
        page.click("#publish")
        page.wait_for_selector(".verdict >> text=not offered")
        # 5. another browser sees nothing of it
        other = chromium.new_context().new_page()
        other.set_default_timeout(WAIT)
        other.goto(address)
        other.wait_for_selector("#go")
        assert other.locator("#cut-outs img").count() == 0
        chromium.close()
    server = address.rsplit("/", 1)[0]
    assert all(u.startswith((server, "data:", "blob:")) for u in asked)
