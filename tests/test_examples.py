"""What training reads is fetched ahead of it, kept, and used as often as was agreed."""

import threading

import numpy as np
import pytest
import torch

from catalog.croquis import drawing, examples
from catalog.croquis.examples import Ahead, Encoded, Pool
from catalog.croquis.sheet import WHOLE


class Loader:
    """Batches as a ``DataLoader`` gives them, and which thread made it begin."""

    def __init__(self, batches):
        self.batches, self.begun_by = batches, None

    def __iter__(self):
        self.begun_by = threading.get_ident()
        return iter(self.batches)


def rows(*numbers: int) -> dict[str, torch.Tensor]:
    return {"n": torch.tensor(numbers)}


def test_drawing_processes_are_started_by_whoever_asks_and_not_by_the_thread():
    loader = Loader([rows(1)])
    ahead = Ahead(loader)
    assert loader.begun_by == threading.get_ident(), "a fork by the thread may copy a held lock"
    assert ahead.take(wait=True)["n"].tolist() == [1]


def test_nothing_yet_is_none_and_what_went_wrong_is_raised():
    gate = threading.Event()

    def batches():
        gate.wait(10)
        raise OSError("no more drawings")
        yield

    ahead = Ahead(Loader(batches()))
    assert ahead.take(wait=False) is None
    gate.set()
    with pytest.raises(OSError, match="no more drawings"):
        ahead.take(wait=True)


def test_a_full_pool_forgets_the_oldest():
    pool = Pool(5)
    pool.add(rows(1, 2, 3))
    assert (pool.size, pool.next) == (3, 3)
    pool.add(rows(4, 5, 6, 7))
    assert (pool.size, pool.next) == (5, 2)
    assert sorted(pool.rows["n"].tolist()) == [3, 4, 5, 6, 7]
    assert set(pool.draw(200, np.random.default_rng(0))["n"].tolist()) == {3, 4, 5, 6, 7}


def test_a_drawing_is_used_three_times_and_more_often_when_no_other_is_there(monkeypatch):
    class Slow:
        """Has a batch of 16 only when it is waited for."""

        waits = 0

        def take(self, wait):
            self.waits += wait
            return {"n": torch.arange(16)} if wait else None

    class Quick(Slow):
        def take(self, wait):
            return super().take(True)

    def taken(loader, used: int) -> int:
        monkeypatch.setattr(examples, "Ahead", lambda _: loader)
        encoded = Encoded([], None, "cpu", workers=0, first=16)  # type: ignore[arg-type]

        def add(batch):
            encoded.pool.add(batch)
            encoded.taken += 16

        monkeypatch.setattr(encoded, "_add", add)
        for _ in range(used // 8):
            assert len(encoded.draw(8, np.random.default_rng(0))["n"]) == 8
        return encoded.taken

    monkeypatch.setattr(examples, "DataLoader", lambda *args, **more: None)
    few, many = Encoded.REUSE
    assert few == 3 and taken(Quick(), 384) == 384 // few
    assert many > few and taken(Slow(), 384) == 384 // many


def test_the_base_sees_parts_of_worn_drawings_and_product_photos_whole(monkeypatch):
    worn, flat = drawing.sample_worn(3), drawing.sample_flat(3)
    rng = np.random.default_rng(0)
    seen = [examples._view(worn, rng) for _ in range(400)]
    parts = [v for v in seen if v != WHOLE]
    assert 0.5 < len(parts) / 400 / examples.ZOOMED < 1.5
    assert all(1 <= v.zoom <= 3 for v in parts) and max(v.zoom for v in parts) > 2
    assert all(examples._view(flat, rng) == WHOLE for _ in range(60))
