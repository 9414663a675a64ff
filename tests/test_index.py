"""Finding garments, and an index that mends itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from catalog import vectors
from catalog.embed import minilm
from catalog.errors import BadValue, Damaged, UnknownName
from catalog.index import Catalog
from catalog.photo_file import pixels_png
from catalog.starter import starter_garments
from catalog.words import mentions

PHOTO = pixels_png(np.full((64, 48, 3), 90, np.uint8))
CARDS = {g.id: g.model_copy(update={"lora_sha256": ""}) for g in starter_garments()}


def fill(home, ids=None):
    catalog = Catalog(home, starter=False)
    for id in ids or CARDS:
        catalog.add(CARDS[id], [PHOTO])
    return catalog


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All starter cards, with one tiny photo each. Read only."""
    return fill(tmp_path_factory.mktemp("whole"))


FEW = ("navy-wool-coat", "red-leather-heels", "straw-sun-hat", "green-rain-boots")


@pytest.fixture
def few(tmp_path):
    return fill(tmp_path, FEW)


def ids(found):
    return [garment.id for garment, _ in found]


# -------------------------------------------------------------------- finding


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("warm winter coat for the commute", "navy-wool-coat"),
        ("red heels", "red-leather-heels"),
        ("a floral dress for the beach", "coral-floral-maxi-dress"),
        ("wellies", "green-rain-boots"),
        ("hat against the sun", "straw-sun-hat"),
        ("something with lemons", "yellow-lemon-midi-dress"),
        ("zigzag jumper", "navy-zigzag-sweater"),
        ("waterproof rain jacket with polka dots", "teal-dots-raincoat"),
        ("running shoes", "magenta-running-sneakers"),
        ("shoes for a suit, men", "black-leather-loafers"),
        ("necktie", "navy-diamond-tie"),
        ("jacket with studs", "blue-denim-jacket"),
        ("laptop rucksack", "grey-nylon-backpack"),
        ("Harbour wool coat", "navy-wool-coat"),
        (CARDS["emerald-silk-maxi-dress"].trigger, "emerald-silk-maxi-dress"),
    ],
)
def test_a_text_finds_its_garment_among_the_first_three(whole, text, wanted):
    assert wanted in ids(whole.find(text, limit=3))


def test_scores_lie_between_0_and_1_best_first_and_ties_by_id(whole):
    found = whole.find("blue denim for a summer weekend", limit=100)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True) and scores[0] <= 1 and scores[-1] >= 0
    assert found == whole.find("blue denim for a summer weekend", limit=100)


def test_named_attributes_count_beside_meaning(whole):
    found = whole.find("burgundy scarf", limit=100)
    assert found[0][0].id == "burgundy-wool-scarf"
    by_id = {garment.id: score for garment, score in found}
    assert by_id["turquoise-wave-scarf"] > by_id["burgundy-handbag"] > by_id["straw-sun-hat"]


@pytest.mark.parametrize("text", ["", "   ", "\x00\n\t"])
def test_empty_text_is_everything_that_matches_by_id(whole, text):
    found = whole.find(text, slot="footwear", limit=1000)
    expected = sorted(g.id for g in CARDS.values() if g.slot == "footwear" and g.available)
    assert ids(found) == expected and all(score == 1.0 for _, score in found)


@pytest.mark.parametrize("text", ["", "something nice for the evening"])
@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"slot": "bag"}, lambda g: g.slot == "bag"),
        ({"season": "winter"}, lambda g: "winter" in g.seasons),
        ({"color": "navy"}, lambda g: g.color == "navy"),
        ({"category": "boots"}, lambda g: g.category == "boots"),
        ({"min_formality": 0.7}, lambda g: g.formality >= 0.7),
        ({"max_formality": 0.2}, lambda g: g.formality <= 0.2),
        ({"max_price": 40}, lambda g: g.price <= 40),
        (
            {"slot": "outerwear", "season": "winter", "max_price": 180, "min_formality": 0.3},
            lambda g: (
                g.slot == "outerwear"
                and "winter" in g.seasons
                and g.price <= 180
                and g.formality >= 0.3
            ),
        ),
        ({"slot": "bag", "category": "coat"}, lambda g: False),
    ],
)
def test_filters_give_exactly_what_meets_them(whole, text, filters, holds):
    found = set(ids(whole.find(text, **filters, limit=1000)))
    assert found == {g.id for g in CARDS.values() if holds(g) and g.available}
    more = set(ids(whole.find(text, **filters, available=False, limit=1000)))
    assert more == {g.id for g in CARDS.values() if holds(g)}


@pytest.mark.parametrize(
    ("filters", "near"),
    [
        ({"slot": "shoes"}, "There is no slot"),
        ({"season": "wintr"}, "winter"),
        ({"color": "navi"}, "navy"),
        ({"category": "sneaker"}, "sneakers"),
        ({"color": 7}, "There is no color"),
    ],
)
def test_an_unknown_filter_word_names_the_nearest(few, filters, near):
    with pytest.raises(UnknownName, match=near):
        few.find("", **filters)


@pytest.mark.parametrize(
    "arguments",
    [
        {"min_formality": float("nan")},
        {"max_formality": 1.1},
        {"min_formality": 0.9, "max_formality": 0.1},
        {"max_price": -1},
        {"max_price": float("inf")},
        {"min_formality": "high"},
        {"limit": 0},
        {"limit": 10**6},
        {"limit": True},
        {"limit": 2.5},
        {"text": "x" * (1 << 20)},
        {"text": None},
        {"text": b"coat"},
    ],
)
def test_values_outside_their_limits_are_refused(few, arguments):
    with pytest.raises(BadValue):
        few.find(**arguments)


@pytest.mark.parametrize("text", ["coat\x00", "\ud800 coat", "外套 coat 🧥", "coat " * 400])
def test_odd_texts_are_still_searched(few, text):
    assert ids(few.find(text[:2000], limit=1)) == ["navy-wool-coat"]


def test_get_names_the_nearest_garment(few):
    assert few.get("navy-wool-coat") == CARDS["navy-wool-coat"]
    with pytest.raises(UnknownName, match="navy-wool-coat"):
        few.get("navy-wool-cote")
    for id in ("../few", "", None, 3, "\ud800"):
        with pytest.raises(UnknownName):
            few.get(id)


def test_shoppers_words_are_read_as_attributes():
    def named(text):
        return {(m.facet, *sorted(m.values)) for m in mentions(text)}

    assert named("dark blue jumper") == {("color", "navy"), ("category", "sweater")}
    assert named("Rain jackets") == {("category", "raincoat")}
    assert named("black tie shoes") == {("occasion", "formal"), ("slot", "footwear")}
    assert named("checked dresses") == {
        ("pattern", "gingham", "plaid"),
        ("category", "maxi dress", "midi dress", "mini dress"),
    }
    assert named("for the office in autumn") == {("occasion", "work"), ("season", "spring-autumn")}


# -------------------------------------------------------------------- changes


def test_added_and_removed_garments_are_found_and_not_found(few):
    assert "burgundy-wool-scarf" not in ids(few.find("scarf"))
    few.add(CARDS["burgundy-wool-scarf"], [PHOTO])
    assert ids(few.find("scarf"))[0] == "burgundy-wool-scarf"
    few.remove("burgundy-wool-scarf")
    assert "burgundy-wool-scarf" not in ids(few.find("scarf"))
    assert [g.id for g in few.all()] == sorted(FEW)


def test_cards_of_words_that_do_not_exist_are_not_added(few):
    card = CARDS["burgundy-wool-scarf"]
    with pytest.raises(UnknownName):
        few.add(card.model_copy(update={"color": "blurple"}), [PHOTO])
    with pytest.raises(BadValue):
        few.add(card.model_copy(update={"slot": "bag"}), [PHOTO])
    assert len(few.all()) == len(FEW)


def test_another_catalog_object_sees_the_change(tmp_path, few):
    reader = Catalog(tmp_path, starter=False)
    assert ids(reader.find("coat"))[0] == "navy-wool-coat"
    few.add(CARDS["camel-long-coat"], [PHOTO])
    assert ids(reader.find("camel coat"))[0] == "camel-long-coat"
    few.remove("camel-long-coat")
    assert "camel-long-coat" not in ids(reader.find("camel coat"))


def test_a_known_document_is_not_embedded_again(few, monkeypatch):
    few.find("coat")
    asked = []
    model = minilm()
    monkeypatch.setattr(
        vectors, "minilm", lambda: lambda texts: asked.extend(texts) or model(texts)
    )
    few.add(CARDS["camel-long-coat"], [PHOTO])
    few.find("trousers")
    assert sorted(asked) == sorted([vectors.document(CARDS["camel-long-coat"]), "trousers"])


def test_a_damaged_card_is_left_out_and_listed(few):
    (few.store.garments / "straw-sun-hat" / "card.json").write_text("{")
    few.remove("green-rain-boots")
    assert [g.id for g in few.all()] == ["navy-wool-coat", "red-leather-heels"]
    assert list(few.problems) == ["straw-sun-hat"]
    with pytest.raises(Damaged):
        few.get("straw-sun-hat")
    assert ids(few.find("coat"))[0] == "navy-wool-coat"


def test_an_empty_catalog_finds_nothing(tmp_path):
    catalog = Catalog(tmp_path, starter=False)
    assert catalog.all() == [] and catalog.find("coat") == [] and catalog.rebuild() == 0


# -------------------------------------------------------------------- an index that mends itself


def _delete_folder(index):
    shutil.rmtree(index)


def _empty_database(index):
    next(index.glob("*/chroma.sqlite3")).write_bytes(b"")


def _cut_database(index):
    path = next(index.glob("*/chroma.sqlite3"))
    path.write_bytes(path.read_bytes()[:20_000])


def _garble_database(index):
    next(index.glob("*/chroma.sqlite3")).write_bytes(b"not a database" * 5000)


def _cut_vectors(index):
    for path in index.glob("*/*/*.bin"):
        path.write_bytes(path.read_bytes()[:7])


def _delete_vectors(index):
    for path in index.glob("*/*/*.bin"):
        path.unlink()


def _delete_note(index):
    next(index.glob("*/index.json")).unlink()


def _garble_everything(index):
    for path in index.rglob("*"):
        if path.is_file() and path.name != "lock":
            path.write_bytes(b"\x00" * 100)


HARMS = [
    _delete_folder,
    _empty_database,
    _cut_database,
    _garble_database,
    _cut_vectors,
    _delete_vectors,
    _delete_note,
    _garble_everything,
]


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_index_is_rebuilt_by_the_next_search(tmp_path, few, harm):
    expected = few.find("shoes for the rain")
    few.close()
    harm(few.store.root / "index")
    assert Catalog(tmp_path, starter=False).find("shoes for the rain") == expected


@pytest.mark.parametrize("harm", HARMS)
def test_an_index_harmed_while_open_still_answers(few, harm):
    expected = few.find("shoes for the rain")
    harm(few.store.root / "index")
    assert few.find("shoes for the rain") == expected
    few.close()
    assert few.find("shoes for the rain") == expected


def test_rebuild_makes_the_index_anew(few):
    expected = few.find("coat")
    assert few.rebuild() == len(FEW)
    assert few.find("coat") == expected
    index = few.store.root / "index"
    assert len([p for p in index.iterdir() if p.is_dir()]) == 1


def test_processes_read_beside_a_writer(tmp_path, few):
    few.find("coat")
    code = (
        "import sys; from catalog.index import Catalog\n"
        "catalog = Catalog(sys.argv[1], starter=False)\n"
        "for line in sys.stdin: print(catalog.find(line, limit=1)[0][0].id, flush=True)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(text):
        child.stdin.write(text + "\n")
        child.stdin.flush()
        return child.stdout.readline().strip()

    try:
        assert ask("coat") == "navy-wool-coat"
        few.add(CARDS["burgundy-wool-scarf"], [PHOTO])
        assert ask("scarf") == "burgundy-wool-scarf"
        few.remove("navy-wool-coat")
        few.find("coat")
        assert ask("coat") != "navy-wool-coat"
        few.rebuild()
        assert ask("sun hat") == "straw-sun-hat"
    finally:
        child.communicate()


def test_threads_search_while_the_catalog_changes(few):
    errors = []

    def search():
        try:
            for _ in range(15):
                assert few.find("coat", limit=1)[0][0].id == "navy-wool-coat"
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    few.add(CARDS["burgundy-wool-scarf"], [PHOTO])
    few.remove("burgundy-wool-scarf")
    for thread in threads:
        thread.join()
    assert not errors


def test_searching_opens_no_connection(tmp_path, few):
    few.close()
    code = (
        "import socket, sys\n"
        "def no(*a, **k): raise SystemExit('a connection was opened')\n"
        "socket.socket.connect = no; socket.create_connection = no; socket.getaddrinfo = no\n"
        "from catalog.index import Catalog\n"
        "print(Catalog(sys.argv[1], starter=False).find('coat')[0][0].id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "navy-wool-coat"


# -------------------------------------------------------------------- the text model


def test_a_text_s_numbers_do_not_depend_on_its_neighbours():
    model = minilm()
    alone = model(["a red wool coat"])[0]
    beside = model(["boots", "a red wool coat", "x" * 3000])
    assert np.array_equal(alone, beside[1]) and beside.shape == (3, 384)
    assert np.allclose(np.linalg.norm(beside, axis=1), 1, atol=1e-5)
    near = model(["a warm winter jacket", "thick coat for the cold", "a bicycle pump"])
    assert near[0] @ near[1] > near[0] @ near[2] + 0.2
