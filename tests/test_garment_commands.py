"""Jobs and LoRA files from the command line."""

import json

import pytest

from catalog.lora_file import check_lora_file
from tools import admission
from ui.cli import main


@pytest.fixture
def at_home(monkeypatch, installed_home):
    monkeypatch.setenv("STYLIST_HOME", str(installed_home))
    monkeypatch.setenv("STYLIST_THREADS", "1")
    monkeypatch.setattr(admission, "STRENGTHS", (1.0,))
    monkeypatch.setattr(admission, "STEPS", {"croquis": 1})
    return installed_home


def said(capsys) -> dict:
    out = capsys.readouterr().out
    assert out.count("\n") == 1, "one JSON value and nothing else"
    return json.loads(out)


def test_an_unknown_job_is_unknown(at_home, capsys):
    assert main(["job", "show", "job-0123456789ab", "--json"]) == 1
    assert said(capsys)["state"] == "unknown"
    for name in ("cancel", "resume"):
        assert main(["job", name, "job-0123456789ab", "--json"]) == 1
        assert said(capsys)["error"]["type"] == "UnknownName"


def test_bad_photos_start_no_job(at_home, capsys, tmp_path):
    assert main(["catalog", "add", str(tmp_path), "--name", "Coat", "--json"]) == 1
    assert said(capsys)["error"]["type"] == "BadValue"
    assert main(["job", "list", "--json"]) == 0
    assert said(capsys) == []


def test_a_queued_job_is_listed_watched_and_cancelled(at_home, capsys, tmp_path):
    from PIL import Image

    from catalog.starter import starter_garments, starter_photos

    for i, photo in enumerate(starter_photos(starter_garments()[0], 4)):
        Image.fromarray(photo).save(tmp_path / f"{i}.png")
    new = ["catalog", "add", str(tmp_path), "--name", "Tee", "--later", "--json"]
    assert main(new) == 0
    queued = said(capsys)
    assert queued["state"] == "queued" and queued.keys() == {"id", "state", "seconds", "flags"}
    assert main(["job", "list", "--json"]) == 0
    assert [j["id"] for j in said(capsys)] == [queued["id"]]
    assert main(["job", "cancel", queued["id"], "--json"]) == 0
    assert said(capsys)["state"] == "cancelled"
    assert main(["job", "watch", queued["id"], "--json"]) == 0
    assert "resume" in said(capsys)["message"]


def test_an_exported_lora_is_kohyas_and_comes_back(at_home, capsys, tmp_path):
    id, path = "red-chest-stripe-tee", tmp_path / "tee.safetensors"
    assert main(["catalog", "export", id, str(path), "--json"]) == 0
    trigger = said(capsys)["trigger"]
    about = check_lora_file(path)
    assert about.metadata["ss_network_module"] == "networks.lora"
    assert about.metadata["modelspec.trigger_phrase"] == trigger
    assert all(m.startswith("lora_unet_") for m in about.modules)
    assert main(["catalog", "export", id, str(path), "--json"]) == 1
    assert "already a file" in said(capsys)["error"]["message"]
    assert main(["catalog", "import", id, str(path), "--json"]) == 0
    assert said(capsys)["modules"] == len(about.modules)


def test_a_lora_for_another_base_is_refused_and_the_garment_keeps_its_own(
    at_home, capsys, tmp_path
):
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "foreign.safetensors"
    name = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    halves = {"lora_down": torch.ones(4, 768), "lora_up": torch.ones(320, 4)}
    save_file({f"{name}.{half}.weight": value for half, value in halves.items()}, path)
    assert main(["catalog", "show", "camel-long-coat", "--json"]) == 0
    before = said(capsys)
    assert main(["catalog", "import", "camel-long-coat", str(path), "--json"]) == 1
    assert "do not fit this base" in said(capsys)["error"]["message"]
    assert main(["catalog", "show", "camel-long-coat", "--json"]) == 0
    assert said(capsys) == before
