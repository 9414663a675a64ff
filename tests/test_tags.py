"""Tags are chosen by the tagger's dials, edited with undo, and kept as kohya's captions."""

import numpy as np
import pytest

from catalog.errors import BadValue, UnknownName
from catalog.photo_file import pixels_png
from catalog.photo_intake import read_photos
from catalog.tags import Choice, TagBook, caption, choose, read_caption, write_captions

SCORES = {"long_sleeves": 0.8, "navy": 0.95, "hat": 0.2, "^_^": 0.5, "tie_(loose)": 0.4}


def test_tags_above_the_threshold_come_most_certain_first():
    assert choose(SCORES) == ("navy", "long sleeves", "^_^", "tie (loose)")
    assert choose(SCORES, Choice(threshold=0.6)) == ("navy", "long sleeves")
    assert choose(SCORES, Choice(threshold=0.6, by_name=True)) == ("long sleeves", "navy")


def test_additional_tags_come_first_and_excluded_ones_never():
    choice = Choice(additional=("zqcoat", "hat"), excluded=("long sleeves", "^_^"))
    assert choose(SCORES, choice) == ("zqcoat", "hat", "navy", "tie (loose)")
    assert choose({}, Choice(additional=("a",), excluded=("a",))) == ()


def test_confidence_is_written_as_a_weight():
    assert choose(SCORES, Choice(0.9, ("z",), confidence=True)) == ("(z:1.00)", "(navy:0.95)")
    written = choose({"tie_(loose)": 0.5}, Choice(confidence=True))
    assert written == ("(tie \\(loose\\):0.50)",)


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_a_threshold_outside_its_range_is_refused(bad):
    with pytest.raises(BadValue, match="between 0 and 1"):
        Choice(threshold=bad)


@pytest.fixture
def book() -> TagBook:
    return TagBook(
        {"1.png": ["navy", "coat", "hat"], "2.png": ["coat", "navy", "coat"], "3.png": ["hat"]}
    )


def test_photos_are_filtered_and_tags_counted(book):
    assert book.filter(["navy", "coat"]) == ["1.png", "2.png"]
    assert book.filter(lacking=["hat"]) == ["2.png"]
    assert book.filter(["navy"], ["hat"]) == ["2.png"]
    assert book.counts() == {"coat": 2, "hat": 2, "navy": 2}


def test_every_edit_does_what_it_says_and_can_be_undone(book):
    states = [book.tags]
    for edit, touched, after in (
        (lambda: book.add(["zq"], first=True), 3, ("zq", "coat", "navy", "coat")),
        (lambda: book.dedupe(), 1, ("zq", "coat", "navy")),
        (lambda: book.remove(["hat"]), 2, ("zq", "coat", "navy")),
        (lambda: book.replace("navy", "dark blue"), 2, ("zq", "coat", "dark blue")),
        (lambda: book.replace(r"^dark (\w+)$", r"\1", regex=True), 2, ("zq", "coat", "blue")),
        (lambda: book.replace("zq", ""), 3, ("coat", "blue")),
        (lambda: book.add(["new"], photos=["2.png"]), 1, ("coat", "blue", "new")),
        (lambda: book.keep_first(["new", "blue", "absent"]), 1, ("new", "blue", "coat")),
        (lambda: book.set("2.png", ["one"]), 1, ("one",)),
    ):
        assert edit() == touched
        assert book.tags["2.png"] == after
        states.append(book.tags)
    while states.pop() and states:
        assert book.undo() and book.tags == states[-1]
    assert not book.undo()


def test_an_edit_that_changes_nothing_leaves_nothing_to_undo(book):
    assert book.remove(["absent"]) == 0 and not book.undo()


def test_bad_tags_patterns_and_photos_are_refused_and_change_nothing(book):
    before = book.tags
    for bad in ("a,b", "", "x" * 200, "line\nbreak", "nul\0"):
        with pytest.raises(BadValue):
            book.add([bad])
    for pattern, new in (("(", "x"), ("navy", "\\9"), ("coat", "a,b")):
        with pytest.raises(BadValue):
            book.replace(pattern, new, regex=True)
    with pytest.raises(UnknownName, match="photo"):
        book.add(["x"], photos=["1.pgn"])
    assert book.tags == before and not book.undo()


def test_a_pattern_that_never_ends_is_stopped():
    book = TagBook({"1.png": ["a" * 60 + "b"]})
    with pytest.raises(BadValue, match="too long"):
        book.replace(r"^(a|aa)+$", "x", regex=True)


def test_captions_come_back_as_they_were_written(tmp_path):
    tags = {"a.png": ("zqcoat", "navy coat", "tie (loose)"), "b.png": ()}
    for i, name in enumerate(tags):
        pixels = np.random.default_rng(i).integers(0, 255, (64, 64, 3), np.uint8)
        (tmp_path / name).write_bytes(pixels_png(pixels))
    files = write_captions(tmp_path, tags)
    assert [f.name for f in files] == ["a.txt", "b.txt"]
    assert files[0].read_text() == "zqcoat, navy coat, tie (loose)\n"
    back = {p.name: read_caption(p.caption or "") for p in read_photos(tmp_path).photos}
    assert back == tags
    with pytest.raises(UnknownName):
        write_captions(tmp_path, {"c.png": ("x",)})


def test_a_caption_reads_loose_commas_and_refuses_endless_ones():
    assert read_caption(" a , b,, c ,") == ("a", "b", "c")
    assert caption(("a", "b")) == "a, b"
    with pytest.raises(BadValue, match="at most"):
        read_caption(",".join("x" for _ in range(300)))
