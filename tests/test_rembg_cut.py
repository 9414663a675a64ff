"""rembg is an extra: without it a job that asks for it is refused, with it its masks are used."""

import sys
from types import ModuleType

import numpy as np
import pytest
from test_new_garment import photos

from catalog import rembg_cut
from catalog.errors import ModelUnavailable
from catalog.index import Catalog
from tools.garment_order import KIND, start
from tools.jobs import Jobs
from tools.new_garment import NewGarment


@pytest.fixture(autouse=True)
def no_session():
    rembg_cut._session.cache_clear()
    yield
    rembg_cut._session.cache_clear()


def test_without_it_the_job_is_refused_before_it_is_one(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rembg", None)
    catalog = Catalog(tmp_path, starter=False)
    with pytest.raises(ModelUnavailable, match="not installed") as error:
        start(Jobs(tmp_path, {}), catalog, "Coat", photos(4), category="coat", rembg=True)
    assert "--rembg" in error.value.hint and not (tmp_path / "jobs").exists()


def stand_in(monkeypatch, new_session) -> None:
    """A module with the two functions of rembg 2 that are called."""
    module = ModuleType("rembg")
    module.__spec__ = sys.__spec__
    module.new_session = new_session

    def remove(data, session=None, only_mask=False):
        assert session == "u2net" and only_mask and data.dtype == np.uint8
        mask = np.zeros(data.shape[:2], np.uint8)
        mask[100:300, 60:200] = 255
        return mask

    module.remove = remove
    monkeypatch.setitem(sys.modules, "rembg", module)


def test_with_it_its_masks_are_the_cut_outs(tmp_path, monkeypatch):
    stand_in(monkeypatch, lambda name: name)
    photo = photos(1)
    from catalog.photo_file import photo_pixels

    cut = rembg_cut.cut_by_rembg(photo_pixels(photo[0][1]))
    assert cut.way == "rembg" and cut.mask.sum() == 200 * 140 and cut.usable
    catalog = Catalog(tmp_path, starter=False)
    jobs = Jobs(tmp_path, {KIND: NewGarment(catalog, 1)})
    seen = []
    monkeypatch.setattr("tools.new_garment.cut_by_rembg", lambda p: seen.append(p) or cut)
    id = start(jobs, catalog, "Coat", photos(4), category="coat", rembg=True, review=True)
    assert jobs.run(id).stage == "reviewed" and len(seen) == 4


def test_a_model_that_cannot_be_fetched_is_said(monkeypatch):
    def no_network(name):
        raise OSError("no route to host")

    stand_in(monkeypatch, no_network)
    with pytest.raises(ModelUnavailable, match="no route"):
        rembg_cut.cut_by_rembg(np.zeros((64, 64, 3), np.uint8))
