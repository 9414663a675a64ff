"""“Does that come in green?” is about one garment, and only a question."""

import pytest
from fakes import FakeEngineStudio

from agent.stylist import Stylist


@pytest.fixture
def ask(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    return lambda message: stylist.ask(message, "t1", render=False)


@pytest.mark.parametrize(
    ("dress", "about", "text", "said"),
    [
        ("outfit for work, 12 degrees", "a light blue shirt", "does it come in green?",
         "no green shirt"),
        ("outfit for work, 12 degrees", "a light blue shirt", "do you have that in white?",
         "White shirt"),
        ("Outfit für die Arbeit, 12 Grad", "andere Schuhe", "gibt es die auch in Grün?",
         "Gummistiefel in Grün"),
        ("Outfit für die Arbeit, 12 Grad", "ein hellblaues Hemd", "gibt es das auch in Grün?",
         "Hemd in Grün"),
        ("tenue pour le bureau, 12 degrés", "une chemise bleue", "vous avez ça en vert ?",
         "chemise coloris vert"),
        ("conjunto para la oficina, 12 grados", "una camisa azul", "¿lo hay en verde?",
         "camisa color verde"),
        ("办公室搭配，12度", "换成浅蓝色衬衫", "有绿色的吗？", "绿色衬衫"),
        ("オフィスのコーデ、12度", "水色のシャツにして", "これ、緑色はありますか？", "緑のシャツ"),
    ],
)  # fmt: skip
def test_that_in_green_is_the_garment_spoken_of(ask, dress, about, text, said):
    ask(dress)
    before = ask(about)
    answer = ask(text)
    assert answer["plan"] == before["plan"] and said in answer["reply"]
    assert "polo" not in answer["reply"].lower()


def test_without_a_word_about_one_it_is_the_main_piece(ask):
    first = ask("outfit for work, 12 degrees")
    top = next(g for g in first["plan"]["garments"] if g["slot"] == "top")
    assert f"no green {top['category']}" in ask("does that come in green?")["reply"]


def test_something_in_green_is_anything(ask):
    ask("outfit for work, 12 degrees")
    assert "polo" in ask("do you have something in green?")["reply"]


def test_a_named_garment_is_only_asked_about(ask):
    first = ask("outfit for work, 12 degrees")
    answer = ask("is the coat available in black?")
    assert answer["plan"] == first["plan"] and "Black coat" in answer["reply"]


def test_yes_puts_it_on(ask):
    ask("outfit for work, 12 degrees, a light blue shirt")
    ask("do you have that in white?")
    top = next(g for g in ask("yes")["plan"]["garments"] if g["slot"] == "top")
    assert (top["category"], top["color"]) == ("shirt", "white")


def test_a_material_that_none_has_is_said(ask):
    ask("outfit for work, 12 degrees, a shirt")
    assert "no silk shirt" in ask("is it available in silk?")["reply"]
    assert "silk top" in ask("in silk")["reply"]
