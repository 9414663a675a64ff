"""How far a “no” reaches, in six languages: to the end of its list, and not to what is wanted."""

import pytest

from agent.understand import understand

BLACK = ("black skirt or trousers",)


def read(text):
    wish = understand(text, {}).wish
    return tuple(p.said for p in wish.want), {p.said for p in wish.avoid}


@pytest.mark.parametrize(
    "text",
    [
        "no jeans, black skirt or trousers", "without jeans, a black skirt or trousers",
        "keine Jeans, schwarzer Rock oder Hose", "pas de jean, jupe noire ou pantalon",
        "sin vaqueros, falda negra o pantalón", "不要牛仔裤，黑色裙子或裤子",
        "ジーンズなし、黒いスカートかズボン",
    ],
)  # fmt: skip
def test_a_described_piece_for_the_same_place_is_wanted_instead(text):
    assert read(text) == (BLACK, {"jeans"})


@pytest.mark.parametrize(
    "text",
    [
        "no heels, scarf or hat", "neither heels nor a scarf nor a hat",
        "keine Absätze, Schals oder Hüte", "weder Absätze noch Schal noch Hut",
        "sans talons, écharpe ou chapeau", "ni talons ni écharpe ni chapeau",
        "sin tacones, bufandas ni sombreros", "不要高跟鞋、围巾和帽子",
        "ヒール、マフラー、帽子なしで", "ヒールもマフラーも帽子もいらない",
    ],
)  # fmt: skip
def test_a_list_of_bare_pieces_is_unwanted_to_its_end(text):
    assert read(text) == ((), {"heels", "scarf", "hat"})


@pytest.mark.parametrize(
    "text",
    [
        "no jeans but a black skirt", "keine Jeans, sondern einen schwarzen Rock",
        "pas de jean mais une jupe noire", "no quiero vaqueros sino una falda negra",
        "不要牛仔裤而是黑色裙子", "ジーンズではなく黒いスカート",
    ],
)  # fmt: skip
def test_but_ends_what_is_unwanted(text):
    assert read(text) == (("black skirt",), {"jeans"})


def test_a_list_of_described_pieces_for_several_places_goes_on():
    assert read("no heels, leather skirts or hats") == ((), {"heels", "leather skirts", "hats"})


def test_a_verb_behind_a_list_is_about_all_of_it_and_not_of_the_clause_before():
    assert read("白いシャツとジーンズ、帽子なし") == (("white shirt", "jeans"), {"hat"})
    assert read("den Hut und den Schal weg") == ((), {"hat", "scarf"})
    assert read("帽子和围巾都不要") == ((), {"hat", "scarf"})


EITHER = [("black skirt", 1), ("grey trousers", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "a black skirt or grey trousers", "a black skirt or maybe a pair of grey trousers",
        "ein schwarzer Rock oder eine graue Hose", "jupe noire ou pantalon gris",
        "falda negra o pantalón gris", "黑色裙子或者灰色裤子", "黑色裙子还是灰色裤子",
        "黒いスカートかグレーのパンツ",
    ],
)  # fmt: skip
def test_described_alternatives_are_wanted_one_or_the_other(text):
    assert [(p.said, p.choice) for p in understand(text, {}).wish.want] == EITHER


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("a red skirt, black trousers or a blue dress", [1, 1, 1]),
        ("white shirt and a black skirt or blue jeans", [0, 1, 1]),
        ("a skirt for work or dinner with a white blouse", [0, 0]),
        ("red boots or black heels with a white shirt or a blue blouse", [1, 1, 2, 2]),
        ("a skirt or trousers", [0]),
        ("jupe ou pantalon noir", [0]),
    ],
)  # fmt: skip
def test_an_or_joins_what_it_stands_between(text, choices):
    assert [p.choice for p in understand(text, {}).wish.want] == choices


def test_a_colour_behind_alternatives_is_said_of_both():
    assert understand("jupe ou pantalon noir", {}).wish.want[0].said == "black skirt or trousers"


@pytest.mark.parametrize(
    ("text", "unwanted"),
    [
        ("帽子、スカーフなし", {"hat", "scarf"}), ("帽子・スカーフなし", {"hat", "scarf"}),
        ("帽子、スカーフは不要", {"hat", "scarf"}), ("手袋、スカーフなし", {"scarf"}),
        ("帽子、スカーフ、手袋なしのコーデ", {"hat", "scarf"}),
        ("no hat, gloves or scarf", {"hat", "scarf"}),
    ],
)  # fmt: skip
def test_a_list_is_unwanted_to_its_end_with_what_no_shop_has(text, unwanted):
    assert read(text) == ((), unwanted) and not understand(text, {}).wish.absent


def test_colours_listed_before_a_no_are_all_unwanted():
    (piece,) = understand("黒、赤なしで", {}).wish.avoid
    assert {"black", "red"} <= set(piece.colors) and not understand("黒、赤なしで", {}).wish.want
    assert read("黒い帽子、赤いスカーフなし") == (("black hat",), {"red scarf"})
    assert understand("手袋が欲しい", {}).wish.absent == ("gloves",)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("no black, navy skirt and white shirt", ("navy skirt", "white shirt")),
        ("nothing black, navy trousers and white shirt", ("navy trousers", "white shirt")),
        ("no black, navy skirt", ("navy skirt",)),
    ],
)
def test_what_may_still_be_of_the_no_is_wanted_and_said_to_be(text, pieces):
    assert read(text) == (pieces, {"something black"})
    assert f"I took the {pieces[0]} as wanted" in understand(text, {}).notes
    assert read("no black, navy skirts or white shirts")[0] == ()
    unwanted = understand("no black, navy and grey", {}).wish.avoid
    assert {"black", "navy", "grey"} <= {c for p in unwanted for c in p.colors}
