"""Photos come in whole and harmless, or are refused by name; nothing in an archive is a path."""

import io
import os
import re
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from catalog import photo_intake
from catalog.errors import BadValue
from catalog.photo_file import photo_pixels, photo_png
from catalog.photo_intake import read_photos
from catalog.starter import starter_garments, starter_photos


def picture(seed: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """Blocks of colour: sharp, and different for every seed."""
    small = np.random.default_rng(seed).integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    return small.repeat(8, 0).repeat(8, 1)


def saved(pixels: np.ndarray, kind: str = "PNG", **how) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **how)
    return out.getvalue()


def zipped(path: Path, files: dict[str, bytes], **how) -> Path:
    with zipfile.ZipFile(path, "w", **how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def names(intake) -> list[str]:
    return [p.name for p in intake.photos]


def test_a_folder_a_zip_and_uploaded_files_give_the_same_photos(tmp_path):
    files = {f"{i}.png": saved(picture(i)) for i in range(4)} | {"price list.csv": b"1,2"}
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    archive = zipped(tmp_path / "p.zip", {f"shoot/{n}": d for n, d in files.items()})
    seen = [read_photos(folder), read_photos(archive), read_photos(list(files.items()))]
    for intake in seen:
        assert names(intake) == ["0.png", "1.png", "2.png", "3.png"] and not intake.refused
        for photo, first in zip(intake.photos, seen[0].photos, strict=True):
            assert (photo.pixels == first.pixels).all()


def test_captions_are_read_from_the_kohya_layout(tmp_path):
    inner = tmp_path / "10_zqboot boots"
    inner.mkdir()
    for i in range(2):
        (inner / f"{i}.png").write_bytes(saved(picture(i)))
    (inner / "0.txt").write_text("zqboot, brown, boots\n")
    assert [p.caption for p in read_photos(tmp_path).photos] == ["zqboot, brown, boots", None]
    (inner / "1.txt").write_bytes(b"\x00\xff\x01")
    with pytest.raises(BadValue, match="caption"):
        read_photos(tmp_path)


def test_a_photo_saved_again_is_pointed_out_and_another_of_the_same_garment_is_not():
    garment = starter_garments()[0]
    shots = [np.asarray(p) for p in starter_photos(garment, 5)]
    again = Image.fromarray(shots[1]).resize((180, 269))
    out = io.BytesIO()
    again.save(out, "JPEG", quality=60)
    files = [(f"{i}.png", saved(p)) for i, p in enumerate(shots)] + [("copy.jpg", out.getvalue())]
    twins = {p.name: p.duplicate_of for p in read_photos(files).photos}
    assert {name: twin for name, twin in twins.items() if twin} == {"copy.jpg": "1.png"}


def test_a_blurred_photo_is_pointed_out_and_a_sharp_one_is_not():
    import cv2

    sharp = np.asarray(starter_photos(starter_garments()[3], 1)[0])
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    blurred = {
        p.name: p.blurred
        for p in read_photos([("sharp.png", saved(sharp)), ("soft.png", saved(soft))]).photos
    }
    assert blurred == {"sharp.png": False, "soft.png": True}


def test_what_cannot_be_used_is_refused_by_name_and_the_rest_comes_in():
    good = saved(picture(1), "JPEG")
    frames = [Image.fromarray(picture(i)) for i in range(3)]
    moving = io.BytesIO()
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:])
    bad = {
        "cut.jpg": good[: len(good) // 2],
        "empty.png": b"",
        "text.jpg": b"I am no picture at all.",
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "moving.webp": moving.getvalue(),
        "huge.png": saved(np.zeros((7000, 7000), np.uint8)),
        "tiny.png": saved(picture(0)[:8, :8]),
        "gif.jpg": saved(picture(0), "GIF"),
    }
    intake = read_photos([*bad.items(), ("good.jpg", good)])
    assert names(intake) == ["good.jpg"]
    assert dict(intake.refused).keys() == bad.keys()
    assert all(reason for _, reason in intake.refused)


def test_sixteen_bits_and_cmyk_keep_their_colours():
    grey = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    seen = photo_pixels(photo_png(saved(grey)))
    assert np.abs(seen[..., 0].astype(int) - grey // 257).max() <= 1
    red = np.full((64, 64, 3), (200, 30, 30), np.uint8)
    out = io.BytesIO()
    Image.fromarray(red).convert("CMYK").save(out, "JPEG", quality=95)
    assert np.abs(photo_pixels(photo_png(out.getvalue())).astype(int) - red).max() < 12


def test_a_colour_profile_is_applied_and_a_broken_one_is_not():
    flat = np.full((64, 64, 3), (180, 90, 60), np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile"):
        seen = photo_pixels(photo_png(saved(flat, icc_profile=profile)))
        assert np.abs(seen.astype(int) - flat).max() <= 2


def test_photos_come_upright_and_without_metadata():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera of Somebody"
    data = photo_png(saved(picture(5, (96, 64)), "JPEG", exif=exif.tobytes()))
    with Image.open(io.BytesIO(data)) as kept:
        assert kept.size == (64, 96) and not kept.getexif() and "exif" not in kept.info
    assert b"Camera" not in data


def test_a_phones_photo_with_a_profile_comes_upright():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    data = photo_png(saved(picture(5, (96, 64)), "JPEG", exif=exif.tobytes(), icc_profile=srgb))
    assert photo_pixels(data).shape == (96, 64, 3)
    plain = photo_png(saved(picture(5, (96, 64)), "JPEG", exif=exif.tobytes()))
    assert np.abs(photo_pixels(data).astype(int) - photo_pixels(plain)).mean() < 2


def test_a_phones_photo_with_a_second_picture_in_it_is_its_first():
    first, second = Image.fromarray(picture(5)), Image.fromarray(picture(6))
    out = io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[second], quality=95)
    seen = photo_pixels(photo_png(out.getvalue()))
    assert np.abs(seen.astype(int) - picture(5)).mean() < 12


def test_photos_of_more_pixels_than_a_machine_holds_are_left_out(monkeypatch):
    monkeypatch.setattr(photo_intake, "MAX_DECODED", 2 * picture(0).size)
    intake = read_photos([(f"{i}.png", saved(picture(i))) for i in range(3)])
    assert names(intake) == ["0.png", "1.png"] and "million pixels" in intake.refused[0][1]


def test_an_archive_with_a_name_that_is_none_does_no_harm(tmp_path):
    files = {".": b"", **{f"{i}.png": saved(picture(i)) for i in (1, 2)}}
    archive = zipped(tmp_path / "p.zip", files)
    assert names(read_photos(archive)) == ["1.png", "2.png"]
    flagged = bytearray(archive.read_bytes().replace(b"1.png", b"\xff.png"))
    for begin, flags in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        for at in [m.start() for m in re.finditer(re.escape(begin), bytes(flagged))]:
            flagged[at + flags] |= 0x08  # “names are UTF-8”
    archive.write_bytes(bytes(flagged))
    with pytest.raises(BadValue):
        read_photos(archive)


@pytest.mark.parametrize(
    "name", ["../out.png", "/etc/out.png", "a/../../out.png", "..\\out.png", "C:\\out.png"]
)
def test_a_name_that_leads_out_of_the_archive_refuses_it(tmp_path, name):
    path = zipped(tmp_path / "p.zip", {"a.png": saved(picture(0)), name: saved(picture(1))})
    with pytest.raises(BadValue, match="leads out"):
        read_photos(path)
    assert sorted(os.listdir(tmp_path)) == ["p.zip"]


def test_links_nested_archives_and_passwords_refuse_the_archive(tmp_path):
    link = zipfile.ZipInfo("passwords.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadValue, match="link"):
        read_photos(path)
    inner = zipped(tmp_path / "inner.zip", {"a.png": saved(picture(0))})
    with pytest.raises(BadValue, match="inside the archive"):
        read_photos(zipped(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()}))
    data = bytearray(inner.read_bytes())
    for at in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[at] |= 1  # the bit that says: encrypted
    (tmp_path / "secret.zip").write_bytes(data)
    with pytest.raises(BadValue, match="encrypted"):
        read_photos(tmp_path / "secret.zip")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(photo_intake, "MAX_UNPACKED", 1 << 20)
    monkeypatch.setattr(photo_intake, "MAX_BYTES", 1 << 18)
    bomb = zipped(
        tmp_path / "b.zip", {f"{i}.png": bytes(1 << 18) for i in range(8)},
        compression=zipfile.ZIP_DEFLATED,
    )  # fmt: skip
    assert bomb.stat().st_size < 1 << 14
    with pytest.raises(BadValue, match="unpacks to more"):
        read_photos(bomb)
    # one that lies about its size is cut off where it said it would end
    data = bytearray(zipped(tmp_path / "l.zip", {"a.png": bytes(1 << 19)},
                            compression=zipfile.ZIP_DEFLATED).read_bytes())  # fmt: skip
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(mark) + offset
        data[at : at + 4] = (100).to_bytes(4, "little")
    (tmp_path / "liar.zip").write_bytes(data)
    with pytest.raises(BadValue, match="No photo"):
        read_photos(tmp_path / "liar.zip")


def test_too_many_none_and_no_such_folder_are_refused(tmp_path, monkeypatch):
    with pytest.raises(BadValue, match="No photo"):
        read_photos(tmp_path)
    with pytest.raises(BadValue, match="no folder"):
        read_photos(tmp_path / "none")
    small = saved(picture(0))
    many = zipped(tmp_path / "m.zip", {f"{i}.png": small for i in range(65)})
    with pytest.raises(BadValue, match="more than 64 photos"):
        read_photos(many)
    with pytest.raises(BadValue, match="more than 1000 files"):
        read_photos(zipped(tmp_path / "k.zip", {f"{i}.png": b"" for i in range(1001)}))
    (tmp_path / "t.zip").write_text("text")
    with pytest.raises(BadValue, match="no zip"):
        read_photos(tmp_path / "t.zip")


def test_links_in_a_folder_are_refused_and_not_followed(tmp_path):
    (tmp_path / "secret").write_bytes(saved(picture(7)))
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(saved(picture(0)))
    (folder / "b.png").symlink_to(tmp_path / "secret")
    intake = read_photos(folder)
    assert names(intake) == ["a.png"] and intake.refused[0][0] == "b.png"


def test_a_broken_file_in_an_archive_is_refused_and_the_others_come_in(tmp_path):
    noise = {f"{i}.png": saved(picture(i)) for i in range(2)}
    path = zipped(tmp_path / "p.zip", noise, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x03\x04") + 30 + len("0.png")
    data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    intake = read_photos(path)
    assert names(intake) == ["1.png"] and "broken" in intake.refused[0][1]
