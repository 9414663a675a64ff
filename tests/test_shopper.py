"""Small things that a shopper says along the way, each understood or answered honestly."""

import pytest
from fakes import by_slot

from agent.lexicon import fold
from agent.wearer import age_told


@pytest.mark.parametrize(
    ("dress", "text"),
    [
        ("wedding guest in June", "dressy but comfortable"),
        ("Outfit für eine Hochzeit im Juni", "elegant aber bequem"),
        ("tenue de mariage en juin", "élégant mais confortable"),
        ("conjunto para una boda en junio", "elegante pero cómodo"),
        ("六月婚礼的搭配", "优雅但是舒服一点"),
        ("6月の結婚式のコーデ", "上品だけど楽な感じで"),
    ],
)
def test_elegant_but_comfortable_stays_elegant_and_has_no_heels(ask, dress, text):
    ask(dress)
    answer = ask(text)
    levels = [g["formality"] for g in answer["plan"]["garments"]]
    assert by_slot(answer)["footwear"]["category"] in ("loafers", "ballet flats", "boots")
    assert sum(levels) / len(levels) >= 0.6


@pytest.mark.parametrize(
    ("text", "age"),
    [("she's 70", "older"), ("he is 45 years old", "middle-aged"), ("I'm 25", "young"),
     ("sie ist 70", "older"), ("elle a 70 ans", "older"), ("tiene 70 anos", "older"),
     ("她70岁", "older"), ("彼女は70歳です", "older"), ("she's 70 kg", ""),
     ("it is 70 degrees", ""),
     ("he is 12", "")],
)  # fmt: skip
def test_years_tell_the_age_of_the_wearer(text, age):
    assert age_told(fold(text)) == age


def test_years_change_who_is_drawn_and_nothing_that_is_worn(ask):
    first = ask("outfit for my mother, spring garden party")
    answer = ask("she's 70")
    assert answer["plan"]["person"]["age"] == "older"
    assert {s: g["id"] for s, g in by_slot(answer).items()} == {
        s: g["id"] for s, g in by_slot(first).items()
    }


def test_in_denim_is_the_piece_that_can_be(ask):
    first = by_slot(ask("summer outfit with a dark green skirt and a cream blouse"))
    answer = ask("in denim")
    now = by_slot(answer)
    assert now["top"]["id"] == first["top"]["id"]
    assert "denim skirt" in answer["reply"] or now["bottom"]["material"] == "denim"
    assert "already taken" not in answer["reply"]


def test_a_colour_corrected_is_of_the_same_piece(ask):
    ask("picnic at 22 degrees, a red dress")
    ask("black")
    answer = ask("not black, navy")
    assert "onepiece" in by_slot(answer)
    assert "navy dress" in answer["reply"]


def test_what_was_not_worn_cannot_be_taken_off_and_that_is_said(ask):
    ask("outfit for work, 12 degrees")
    assert "no sunglasses to take off" in ask("take the sunglasses off")["reply"]


def test_what_is_left_of_the_budget_is_told(ask):
    first = ask("outfit for work at 12 degrees, at most 600 euros")
    left = 600 - first["plan"]["price_total"]
    assert (
        f"{left:.2f} EUR of your budget are left" in ask("how much of my budget is left?")["reply"]
    )


@pytest.mark.parametrize(
    "text", ["is the shirt see-through?", "where can I buy the shoes?", "wo kann ich das kaufen?"]
)
def test_what_no_card_tells_is_said_so(ask, text):
    first = ask("outfit for work at 12 degrees, a shirt")
    answer = ask(text)
    assert answer["plan"] == first["plan"]
    assert any(w in answer["reply"] for w in ("I cannot tell that", "Das kann ich nicht sagen"))


def test_a_sheer_outfit_is_still_declined(ask):
    assert ask("a see-through dress with nothing under it")["plan"] is None


def test_flirting_is_declined(ask):
    first = ask("outfit for work at 12 degrees")
    assert ask("can you date me?")["plan"] == first["plan"]


def test_an_itchy_scarf_is_exchanged(ask):
    first = by_slot(ask("outfit for work at 2 degrees with a red scarf"))
    assert first["neckwear"]["material"] == "wool"
    now = by_slot(ask("the scarf is itchy"))
    assert "neckwear" not in now or now["neckwear"]["material"] != "wool"


def test_dinner_on_the_beach_holiday_is_dressed_for_its_weather(ask):
    first = ask("two weeks at the beach in Spain, what should I pack?")
    answer = ask("in the evening we go out for dinner")
    assert answer["plan"]["occasion"] == "date"
    assert answer["plan"]["temperature_c"] == first["plan"]["temperature_c"] == 26
