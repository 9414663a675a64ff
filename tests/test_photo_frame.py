"""Framed garments have the training size, keep their colours, and can be cut out again."""

import numpy as np
import pytest

from catalog.errors import UnknownName
from catalog.photo_frame import SIZES, agreement, contact_sheet, frame
from catalog.photos import cut_out
from catalog.starter import starter_garments, starter_photos


@pytest.mark.parametrize("base", SIZES)
@pytest.mark.parametrize("color", [(30, 60, 120), (238, 238, 236), (225, 226, 229)])
def test_a_framed_garment_is_found_again_whatever_its_colour(base, color):
    photo = np.random.default_rng(0).integers(0, 255, (300, 500, 3), np.uint8)
    mask = np.zeros((300, 500), bool)
    mask[60:250, 200:330] = True
    photo[mask] = color
    framed = frame(photo, mask, base)
    assert framed.shape == (*SIZES[base], 3)
    again = cut_out(framed)
    rows, columns = np.flatnonzero(again.any(1)), np.flatnonzero(again.any(0))
    high, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert high / wide == pytest.approx(190 / 130, rel=0.06), "its proportions are kept"
    assert np.abs(np.median(framed[again], 0) - color).max() <= 2
    limits = high / SIZES[base][0], wide / SIZES[base][1]
    assert max(limits) == pytest.approx(0.8, abs=0.03), "it fills the frame"


def test_no_background_is_left_along_the_rim():
    photo = np.zeros((300, 300, 3), np.uint8)
    photo[:] = (0, 255, 0)
    mask = np.zeros((300, 300), bool)
    mask[50:250, 80:220] = True
    photo[60:240, 90:210] = (150, 60, 60)  # the mask is ten pixels too wide all around
    photo[50:60, 80:220] = photo[52:62, 90:91] = (150, 60, 60)
    mask[:] = False
    mask[59:241, 89:211] = True
    framed = frame(photo, mask)
    green = (framed[..., 1].astype(int) - framed[..., 0]) > 60
    assert not green.any()


def test_a_studio_photo_of_the_right_size_stays_as_it_is():
    photo = np.asarray(starter_photos(starter_garments()[5], 1)[0])
    assert frame(photo, cut_out(photo)) is photo


def test_an_unknown_base_is_named():
    with pytest.raises(UnknownName, match="base"):
        frame(np.zeros((40, 40, 3), np.uint8), np.ones((40, 40), bool), "croquet")


def test_the_contact_sheet_has_a_line_for_every_photo():
    photo = np.asarray(starter_photos(starter_garments()[5], 1)[0])
    mask = cut_out(photo)
    sheet = contact_sheet([("one \x00 é", photo, mask, photo)] * 3, cell=100)
    assert sheet.shape == (3 * 118, 300, 3) and len(np.unique(sheet)) > 20
    assert agreement(mask, mask) == 1.0
    assert contact_sheet([]).shape[2] == 3
