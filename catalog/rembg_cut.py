"""The garment cut out by rembg, an extra for machines that may download: ``pip install rembg``.

Its model is asked for by name: the one that rembg takes by itself is not for commercial use, U²-Net
(Qin and others, 2020) is Apache-2.0.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from catalog.errors import ModelUnavailable
from catalog.grab_cut import Cut

MODEL = "u2net"


def check_rembg() -> None:
    """Raises ``ModelUnavailable`` when rembg is not installed; loads nothing."""
    from importlib.util import find_spec

    if find_spec("rembg") is None:
        raise ModelUnavailable(
            "rembg is not installed.",
            "Run `.venv/bin/uv pip install --python .venv/bin/python rembg`, or leave --rembg out.",
        )


def cut_by_rembg(photo: np.ndarray) -> Cut:
    """The mask of what stands out in ``photo``, uint8 ``(H, W, 3)`` RGB, as U²-Net sees it.

    The model is fetched the first time. Raises ``ModelUnavailable`` when that fails.
    """
    from rembg import remove

    soft = np.asarray(remove(np.ascontiguousarray(photo), session=_session(), only_mask=True))
    mask = (soft if soft.ndim == 2 else soft[..., 0]) > 127
    nothing = ("no garment stands out from the background",)
    return Cut(mask, "rembg", () if mask.mean() >= 0.01 else nothing)


@lru_cache
def _session() -> Any:
    check_rembg()
    from rembg import new_session

    try:
        return new_session(MODEL)
    except Exception as error:  # whatever the download or the runtime raises
        raise ModelUnavailable(
            f"rembg's model {MODEL} is not to be had ({str(error)[:120]}).",
            "Start once with a network, or leave --rembg out.",
        ) from error
