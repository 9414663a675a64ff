"""Words that point: “it”, “the red one”, “the coat” for a puffer, “two back”, “the second one”."""

import pytest
from fakes import FakeEngineStudio

from agent.lexicon import fold
from agent.reference import looks_number, meant, nth, piece_number, steps_back
from agent.stylist import Stylist
from agent.understand import understand

WORN = [
    {"id": "puffer", "slot": "outerwear", "category": "puffer jacket", "color": "black"},
    {"id": "jeans", "slot": "bottom", "category": "jeans", "color": "blue"},
    {"id": "shirt", "slot": "top", "category": "shirt", "color": "white"},
    {"id": "scarf", "slot": "neckwear", "category": "scarf", "color": "burgundy"},
    {"id": "boots", "slot": "footwear", "category": "boots", "color": "brown"},
]


@pytest.fixture
def stylist(tmp_path):
    return Stylist(FakeEngineStudio(tmp_path), tmp_path)


def state(*said, language="en", look="look-1"):
    garments = [{**g, "name": g["id"], "pattern": "plain", "material": "wool", "formality": 0.4,
                 "clo": 0.3, "price": 50.0} for g in WORN]  # fmt: skip
    plan = {"garments": garments, "clo_total": 1.2, "price_total": 250.0}
    return {"plan": plan, "look": look, "drawing": True, "said": list(said), "language": language}


@pytest.mark.parametrize(
    ("kinds", "slot", "ids"),
    [
        (("coat",), None, ["puffer"]),
        (("trousers",), None, ["jeans"]),
        (("boots",), None, ["boots"]),
        ((), "footwear", ["boots"]),
        (("sandals",), None, []),
        (("midi dress", "mini dress"), None, []),
    ],
)
def test_people_call_garments_by_their_neighbours_names(kinds, slot, ids):
    assert [g["id"] for g in meant(kinds, slot, WORN)] == ids


@pytest.mark.parametrize(
    ("said", "message", "language", "garment", "color"),
    [
        ((), "turn the coat green", "en", "puffer", "green"),
        ((), "recolour the trousers grey", "en", "jeans", "grey"),
        (("the scarf in blue",), "make it green", "en", "scarf", "green"),
        (("a scarf, please", "warmer"), "in yellow instead", "en", "scarf", "yellow"),
        ((), "mach die Jacke gelb", "de", "puffer", "yellow"),
        (("die Jacke in Rot",), "mach sie lila", "de", "puffer", "purple"),
        (("l'écharpe en vert",), "mets-la en bleu", "fr", "scarf", "blue"),
        (("las botas en negro",), "hazlas azul", "es", "boots", "blue"),
        (("la bufanda en verde",), "hazla azul", "es", "scarf", "blue"),
        ((), "围巾换成绿色", "zh", "scarf", "green"),
        (("围巾换成绿色",), "把它换成黄色", "zh", "scarf", "yellow"),
        ((), "マフラーを緑に変えて", "ja", "scarf", "green"),
        (("マフラーを緑に変えて",), "それを青に", "ja", "scarf", "blue"),
    ],
)
def test_a_colour_said_of_what_is_worn_is_a_touch_up(said, message, language, garment, color):
    read = understand(message, state(*said, language=language))
    assert read.touch == {"garment": garment, "color": color}


@pytest.mark.parametrize(
    ("said", "message", "language"),
    [
        ("what shoes do you have?", "the white ones", "en"),
        ("was für Schuhe gibt es?", "die weißen", "de"),
        ("有什么鞋子？", "白色的那双", "zh"),
    ],
)
def test_the_one_of_a_colour_is_another_garment_of_the_kind_spoken_of(said, message, language):
    wish = understand(message, state(said, language=language)).wish
    assert [(p.slots, p.colors[0]) for p in wish.want] == [(("footwear",), "white")]
    assert "one" not in wish.want[0].words


def test_a_pointing_word_with_nothing_to_point_at_is_left_alone():
    assert understand("make it warmer", state("the scarf in blue")).wish.warmer > 0
    read = understand("all in white instead", state("the scarf in blue"))
    assert read.wish.want[0].everywhere


def test_a_colour_behind_its_garment_belongs_to_it():
    piece = understand("can you make the top striped", state()).wish.want[0]
    assert piece.slot == "top" and piece.patterns[0] == "stripes"
    (tie,) = understand("领带红色", {"language": "zh"}).wish.want
    assert tie.categories == ("tie",) and tie.colors[0] == "red"


@pytest.mark.parametrize(
    ("text", "steps"),
    [("go back two", 2), ("undo", 1), ("drei schritte zuruck", 3), ("退回两步", 2), ("go back", 1)],
)
def test_how_far_back_is_counted(text, steps):
    assert steps_back(text) == steps


@pytest.mark.parametrize(
    ("text", "number"),
    [("the second one", 2), ("second", 2), ("das dritte outfit", 3), ("他说第二套", 2),
     ("dritte", 3), ("第二套", 2),
     ("no I meant the first", 1), ("第一套", 1), ("a second pair of shoes", None), ("二番目の", 2)],
)  # fmt: skip
def test_looks_are_named_by_number(text, number):
    assert nth(text) == number


def test_looks_are_gone_to_by_count_and_number(stylist):
    ids = [
        tuple(g["id"] for g in stylist.ask(m, "t1", render=False)["plan"]["garments"])
        for m in ("winter outfit for a commute", "another", "another")
    ]

    def worn(message):
        answer = stylist.ask(message, "t1", render=False)
        return tuple(g["id"] for g in answer["plan"]["garments"])

    assert len(set(ids)) == 3
    assert worn("go back two") == ids[0] and worn("the second one") == ids[1]
    reply = stylist.ask("compare these two", "t1", render=False)["reply"]
    assert "The other look" in reply and "only one look" not in reply
    assert worn("the third one") == ids[2] and worn("the fourth one") not in ids


def test_a_colour_the_shop_has_not_is_drawn_on_what_is_worn(stylist):
    first = stylist.ask("winter outfit for a commute with a beanie", "t1")
    beanie = next(g for g in first["plan"]["garments"] if g["category"] == "beanie")
    answer = stylist.ask("change the beanie for a magenta one", "t1")
    assert [c["name"] for c in answer["tool_calls"]] == ["find_garments", "touch_up"]
    now = next(g for g in answer["plan"]["garments"] if g["category"] == "beanie")
    assert now["id"] == beanie["id"] and now["drawn"] == {"color": "magenta"}


def test_the_first_look_is_gone_to_and_its_shoes_can_be_taken_alone(stylist):
    def ask(message):
        return stylist.ask(message, "t1", render=False)

    def worn(answer):
        return {g["slot"]: g["id"] for g in answer["plan"]["garments"]}

    first = worn(ask("winter outfit for a commute for a woman"))
    ask("another")
    third = worn(ask("swap the shoes for loafers"))
    assert third["footwear"] != first["footwear"]
    mixed = worn(ask("ok the shoes from the first look with this one"))
    assert mixed == {**third, "footwear": first["footwear"]}
    back = ask("no I meant the first")
    assert worn(back) == first
    assert back["reply"].startswith("Back to the first look")
    assert [c["name"] for c in back["tool_calls"]] == ["undo"]


@pytest.mark.parametrize(
    ("text", "look", "piece"),
    [
        ("the shoes of the second look", 2, None), ("the second one of the first look", 1, 2),
        ("the third piece from look 2", 2, 3), ("die Schuhe aus dem zweiten Look", 2, None),
        ("les chaussures de la deuxième tenue", 2, None),
        ("los zapatos del segundo conjunto", 2, None),
        ("第二套的鞋", 2, None), ("二番目のコーデの靴", 2, None), ("the second one", None, None),
    ],
)  # fmt: skip
def test_a_piece_of_a_numbered_look_is_read(text, look, piece):
    assert (looks_number(fold(text)), piece_number(fold(text))) == (look, piece)


def test_a_piece_of_a_numbered_look_comes_beside_the_rest(stylist):
    def ask(text):
        return stylist.ask(text, "n", render=False)

    first = [g["id"] for g in ask("winter outfit")["plan"]["garments"]]
    second = ask("another")["plan"]["garments"]
    third = {g["slot"]: g["id"] for g in ask("another")["plan"]["garments"]}
    shoes = next(g["id"] for g in second if g["slot"] == "footwear")
    now = {g["slot"]: g["id"] for g in ask("the shoes of the second look")["plan"]["garments"]}
    assert now == {**third, "footwear": shoes}
    assert first[0] in [g["id"] for g in ask("the first piece of look 1")["plan"]["garments"]]
    missing = ask("the shoes of the ninth look")
    assert "there are only 5 looks so far" in missing["reply"]
    assert {g["id"] for g in ask("go back to look 1")["plan"]["garments"]} == set(first)


def test_a_look_is_compared_with_the_one_that_is_named(stylist):
    for said in ("winter outfit for a commute", "warmer, at -5 degrees", "swap the shoes"):
        stylist.ask(said, "named", render=False)
    reply = stylist.ask("compare it with the first one", "named", render=False)["reply"]
    assert reply.startswith("Look 1: ")
    assert stylist.ask("compare it with look 2", "named", render=False)["reply"].startswith(
        "Look 2"
    )
