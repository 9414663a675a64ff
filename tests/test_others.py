"""What is said about somebody else leaves the wearer as it is, and is said aloud."""

import pytest
from fakes import FakeEngineStudio

from agent.lexicon import hits, language_of
from agent.others import asides
from agent.stylist import Stylist
from agent.understand import understand

STAYS = "the outfit stays for the same person"


@pytest.fixture
def talk(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    return lambda text: stylist.ask(text, "t", render=False)


def test_a_fact_about_somebody_else_changes_neither_wearer_nor_clothes(talk):
    first = talk("I need an outfit for a date, I'm a woman")
    for said in ("my husband is tall", "my husband likes it"):
        answer = talk(said)
        assert answer["plan"] == first["plan"] and "same person" in answer["reply"], said
    disliked = talk("my father hates black")
    assert disliked["plan"]["person"]["presentation"] == "woman" and STAYS in disliked["reply"]
    assert all(g["color"] != "black" for g in disliked["plan"]["garments"])
    theirs = talk("now for my husband")
    assert theirs["plan"]["person"]["presentation"] == "man"
    assert STAYS not in talk("my husband hates brown")["reply"]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("my husband is tall", True), ("dress my husband", False), ("for my husband", False),
        ("my husband is going to a wedding", False), ("my husband needs a coat", False),
        ("mein Mann ist groß", True), ("ein Outfit für meinen Mann", False),
        ("ma mère déteste le jaune", True), ("pour ma mère", False),
        ("mi marido es alto", True), ("para mi marido", False),
        ("我老公很高", True), ("给我老公", False), ("母は黄色が嫌い", True), ("母のコーデ", False),
    ],
)  # fmt: skip
def test_who_is_spoken_of_is_told_from_who_is_dressed(text, spoken):
    language = language_of(text)
    state = {"plan": {"garments": []}, "said": []}
    assert bool(asides(hits(text, language), language, state)) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "brunch with my girlfriend", "dinner with my wife's parents", "a walk with my husband",
        "Abendessen mit meiner Freundin", "dîner avec mon mari", "cena con mi novia",
        "和女朋友去看电影", "跟我老公去散步", "彼女とデート",
    ],
)  # fmt: skip
def test_whoever_comes_along_is_not_the_wearer(text):
    read = understand(text, {})
    assert read.kind == "dress" and not read.person and not read.notes


def test_the_wearer_is_who_is_named_beside_the_company():
    assert understand("dinner with my wife's parents, i'm a guy", {}).wish.who == "men"
    assert understand("outfit for my wife, dinner with my boss", {}).wish.who == "women"
