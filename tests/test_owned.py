"""What somebody has already is not added, and one piece takes up the colour of another."""

import pytest
from fakes import by_slot


@pytest.mark.parametrize(
    ("dress", "text", "said"),
    [
        ("outfit for work, 12 degrees", "I have a red bag already", "your own red bag"),
        ("outfit for work, 12 degrees", "I already own a red bag", "your own red bag"),
        ("Outfit für die Arbeit, 12 Grad", "ich habe schon eine rote Tasche", "Tasche in Rot"),
        ("tenue pour le bureau, 12 degrés", "j'ai déjà un sac rouge", "sac coloris rouge"),
        ("conjunto para la oficina, 12 grados", "ya tengo un bolso rojo", "bolso color rojo"),
        ("办公室搭配，12度", "我已经有一个红色的包了", "红色包"),
        ("オフィスのコーデ、12度", "赤いバッグはもう持っています", "赤のバッグ"),
    ],
)  # fmt: skip
def test_a_bag_that_is_owned_is_not_added(ask, dress, text, said):
    first = by_slot(ask(dress))
    assert "bag" in first
    answer = ask(text)
    now = by_slot(answer)
    assert "bag" not in now and said in answer["reply"]
    assert {s: g["id"] for s, g in now.items()} == {
        s: g["id"] for s, g in first.items() if s != "bag"
    }


def test_a_bag_may_be_asked_for_afterwards(ask):
    ask("outfit for work, 12 degrees")
    ask("I have a red bag already")
    assert "bag" in by_slot(ask("put a bag in after all"))


def test_shoes_that_are_owned_are_stood_in_for(ask):
    ask("outfit for work, 12 degrees")
    answer = ask("I already have brown shoes")
    assert by_slot(answer)["footwear"]["color"] == "brown"
    assert "stands in for your own brown shoes" in answer["reply"]


@pytest.mark.parametrize(
    "text",
    ["match the bag to the shoes", "a bag in the same colour as the shoes",
     "mach die Tasche passend zu den Schuhen", "un sac assorti aux chaussures",
     "un bolso a juego con los zapatos", "包换成和鞋子一样的颜色", "要一个和鞋子一样颜色的包",
     "バッグの色を靴に合わせて", "靴に合わせたバッグ"],
)  # fmt: skip
def test_the_bag_takes_up_the_color_of_the_shoes(ask, text):
    first = by_slot(ask("outfit for work, 12 degrees, grey backpack and black loafers"))
    assert first["bag"]["color"] == "grey" and first["footwear"]["color"] == "black"
    now = by_slot(ask(text))
    assert now["bag"]["color"] == "black" and now["footwear"] == first["footwear"] | {
        "why": now["footwear"]["why"]
    }


def test_a_match_that_is_there_is_said(ask):
    ask("outfit for work, 12 degrees, black handbag and black loafers")
    assert "worn already" in ask("match the bag to the shoes")["reply"]
