"""Garment folders: whole or not there at all, one writer, and nothing but sound LoRAs."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save

from catalog.errors import BadValue, Busy, CannotNow, Damaged, ModelUnavailable, UnknownName
from catalog.lora_file import check_lora_file
from catalog.photo_file import pixels_png
from catalog.starter import starter_garments
from catalog.store import Store

CARD = next(g for g in starter_garments() if g.id == "navy-wool-coat").model_copy(
    update={"lora_sha256": ""}
)
PHOTO = pixels_png(np.full((64, 48, 3), 90, np.uint8))
MODULE = "unet.down_blocks.0.attentions.0.to_q"


def lora(seed=0, rank=4, base="croquis", **changes):
    rng = np.random.default_rng(seed)
    tensors = {
        f"{MODULE}.lora_A.weight": rng.normal(size=(rank, 16)).astype(np.float16),
        f"{MODULE}.lora_B.weight": rng.normal(size=(24, rank)).astype(np.float16),
        f"{MODULE}.alpha": np.float32([rank]),
    } | changes
    return save({k: v for k, v in tensors.items() if v is not None}, {"base": base})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def filled(store):
    store.add(CARD, [PHOTO, PHOTO], lora())
    return store


def test_a_garment_comes_back_as_it_was_added(filled):
    card = filled.card(CARD.id)
    assert card == CARD.model_copy(update={"lora_sha256": card.lora_sha256})
    assert [p.name for p in filled.photos(CARD.id)] == ["00.png", "01.png"]
    assert filled.lora(CARD.id).read_bytes() == lora()
    assert filled.lora(CARD.id).name == f"lora-{card.lora_sha256[:12]}.safetensors"
    assert filled.ids() == [CARD.id]


def test_every_change_counts_the_generation_up(store):
    seen = [store.generation]
    store.add(CARD, [PHOTO])
    seen.append(store.generation)
    store.replace_lora(CARD.id, lora())
    seen.append(store.generation)
    store.replace_season_lora("winter", lora(1))
    seen.append(store.generation)
    store.remove(CARD.id)
    seen.append(store.generation)
    assert seen == sorted(set(seen)) and seen[0] == 0


def test_a_damaged_generation_number_moves_on_from_any_number_seen(filled):
    (filled.root / "generation").write_text("\x00\x00")
    assert filled.generation == -1
    filled.replace_lora(CARD.id, lora(2))
    assert filled.generation > 10**9


def test_a_taken_id_is_refused_and_the_folder_stays(filled):
    with pytest.raises(BadValue, match="already"):
        filled.add(CARD.model_copy(update={"price": 1.0}), [PHOTO])
    assert filled.card(CARD.id).price == CARD.price


@pytest.mark.parametrize(
    "id", ["../x", "..", ".", "/etc", "a/b", "", "A", "navy\x00", "x" * 99, None, 7, "\ud800"]
)
def test_ids_never_become_paths(filled, id):
    for reach in (filled.card, filled.photos, filled.lora, filled.remove):
        with pytest.raises(UnknownName):
            reach(id)


def test_unknown_garment_names_the_nearest(filled):
    with pytest.raises(UnknownName, match="navy-wool-coat"):
        filled.card("navy-wool-cot")


def test_replacing_a_lora_keeps_the_old_file_for_replays(filled):
    old = filled.card(CARD.id).lora_sha256
    flagged = filled.replace_lora(CARD.id, lora(4), flags=("overcooked",))
    assert filled.card(CARD.id).flags == flagged.flags == ("overcooked",)
    card = filled.replace_lora(CARD.id, lora(5), strength=0.8)
    assert card.flags == (), "they told of the LoRA before"
    assert card.strength == 0.8 and filled.card(CARD.id) == card
    assert filled.lora(CARD.id).read_bytes() == lora(5)
    assert filled.lora(CARD.id, old).read_bytes() == lora()


@pytest.mark.parametrize("strength", [0, -1, 3, float("nan"), float("inf"), "strong"])
def test_an_impossible_strength_changes_nothing(filled, strength):
    before = filled.card(CARD.id), filled.generation
    with pytest.raises(BadValue):
        filled.replace_lora(CARD.id, lora(5), strength=strength)
    assert (filled.card(CARD.id), filled.generation) == before


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "gone"])
def test_a_harmed_lora_is_named_with_the_command_that_mends_it(filled, harm):
    path = filled.lora(CARD.id)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    changed = {"flip": bytes(data), "cut": bytes(data[:200]), "empty": b""}
    path.unlink() if harm == "gone" else path.write_bytes(changed[harm])
    with pytest.raises(Damaged) as caught:
        filled.lora(CARD.id)
    assert path.name in caught.value.message
    assert "stylist catalog train navy-wool-coat" in caught.value.hint


def test_an_untrained_garment_says_how_to_train_it(store):
    store.add(CARD, [PHOTO])
    with pytest.raises(ModelUnavailable, match="stylist catalog train navy-wool-coat"):
        store.lora(CARD.id)
    with pytest.raises(ModelUnavailable, match="stylist catalog train winter"):
        store.season_lora("winter")


def test_season_loras_are_kept_and_checked(store):
    sha = store.replace_season_lora("winter", lora(3))
    assert store.season_sha256("winter") == sha and store.season_sha256("summer") == ""
    path = store.season_lora("winter")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Damaged):
        store.season_lora("winter")
    with pytest.raises(UnknownName):
        store.season_lora("monsoon")


@pytest.mark.parametrize("content", ["", "{}", "[1]", "nonsense", '{"id": "navy-wool-coat"}'])
def test_a_harmed_card_is_damaged_not_a_crash(filled, content):
    (filled.garments / CARD.id / "card.json").write_text(content)
    with pytest.raises(Damaged, match="stylist catalog rebuild"):
        filled.card(CARD.id)


def test_a_card_of_another_garment_is_damaged(filled):
    card = CARD.model_copy(update={"id": "somebody-else"})
    (filled.garments / CARD.id / "card.json").write_text(card.model_dump_json())
    with pytest.raises(Damaged):
        filled.card(CARD.id)


# -------------------------------------------------------------------- one writer


def test_who_comes_second_is_told_who_holds_the_catalog(store):
    code = (
        "import sys; from pathlib import Path; from catalog.store import Store\n"
        "with Store(Path(sys.argv[1])).writing('training a scarf'):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(store.root.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout.readline() == b"held\n"
        start = time.monotonic()
        with pytest.raises(Busy, match=f"process {child.pid}.*training a scarf"):
            store.add(CARD, [PHOTO])
        assert time.monotonic() - start < 1
        assert store.ids() == []
    finally:
        child.communicate()
    store.add(CARD, [PHOTO])


def test_two_threads_of_one_process_are_two_writers(store):
    busy = []

    def second():
        try:
            store.add(CARD, [PHOTO])
        except Busy as error:
            busy.append(error)

    with store.writing("something long"), store.writing("nested in one thread is fine"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(busy) == 1 and not store.ids()


def test_a_writer_killed_at_any_moment_leaves_whole_garments_only(store):
    script = (
        "import sys, itertools; from pathlib import Path; from catalog.store import Store\n"
        "from catalog.garment import Garment\n"
        "store = Store(Path(sys.argv[1])); card = Garment.model_validate_json(sys.argv[2])\n"
        "photo = Path(sys.argv[3]).read_bytes(); files = {f'photos/{i:02}.png': photo"
        " for i in range(8)}\n"
        "print('go', flush=True)\n"
        "for i in itertools.count():\n"
        "    store.put(card.model_copy(update={'id': f'coat-{i % 3}', 'price': float(i)}),"
        " files, over=True)\n"
    )
    photo = store.root.parent / "photo.png"
    photo.write_bytes(PHOTO)
    seen = set()
    for delay in (0.02, 0.05, 0.09):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(store.root.parent), CARD.model_dump_json(), photo],
            stdout=subprocess.PIPE,
        )
        child.stdout.readline()
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        before = store.generation
        for id in store.ids():
            assert store.card(id).id == id
            assert [p.read_bytes() for p in store.photos(id)] == [PHOTO] * 8
        store.replace_season_lora("winter", lora())  # the next writer sweeps and counts on
        assert not list(store.garments.glob(".*")) and store.generation > before
        assert seen <= set(store.ids())
        seen = set(store.ids())


def test_a_garment_being_replaced_comes_back_after_a_kill_between_the_renames(filled):
    os.rename(filled.garments / CARD.id, filled.garments / f".old-{CARD.id}-0123abcd")
    filled.replace_season_lora("winter", lora())
    assert filled.ids() == [CARD.id]


# -------------------------------------------------------------------- photos


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_photos_lose_metadata_and_stand_upright(store, form):
    picture = Image.new("RGB", (60, 40), "red")
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "SecretCamera"
    out = io.BytesIO()
    picture.save(out, form, exif=exif)
    store.add(CARD, [out.getvalue()])
    kept = store.photos(CARD.id)[0].read_bytes()
    assert b"SecretCamera" not in kept
    assert Image.open(io.BytesIO(kept)).size == (40, 60)


@pytest.mark.parametrize(
    "photo",
    [b"", b"GIF89a" + b"x" * 99, PHOTO[:60], b"<svg/>", pixels_png(np.zeros((2, 2, 3), "u1"))],
)
def test_a_bad_photo_is_refused_and_nothing_is_left(store, photo):
    with pytest.raises(BadValue):
        store.add(CARD, [PHOTO, photo])
    assert store.ids() == []
    with pytest.raises(BadValue):
        store.add(CARD, [])


# -------------------------------------------------------------------- LoRA files


def test_a_sound_lora_says_what_it_is():
    info = check_lora_file(lora(rank=8), base="croquis")
    assert (info.rank, info.modules, info.base) == (8, (MODULE,), "croquis")
    kohya = {"lora_unet_x.lora_down.weight": np.zeros((4, 8), "f4")}
    kohya |= {"lora_unet_x.lora_up.weight": np.zeros((8, 4), "f4")}
    assert check_lora_file(save(kohya)).modules == ("lora_unet_x",)


A, B = f"{MODULE}.lora_A.weight", f"{MODULE}.lora_B.weight"


def header_only(header, body=b""):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (lora()[:40], "cut short"),
        (lora()[:-2], "cut short"),
        (lora() + b"more", "left-over"),
        (pickle.dumps({"a": 1}), "pickle"),
        (b"PK\x03\x04" + b"0" * 60, "pickle"),
        (b"\xff" * 64, "header length"),
        ((1 << 63).to_bytes(8, "little") + b"{}", "header length"),
        (
            header_only(
                {
                    f"unet.m{i}.lora_A.weight": {
                        "dtype": "F32",
                        "shape": [1],
                        "data_offsets": [0, 4],
                    }
                    for i in range(100_000)
                }
            ),
            "header|tensors",
        ),
        (header_only(b"{" * 50), "header"),
        (header_only(b"[" * 100_000), "header"),
        (header_only({}), "no weights"),
        (header_only(b'{"a": 1, "a": 2}'), "header"),
        (header_only({A: {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}), "impossible"),
        (header_only({A: {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}), "cut short"),
        (header_only({A: {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}), "float"),
        (header_only({"../x": {}}), "odd name"),
        (lora(**{A: np.full((4, 16), np.nan, "f2")}), "not finite"),
        (lora(**{B: np.full((24, 4), np.inf, "f2")}), "not finite"),
        (lora(**{B: None}), "half"),
        (lora(**{B: np.zeros((24, 5), "f2")}), "fit together"),
        (lora(**{"unet.conv_in.weight": np.zeros((4, 4), "f4")}), "no LoRA weight"),
        (lora(base="sd15"), "sd15"),
    ],
)
def test_an_unsound_lora_is_refused_and_nothing_changes(filled, data, says):
    before = filled.card(CARD.id), filled.generation
    with pytest.raises(BadValue, match=says):
        filled.replace_lora(CARD.id, data)
    assert (filled.card(CARD.id), filled.generation) == before


def test_a_full_disk_refuses_a_garment_and_the_others_stay(filled, monkeypatch):
    before = filled.ids(), filled.generation
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    other = CARD.model_copy(update={"id": "another-one"})
    with pytest.raises(CannotNow, match="full"):
        filled.add(other, [PHOTO], lora())
    assert (filled.ids(), filled.generation) == before
    assert filled.card(CARD.id).id == CARD.id


def test_bfloat16_is_looked_through_for_bad_numbers():
    half = b"\x80\x3f" * 16  # 1.0
    spots = {A: [0, 16], B: [16, 32]}
    header = {
        k: {"dtype": "BF16", "shape": s, "data_offsets": spots[k]}
        for k, s in ((A, [2, 4]), (B, [4, 2]))
    }
    assert check_lora_file(header_only(header, half)).rank == 2
    with pytest.raises(BadValue, match="not finite"):
        check_lora_file(header_only(header, half[:-2] + b"\x80\x7f"))


def test_a_changed_byte_is_damage_when_the_hash_is_known(tmp_path):
    path = tmp_path / "coat.safetensors"
    path.write_bytes(lora())
    sha = check_lora_file(path).sha256
    data = bytearray(lora())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(Damaged, match=r"coat\.safetensors"):
        check_lora_file(path, sha256=sha)
    with pytest.raises(Damaged):
        check_lora_file(tmp_path / "missing.safetensors")
