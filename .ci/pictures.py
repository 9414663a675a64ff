"""Draws the README's pictures again: one look, and the chat page in Debian's Chromium.

.venv/bin/python .ci/pictures.py
"""

import shutil
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

PICTURES = Path(__file__).parents[1] / "ui" / "pictures"
REQUEST = "winter outfit for a commute"
CHAT = "office outfit for autumn, for a woman, something green"


def main() -> None:
    from ui.settings import quieten, read_settings

    with tempfile.TemporaryDirectory() as home, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        settings = replace(read_settings({"STYLIST_HOME": home}), port=port)
        quieten(settings)
        from agent.stylist import Stylist
        from tools.studio import Studio
        from ui.chat import build_page, launch

        stylist = Stylist(Studio(settings.home), settings.home)
        look = stylist.ask(REQUEST, "readme")["look"]
        shutil.copy(look["image"], PICTURES / "look.png")
        blocks = build_page(stylist)
        launch(blocks, settings)
        photograph(f"http://127.0.0.1:{port}", PICTURES / "chat.png")
        blocks.close(verbose=False)


def photograph(address: str, target: Path) -> None:
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=quiet)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(180_000)
        page.goto(address)
        page.wait_for_selector("#chat .example")
        page.fill("#box textarea", CHAT)
        page.press("#box textarea", "Enter")
        page.wait_for_selector("#chat img.print")
        page.wait_for_timeout(3000)
        page.screenshot(path=target)
        chromium.close()


if __name__ == "__main__":
    main()
