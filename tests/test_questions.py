"""Questions about what is worn are answered from the plan and change nothing."""

import re

import pytest
from fakes import FakeEngineStudio

from agent.lexicon import fold, hits, language_of
from agent.questions import about_worn, question
from agent.stylist import Stylist
from agent.understand import understand


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("what is the scarf made of?", "material"), ("woraus ist der mantel?", "material"),
        ("en quelle matiere est la robe ?", "material"), ("这件是什么材质？", "material"),
        ("is the coat waterproof?", "waterproof"), ("ist die jacke wasserdicht?", "waterproof"),
        ("外套防水吗？", "waterproof"), ("is that formal enough?", "dressy"),
        ("ist das elegant genug?", "dressy"), ("a waterproof coat please", None),
        ("more formal", None), ("wool coat", None),
    ],
)  # fmt: skip
def test_questions_are_told_from_wishes(text, kind):
    assert question(text) == kind


def test_answers_come_from_the_cards_and_change_nothing(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    first = stylist.ask("rainy autumn outfit for work with a trench coat", "t1", render=False)

    def ask(message):
        answer = stylist.ask(message, "t1", render=False)
        assert answer["plan"] == first["plan"] and answer["tool_calls"] == []
        return answer["reply"]

    coat = next(g for g in first["plan"]["garments"] if g["slot"] == "outerwear")
    assert ask("what is the coat made of?") == (
        f"This is what it is made of: {coat['name']}: {coat['material']}."
    )
    assert ask("is the coat waterproof?") == f"Waterproof: {coat['name']}."
    assert "Not waterproof: " in ask("are the trousers waterproof?")
    assert "as dressy as work asks for" in ask("is that formal enough?")
    assert "There is no sunglasses in this outfit." in ask("why the sunglasses?")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("does it work in the rain?", "waterproof"), ("are the shoes comfortable?", "cannot_tell"),
        ("is the coat real wool?", "material"), ("can I wear it to a funeral?", "dressy"),
        ("can I wear this outfit to a funeral?", "dressy"), ("is it ok for the office?", "dressy"),
        ("is it machine washable?", "cannot_tell"), ("does the coat have pockets?", "cannot_tell"),
        ("can I wear these boots in the snow?", "warm_enough"), ("is it expensive?", "cost"),
        ("does the bag match the coat?", "why"), ("is the coat black?", "what"),
        ("ist der Mantel aus Wolle?", "material"), ("kann ich das zur Hochzeit tragen?", "dressy"),
        ("le manteau est-il en laine ?", "material"), ("¿puedo llevarlo a un funeral?", "dressy"),
        ("雨天可以吗？", "waterproof"), ("可以穿去葬礼吗？", "dressy"), ("大丈夫ですか", "dressy"),
        ("雨でも大丈夫ですか", "waterproof"), ("これは結婚式に着ていけますか", "dressy"),
        ("ist das bequem?", "cannot_tell"), ("舒服吗？", "cannot_tell"),
        ("have her wave", None), ("can it be warmer?", None), ("could you make it warmer?", None),
        ("does it come in red?", None), ("is there anything cheaper?", None),
        ("can I have boots instead?", None), ("is it ok? make it red", None),
        ("有腰带吗？", None), ("可以换一双鞋吗？", None), ("別の靴にできますか", None),
    ],
)  # fmt: skip
def test_questions_about_what_is_worn_are_told_from_requests(text, kind):
    assert about_worn(fold(text), hits(text, language_of(text))) == kind


@pytest.fixture
def ask(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    first = stylist.ask("winter outfit for a commute for a woman", "t1", render=False)

    def asked(message):
        answer = stylist.ask(message, "t1", render=False)
        assert answer["plan"] == first["plan"] and not answer["look"], message
        return answer["reply"]

    return asked


@pytest.mark.parametrize(
    ("text", "celsius"),
    [
        ("is it warm enough?", "2 °C"), ("will it be warm enough?", "2 °C"),
        ("how warm is it?", "2 °C"), ("is it warm enough for -10 degrees?", "-10 °C"),
        ("is it warm enough in the snow?", "0 °C"), ("will I be cold at 5°C in this?", "5 °C"),
        ("零下十度够暖吗？", "-10 °C"), ("est-ce assez chaud pour 10 degrés ?", "10 °C"),
        ("ist das warm genug für 0 Grad?", "0 °C"), ("5度でも寒くないですか", "5 °C"),
        ("¿es bastante abrigado para 5 grados?", "5 °C"),
    ],
)  # fmt: skip
def test_warmth_is_answered_for_the_temperature_asked_about(ask, text, celsius):
    reply = ask(text)
    assert "clo" in reply and celsius in reply.split("clo")[0]


def test_what_is_too_warm_or_too_cold_is_said(ask):
    assert "too warm" in ask("will I be too hot at 30 degrees?")
    assert "too warm" in ask("is it warm enough for summer?")
    assert "cloth" in ask("will it rain tomorrow?")


def test_what_no_card_tells_is_not_made_up(ask):
    assert ask("are the shoes comfortable?").startswith("I cannot tell that")
    assert "There is no belt in the catalog" in ask("do you have belts?")
    assert "腰带" in ask("有腰带吗？")
    assert "more casual than a formal occasion" in ask("can I wear it to a funeral?")
    assert "どういたしまして" in ask("大丈夫です、ありがとう")


def test_a_wish_for_warmth_is_no_question():
    read = understand("make it warm enough for -10 degrees", {"plan": None})
    assert read.kind == "dress" and read.wish.temperature_c == -10


@pytest.mark.parametrize(
    "text",
    [
        "should I wear a scarf?", "do I need a coat?", "Brauche ich einen Schal?",
        "ai-je besoin d'une écharpe ?", "¿necesito bufanda?", "需要围巾吗？",
        "マフラーは必要ですか",
    ],
)  # fmt: skip
def test_whether_a_piece_is_needed_is_answered_by_warmth_and_changes_nothing(tmp_path, text):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    first = stylist.ask("summer outfit for a stroll", "t", render=False)
    answer = stylist.ask(text, "t", render=False)
    assert answer["plan"] == first["plan"] and not answer["tool_calls"]
    assert "clo" in answer["reply"] and "26 °C" in answer["reply"]


@pytest.mark.parametrize("text", ["is there a scarf?", "do you have scarves?", "Gibt es Schals?",
                                  "y a-t-il une écharpe ?", "¿hay bufandas?", "有围巾吗？",
                                  "マフラーはありますか"])  # fmt: skip
def test_what_there_is_is_told_and_changes_nothing(tmp_path, text):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    first = stylist.ask("summer outfit for a stroll", "t", render=False)
    answer = stylist.ask(text, "t", render=False)
    assert answer["plan"] == first["plan"]
    assert [c["name"] for c in answer["tool_calls"]] == ["find_garments"]


def test_a_question_of_common_english_words_is_answered_in_english():
    assert {language_of(t) for t in ("will this wrinkle?", "will it shrink?", "was it so?")} == {
        "en"
    }
    assert [language_of(t) for t in ("ich will ein Kleid", "trop cher", "no me gusta")] == [
        "de", "fr", "es",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("should I wear a scarf?", "That depends: where are you going, and how cold will it be?"),
        ("should I wear a scarf to work?",
         "That depends: where are you going, and how cold will it be?"),
        ("should I wear a scarf at -3°C?", "Yes, at -3 °C it helps."),
        ("do I need a coat at 25 degrees?", "Better not: too warm for that at 25 °C."),
        ("do I need a scarf at 15 degrees?", "There is no need for it at 15 °C."),
        ("should I wear sandals in the snow?", "Better not: too cold for that at 0 °C."),
        ("should I wear boots in the rain?", "Nothing speaks against it at 14 °C."),
        ("do I need gloves?", "There is no gloves in the catalog"),
        ("brauche ich bei 2 Grad einen Mantel?", "Ja, bei 2 °C hilft es."),
        ("ai-je besoin d'un manteau en hiver ?", "Oui, par 2 °C, c'est utile."),
        ("¿necesito bufanda con 2 grados?", "Sí, a 2 °C ayuda."),
        ("零下5度要不要戴围巾？", "需要，-5 °C时有帮助。"),
        ("冬にマフラーは必要ですか", "はい、2 °Cならあると助かります。"),
    ],
)  # fmt: skip
def test_whether_a_piece_is_needed_is_answered_before_there_is_an_outfit(tmp_path, text, reply):
    answer = Stylist(FakeEngineStudio(tmp_path), tmp_path).ask(text, "t", render=False)
    assert answer["reply"].startswith(reply) and not answer["plan"] and not answer["tool_calls"]


def test_yes_takes_what_was_offered_and_an_open_question_offers_nothing(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)

    def worn(thread, *messages):
        for message in messages:
            answer = stylist.ask(message, thread, render=False)
        return {g["category"] for g in (answer["plan"] or {"garments": []})["garments"]}

    assert "scarf" in worn("a", "should I wear a scarf at -3°C?", "yes, please")
    assert "scarf" in worn("b", "冬にマフラーは必要ですか", "はい、お願いします")
    assert worn("c", "should I wear a scarf?", "yes") == set()
    assert "scarf" in worn("d", "summer outfit for a stroll", "should I wear a scarf?", "ok")
    assert "coat" in worn("e", "do you have coats?", "ja, gerne")


@pytest.mark.parametrize(
    ("text", "key", "sign"),
    [
        ("your cheapest coat", "price", 1), ("show me your cheapest coats", "price", 1),
        ("what are your most expensive shoes?", "price", -1),
        ("which shoes are the cheapest?", "price", 1),
        ("your cheapest dress", "price", 1),
        ("what's your warmest jacket?", "clo", -1), ("show me your lightest trousers", "clo", 1),
        ("was ist euer günstigster Mantel?", "price", 1), ("zeig mir eure teuersten Schuhe",
         "price", -1), ("quel est votre manteau le moins cher ?", "price", 1),
        ("¿cuál es su vestido más caro?", "price", -1), ("你们最便宜的大衣是哪件？", "price", 1),
        ("有哪些最保暖的外套", "clo", -1), ("一番安いコートは？", "price", 1),
    ],
)  # fmt: skip
def test_the_shops_cheapest_and_warmest_are_listed_in_order(room, text, key, sign):
    stylist = Stylist(room, room.home)
    heard = understand(text, {})
    assert heard.kind == "have" and stylist.ask(text, render=False)["plan"] is None
    found = room.find_garments(order=heard.order, slot=heard.find[0].slots[0])
    assert [sign * getattr(g, key) for g in found] == sorted(sign * getattr(g, key) for g in found)


def test_a_listing_holds_only_what_was_asked_for_and_in_its_order(room):
    reply = Stylist(room, room.home).ask("your cheapest jackets", render=False)["reply"]
    prices = [float(p) for p in re.findall(r"\((\d+\.\d\d) EUR\)", reply)]
    assert reply.startswith("From the cheapest up: ") and prices == sorted(prices)
    names = re.findall(r"(?:: |, |and )([^,:(]+) \(", reply)
    kinds = {g.category for g in room.catalog.all() if g.name in names}
    assert kinds <= {"blazer", "leather jacket", "denim jacket", "puffer jacket", "raincoat",
                     "cardigan"} and kinds  # fmt: skip


def test_one_of_the_garments_listed_is_taken_by_its_number(room):
    stylist = Stylist(room, room.home)
    listed = stylist.ask("what are your most expensive dresses?", "t", render=False)["reply"]
    second = re.findall(r"(?:: |, |and )([^,:(]+) \(", listed)[1]
    for message in ("the second one", "a bit warmer"):
        answer = stylist.ask(message, "t", render=False)
        assert second in {g["name"] for g in answer["plan"]["garments"]}
    stylist.ask("有哪些最便宜的大衣", "u", render=False)
    answer = stylist.ask("第二件", "u", render=False)
    coats = room.find_garments(order="cheapest", category="coat")
    assert coats[1].id in {g["id"] for g in answer["plan"]["garments"]}


@pytest.mark.parametrize(
    "text",
    ["the cheapest outfit for a winter commute", "I need your cheapest coat for work",
     "put her in your warmest coat", "show me an outfit with your cheapest coat"],
)  # fmt: skip
def test_the_cheapest_to_wear_is_no_listing(text):
    assert understand(text, {}).kind == "dress"


def test_one_piece_of_what_is_worn_is_told_by_price_and_warmth(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    first = stylist.ask("winter commute", "t", render=False)["plan"]
    dearest = max(first["garments"], key=lambda g: g["price"])
    warmest = max(first["garments"], key=lambda g: g["clo"])
    for text, said in (
        ("what's the most expensive thing in it?", f"{dearest['name']} ({dearest['price']:.2f}"),
        ("which piece is the warmest?", f"{warmest['name']} ({warmest['clo']:g} clo"),
        ("welches Teil ist am teuersten?", f"{dearest['price']:.2f}"),
        ("一番高いのはどれ？", f"{dearest['price']:.2f}"),
    ):
        answer = stylist.ask(text, "t", render=False)
        assert said in answer["reply"] and answer["plan"] == first, text
    reply = stylist.ask("which pieces are waterproof?", "t", render=False)["reply"]
    assert all(g["name"] in reply for g in first["garments"])
    listed = stylist.ask("do you have waterproof shoes?", "t", render=False)
    assert [c["name"] for c in listed["tool_calls"]] == ["find_garments"]


def test_which_is_cheaper_is_a_comparison_and_a_limit_no_question(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    stylist.ask("winter commute", "t", render=False)
    second = stylist.ask("swap the boots", "t", render=False)["plan"]
    answer = stylist.ask("what is cheaper, this or the first?", "t", render=False)
    assert answer["plan"] == second and answer["reply"].startswith("Look 1: ")
    dear = stylist.ask("c'est trop cher, max 250", "t", render=False)
    assert dear["plan"]["price_total"] <= 250
