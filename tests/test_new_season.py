"""Season LoRAs from a folder of outfit photos."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from catalog.errors import BadValue, UnknownName
from catalog.index import Catalog
from tools.jobs import Jobs
from tools.new_season import KIND, NewSeason, start
from ui.cli import main


def outfits(count: int = 4) -> list[tuple[str, bytes]]:
    """Somebody before a wall, each standing elsewhere before another one."""
    files = []
    for i in range(count):
        picture = np.full((300, 260, 3), 200 - 30 * i, np.uint8)
        picture[:, :: 20 + 9 * i] = 90
        picture[60 - 10 * i : 280, 20 + 40 * i : 100 + 40 * i] = (150, 40 + 20 * i, 40)
        out = io.BytesIO()
        Image.fromarray(picture).save(out, "PNG")
        files.append((f"{i}.png", out.getvalue()))
    return files


@pytest.fixture
def home(tmp_path):
    catalog = Catalog(tmp_path, starter=False)
    return catalog, Jobs(tmp_path, {KIND: NewSeason(catalog, 1)})


def test_photos_become_the_seasons_lora(home):
    catalog, jobs = home
    done = jobs.run(start(jobs, "winter", outfits(), training={"steps": 1}))
    assert done.state == "done", done.error
    assert catalog.season_sha256("winter") == done.result["lora_sha256"]


def test_unknown_seasons_dials_bases_and_too_few_photos_start_nothing(home, tmp_path):
    _, jobs = home
    with pytest.raises(UnknownName, match="wintr") as raised:
        start(jobs, "wintr", outfits())
    assert "winter" in raised.value.hint
    with pytest.raises(UnknownName, match="dial"):
        start(jobs, "winter", outfits(), training={"speed": 1})
    with pytest.raises(BadValue, match="at least 4"):
        start(jobs, "winter", outfits(3))
    with pytest.raises(BadValue, match="sd15"):
        start(jobs, "winter", outfits(), base="sd15")
    assert not (tmp_path / "jobs").exists()


def test_the_command_queues_a_season(monkeypatch, installed_home, tmp_path, capsys):
    monkeypatch.setenv("STYLIST_HOME", str(installed_home))
    for name, data in outfits():
        (tmp_path / name).write_bytes(data)
    assert main(["season", "train", "winter", str(tmp_path), "--later", "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last.keys() == {"id", "state", "seconds", "flags"} and last["state"] == "queued"
    assert main(["job", "cancel", last["id"]]) == 0
    assert main(["season", "train", "winter", str(tmp_path), "--set", "rank=x", "--json"]) == 1
    assert "rank=x" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["message"]
