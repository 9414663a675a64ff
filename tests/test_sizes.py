"""Measures are acknowledged and change no garment; wishes beside them are still read."""

import pytest
from fakes import FakeEngineStudio

from agent.lexicon import fold
from agent.sizes import only_measures
from agent.stylist import Stylist
from agent.understand import understand


@pytest.mark.parametrize(
    "text",
    [
        "I'm tall, 190 cm", "size 42", "size 42 please",
        "what size should I take?", "my feet are wide",
        "I am 5'9 and 70 kg", "ich bin 1,80 m groß", "Größe 42", "je mesure 1m75", "taille 38",
        "mido 1,70 m", "talla 40", "我身高一米八", "我穿42码", "身長は170cmです", "サイズ42",
    ],
)  # fmt: skip
def test_body_and_number_sizes_are_clothes_talk(text):
    assert only_measures(fold(text)) and understand(text, {}).kind == "sizes"


@pytest.mark.parametrize(
    "text",
    ["size M, winter", "I'm short on money", "budget 100 pounds", "short skirt", "a 5 km run",
     "my feet are cold", "summer 30 degrees"],
)  # fmt: skip
def test_wishes_are_no_measures(text):
    assert not only_measures(fold(text))


def test_a_wish_beside_a_measure_is_read():
    read = understand("I'm 190 cm tall and need a suit for a wedding", {})
    assert (read.kind, read.wish.occasion) == ("dress", "wedding")
    assert understand("budget 100 pounds", {}).wish.budget == 100
    assert not understand("my feet are wide, winter boots", {}).wish.want[0].fits


def test_it_is_acknowledged_and_nothing_changes(tmp_path):
    stylist = Stylist(FakeEngineStudio(tmp_path), tmp_path)
    first = stylist.ask("winter outfit for a commute", "t", render=False)
    for text in ("I'm tall, 190 cm", "my feet are wide", "what size should I take?"):
        answer = stylist.ask(text, "t", render=False)
        assert answer["plan"] == first["plan"] and "letter sizes" in answer["reply"]
