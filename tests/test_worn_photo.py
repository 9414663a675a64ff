"""A garment is cut out of a photo of somebody who wears it, and a job says when it cannot tell."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from catalog.croquis import drawing, maps
from catalog.errors import AskDifferently
from catalog.index import Catalog
from tools import new_garment
from tools.blaze_pose import Sighting, blaze_pose
from tools.garment_order import KIND, start
from tools.jobs import Jobs
from tools.worn_photo import cut_worn


def people(count: int) -> list[tuple[drawing.Drawing, Sighting]]:
    """Drawn people in a top and a bottom, and what a perfect pose model would see of them."""
    found = []
    seed = 6_600_000_000
    while len(found) < count:
        one = drawing.draw(drawing.sample_worn(seed), scale=2.0)
        seed += 1
        if {"top", "bottom"} <= set(one.slots) and "outerwear" not in one.slots:
            person = (one.regions > 0).astype(np.float32)
            found.append((one, Sighting(one.points * 2.0, np.ones(18), person)))
    return found


def test_top_and_bottom_are_parted_on_drawn_people():
    for slot in ("top", "bottom"):
        overlaps = []
        for one, seen in people(12):
            truth = one.regions == maps.FIRST_GARMENT + one.slots.index(slot)
            cut = cut_worn(np.ascontiguousarray(one.picture), seen, slot)
            assert cut.mask.shape == truth.shape and cut.way == "on a person" and cut.warnings
            overlaps.append((cut.mask & truth).sum() / (cut.mask | truth).sum())
        assert np.median(overlaps) > 0.75, (slot, overlaps)


def test_the_same_photo_gives_the_same_mask_and_nothing_comes_of_what_is_not_seen():
    one, seen = people(1)[0]
    photo = np.ascontiguousarray(one.picture)
    first, again = (cut_worn(photo, seen, "top").mask for _ in range(2))
    assert np.array_equal(first, again)
    away = replace(seen, points=seen.points + 5000.0)
    for nowhere in (cut_worn(photo, away, "top"), cut_worn(photo, seen, "bag")):
        assert not nowhere.usable and "no garment of its kind" in nowhere.warnings[0]


def test_the_pose_model_sees_where_a_person_is_and_no_person_in_clothes_laid_out():
    one, _ = people(1)[0]
    seen = blaze_pose()(np.ascontiguousarray(one.picture))
    truth = one.regions > 0
    mask = seen.mask > 0.5
    assert seen.mask.shape == truth.shape and seen.mask.min() >= 0 and seen.mask.max() <= 1
    assert (mask & truth).sum() / (mask | truth).sum() > 0.6
    flat = drawing.draw(drawing.sample_flat(6_700_000_000), scale=2.0)
    laid = blaze_pose()(np.ascontiguousarray(flat.picture))
    assert laid is None or not laid.sure


def files(count: int) -> list[tuple[str, bytes]]:
    out = []
    for i, (one, _) in enumerate(people(count)):
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(one.picture)).save(file, "PNG")
        out.append((f"worn {i}.png", file.getvalue()))
    return out


@pytest.fixture
def seeing(monkeypatch):
    """Every photo shows a person, where the drawing has one."""
    known = {np.ascontiguousarray(d.picture).tobytes(): s for d, s in people(4)}
    monkeypatch.setattr(
        new_garment, "_person_finder", lambda: lambda photo: known.get(photo.tobytes())
    )


def test_a_job_of_worn_photos_asks_which_garment_is_meant(tmp_path, seeing):
    catalog = Catalog(tmp_path, starter=False)
    jobs = Jobs(tmp_path, {KIND: new_garment.NewGarment(catalog, 1)})
    id = start(jobs, catalog, "Shirt", files(4))
    status = jobs.run(id)
    assert status.state == "failed" and status.error["type"] == AskDifferently.__name__
    assert "4 of the photos" in status.error["message"] and "category" in status.error["hint"]


def test_a_job_that_knows_the_kind_cuts_it_out_of_who_wears_it(tmp_path, seeing):
    catalog = Catalog(tmp_path, starter=False)
    jobs = Jobs(tmp_path, {KIND: new_garment.NewGarment(catalog, 1)})
    id = start(jobs, catalog, "Shirt", files(4), category="shirt", review=True)
    status = jobs.run(id)
    assert status.stage == "reviewed", status.error
    dataset = tmp_path / "jobs" / id / "kept" / "dataset"
    assert len(list(dataset.glob("*.png"))) == 4
    with Image.open(next(dataset.glob("*.png"))) as framed:
        assert framed.size == (256, 384)
