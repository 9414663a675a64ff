"""Numbers in words are written in digits where they count money, degrees or years."""

import pytest

from agent import numbers
from agent.lexicon import fold
from agent.number_words import in_digits


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("budget five hundred euros", 500), ("under fifty euros", 50), ("under a hundred", 100),
        ("two hundred and fifty euros", 250), ("Budget dreihundert Euro", 300),
        ("höchstens zweihundertfünfzig Euro", 250), ("zweitausendfünfhundert Euro", 2500),
        ("Budget: zwei hundert", 200),
        ("budget trois cents euros", 300), ("moins de deux cents euros", 200),
        ("quatre-vingt-dix euros", 90), ("soixante-quinze euros", 75),
        ("presupuesto trescientos euros", 300), ("mil doscientos euros", 1200),
        ("预算五百欧元", 500), ("预算两千块", 2000), ("三百五块", 350), ("3万円以内", 30000),
        ("予算五万円で", 50000), ("no more than three pieces", None), ("the second one", None),
    ],
)  # fmt: skip
def test_budgets_are_read_in_words(text, amount):
    assert numbers.budget(text) == amount


@pytest.mark.parametrize(
    ("text", "celsius"),
    [
        ("twenty five degrees", 25), ("minus ten", -10), ("ten below zero", -10),
        ("between five and fifteen degrees", 10), ("fünfundzwanzig Grad", 25), ("zwölf Grad", 12),
        ("moins dix degrés", -10), ("treinta y cinco grados", 35), ("三十度，去公园", 30),
        ("零下十度", -10), ("二十五度", 25), ("もう一度", None), ("二度と着ない", None),
    ],
)  # fmt: skip
def test_temperatures_are_read_in_words(text, celsius):
    read = numbers.temperature(text)
    assert (read and read[0]) == celsius


def test_words_that_count_nothing_stay_words():
    for text in ("a second one of the three", "never more than once", "一双鞋，一件外套"):
        assert in_digits(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "celsius"),
    [
        ("sunny 22", 22), ("22 and sunny, brunch with friends", 22),
        ("a date tonight, sunny 22", 22),
        ("it's 22 outside", 22), ("rainy, 12", 12), ("22 und sonnig", 22), ("ensoleillé, 22", 22),
        ("soleado y 22", 22), ("晴天22", 22), ("晴れ、22", 22),
    ],
)  # fmt: skip
def test_a_number_beside_the_sky_is_the_temperature(text, celsius):
    assert numbers.temperature(text) == (celsius, None)


@pytest.mark.parametrize(
    "text",
    ["2 sunny days", "sunny, 20 guests", "sunny 200", "size 38 and sunny", "for 2, sunny",
     "under 50 and sunny", "sunny, 19h", "top 10 sunny looks"],
)  # fmt: skip
def test_a_number_that_counts_something_else_is_no_temperature(text):
    assert numbers.temperature(text) is None
