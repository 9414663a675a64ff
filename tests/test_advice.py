"""Advice on what is not worn is given in words, and changes nothing by itself."""

import pytest
from fakes import FakeEngineStudio

from agent.stylist import Stylist


@pytest.fixture
def ask(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    return lambda message: stylist.ask(message, "t1", render=False)


def worn(answer, slot=None):
    return [g["category"] for g in answer["plan"]["garments"] if slot in (None, g["slot"])]


@pytest.mark.parametrize(
    "text",
    ["should I bring an umbrella?", "brauche ich einen Regenschirm?", "¿llevo paraguas?",
     "faut-il prendre un parapluie ?", "要带伞吗？", "傘は必要ですか？"],
)  # fmt: skip
def test_an_umbrella_is_answered_and_not_dressed_for(ask, text):
    alone = ask(text)
    assert alone["plan"] is None and not alone["tool_calls"]
    first = ask("outfit for work, 12 degrees")
    answer = ask(text)
    assert answer["plan"] == first["plan"] and not answer["tool_calls"]
    assert len(answer["reply"]) > len(alone["reply"])  # what of it keeps the rain out


def test_an_umbrella_is_advised_when_rain_was_told(ask):
    ask("outfit for work, 12 degrees and rain")
    assert ask("do I need an umbrella?")["reply"].startswith("Yes, take one")
    assert "There is no umbrella" in ask("do you have umbrellas?")["reply"]


@pytest.mark.parametrize(
    ("dress", "text", "no", "yes"),
    [
        ("wedding guest in June", "can I wear sneakers with it?", "I would not", "yes please"),
        ("Outfit für eine Hochzeit im Juni", "kann ich Turnschuhe dazu tragen?",
         "Eher nicht", "ja"),
        ("tenue de mariage en juin", "est-ce que je peux mettre des baskets avec ?",
         "Je ne le ferais pas", "oui"),
        ("conjunto para una boda en junio", "¿puedo llevar zapatillas con eso?", "Yo no", "sí"),
        ("六月婚礼的搭配", "可以配运动鞋吗？", "不太建议", "好的"),
        ("6月の結婚式のコーデ", "スニーカーでもいいですか？", "おすすめしません", "はい"),
    ],
)  # fmt: skip
def test_whether_sneakers_may_be_worn_is_told_by_the_dress_code(ask, dress, text, no, yes):
    first = ask(dress)
    answer = ask(text)
    assert answer["plan"] == first["plan"] and no in answer["reply"]
    assert worn(ask(yes), "footwear") == ["sneakers"]


def test_what_suits_is_told_and_what_the_weather_forbids(ask):
    ask("everyday outfit, 15 degrees, with boots")
    assert "as dressy as every day asks for" in ask("can I wear sneakers with it?")["reply"]
    assert "Better not: " in ask("can I wear sandals in the snow?")["reply"]


def test_it_is_told_before_there_is_an_outfit(ask):
    answer = ask("can I wear sneakers to a wedding?")
    assert answer["plan"] is None and "more casual than a wedding asks for" in answer["reply"]


@pytest.mark.parametrize(
    "text",
    ["I want to look taller", "ich möchte größer wirken", "je veux paraître plus grande",
     "quiero parecer más alta", "我想显高一点", "背が高く見えるようにしたい"],
)  # fmt: skip
def test_nobody_is_promised_to_look_taller(ask, text):
    first = ask("outfit for work, 12 degrees")
    answer = ask(text)
    assert answer["plan"] == first["plan"] and not answer["tool_calls"]
    assert any(w in answer["reply"] for w in ("heels", "Absätze", "talons", "tacones", "高跟",
                                              "ヒール"))  # fmt: skip


def test_beside_a_wish_the_means_are_said(ask):
    answer = ask("an outfit for a wedding in June, I want to look taller")
    assert answer["plan"]["occasion"] == "wedding" and "look taller" in answer["reply"]


@pytest.mark.parametrize(
    "text", ["does the bag match the shoes?", "passt die Tasche zu den Schuhen?"]
)
def test_whether_two_pieces_go_together_is_told_by_their_colors(ask, text):
    first = ask("outfit for work, 12 degrees, black handbag and black loafers")
    answer = ask(text)
    assert answer["plan"] == first["plan"]
    assert any(w in answer["reply"] for w in ("the same color", "dieselbe Farbe"))


def test_another_kind_of_trousers_is_asked_about_and_a_scarf_for_her_is_put_on(ask):
    first = ask("wedding guest in June, trousers")
    answer = ask("可以穿牛仔裤吗？")
    assert answer["plan"] == first["plan"] and "不太建议" in answer["reply"]
    assert "neckwear" in {g["slot"] for g in ask("can you put a scarf on her?")["plan"]["garments"]}
