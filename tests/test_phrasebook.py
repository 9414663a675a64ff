"""Whole replies in the shopper's language: nothing English is left in them."""

import re
import string

import pytest
from fakes import FakeEngineStudio, wardrobe

from agent.lexicon import WORDS
from agent.phrasebook import LANGUAGES, name, of_card, piece, say, told
from agent.stylist import Stylist
from bench.stylist.judge import Judge
from catalog.croquis.palette import COLORS
from catalog.garment import CATEGORIES, SEASONS, SLOTS
from tools.outfit import Piece, Wish, check, choose
from tools.wish import OCCASIONS

TABLES = ("sentences.txt", "tools.txt", "names.txt")
BLANK = re.compile(r"\{(?:\w+:)?(\w+)\}")


def rows(table):
    lines = (WORDS / table).read_text(encoding="utf-8").splitlines()
    return [line.split(" | ") for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_all_languages_and_no_blank_of_its_own(table):
    for english, *others in rows(table):
        assert len(others) == len(LANGUAGES) and all(o.strip() for o in others), english
        for other in others:
            assert set(BLANK.findall(other)) <= set(BLANK.findall(english)), english


def test_every_word_of_the_catalog_has_a_name_in_every_language():
    known = {row[0] for row in rows("names.txt")}
    for kind, words in (("category", CATEGORIES), ("slot", SLOTS), ("color", COLORS),
                        ("season", SEASONS), ("occasion", OCCASIONS)):  # fmt: skip
        assert {f"{kind} {w}" for w in words} <= known


def test_pieces_and_cards_are_said_in_the_language():
    assert piece("red wool sweater", "de") == "Pullover aus Wolle in Rot"
    assert piece("striped shirt", "fr") == "chemise à rayures"
    assert piece("other shoes", "es") == "zapatos"
    assert piece("black dress", "zh") == "黑色连衣裙"
    assert piece("white long-sleeved shirt", "ja") == "白の長袖シャツ"
    coat = {"name": "Harbour coat", "category": "coat", "color": "navy", "pattern": "plaid"}
    assert of_card(coat, "en") == "Harbour coat"
    assert of_card(coat, "es") == "abrigo de cuadros color azul marino"


def test_what_is_not_known_stays_as_it_was():
    assert told("Something nobody wrote down.", "de") == "Something nobody wrote down."
    assert told("keeps the rain out; made for a date", "de") == (
        "hält den Regen ab; gemacht für eine Verabredung"
    )
    assert say("and", "ja") == "と" and name("color", "no such", "fr") == "no such"


WISHES = (
    Wish(),
    Wish(season={"winter": 1}, temperature_c=30),
    Wish(temperature_c=-12, weather=("snow",), layers=-1, absent=("gloves",),
         want=(Piece(categories=("sandals",)), Piece(categories=("fedora",), colors=("red",))),
         like=(Piece(sleeves=("none",), said="something sleeveless"),)),
    Wish(weather=("rain",), temperature_c=9, occasion="commute", budget=40),
    Wish(occasion="formal", who="men", want=(Piece(categories=("heels",)),), keep=("gone-id",)),
    Wish(occasion="beach", temperature_c=29, avoid=(Piece(slot="footwear"),)),
    Wish(season={"summer": 1}, want=(Piece(categories=("maxi dress",)),
                                     Piece(categories=("jeans",)))),
    Wish(occasion="wedding", ceiling=20, want=(Piece(colors=("teal",)),)),
    Wish(occasion="party", want=(Piece(patterns=("leopard",)), Piece(colors=("red",),
                                                                      everywhere=True))),
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_tools_is_known_in_the_language(language):
    cards = wardrobe()
    for wish in WISHES:
        outfit = choose(wish, cards)
        names = {g.name: of_card({"name": g.name, "category": g.category, "color": g.color,
                                  "pattern": g.pattern}, language) for g in cards}  # fmt: skip
        names["gone-id"] = "X"
        said = [c.why for c in outfit.garments] + [*outfit.assumptions, *outfit.unmet]
        said += [v.message for v in check(cards[:2], wish) if v.kind in ("warmth", "incomplete")]
        for sentence in said:
            for part in sentence.split("; "):
                assert told(part, language, names) != part, part


TALK = {
    "fr": ("Une tenue d'hiver pour le travail, sans bonnet", "plus élégant", "moins cher",
           "pourquoi ?", "combien ça coûte ?", "annule", "compare les deux", "merci"),
    "de": ("Ein Outfit für eine Hochzeit im Sommer, ohne Absätze", "andere Schuhe", "wärmer",
           "warum?", "wie viel kostet das?", "rückgängig", "vergleiche die beiden", "danke"),
    "es": ("ropa de otoño para una cita, sin negro", "cambia los zapatos", "más barato",
           "¿por qué?", "¿cuánto cuesta?", "deshacer", "compara los dos", "gracias"),
    "zh": ("冬天上班穿什么，不要围巾", "换一双鞋", "便宜一点", "为什么", "多少钱", "撤销",
           "比较一下", "谢谢"),
    "ja": ("冬の通勤コーデ、帽子なし", "靴を変えて", "もっと暖かく", "なぜ？", "いくら？",
           "元に戻して", "比べて", "ありがとう"),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_conversation_stays_in_the_language(tmp_path, language):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    for message in TALK[language]:
        answer = stylist.ask(message, "t1")
        assert "error" not in answer
        assert Judge(answer, [], {}).language(language), answer["reply"]


def test_no_case_of_the_evaluation_stands_in_the_planners_data():
    from agent.lexicon import LANGUAGES as READ
    from agent.lexicon import fold, lexicon
    from bench.stylist.run import load_cases

    said = {fold(t["say"]).strip(string.punctuation + " ¿？。") for c in load_cases()
            for t in c["turns"]}  # fmt: skip
    long = {s for s in said if len(s.split()) > 4 or len(s) > 40}
    assert len(long) > 150
    data = "\n".join(fold(p.read_text(encoding="utf-8")) for p in WORDS.glob("*.txt"))
    assert not [s for s in long if s in data]
    for language in READ:
        assert not {p for p in lexicon(language).phrases if len(p.split()) > 6}
