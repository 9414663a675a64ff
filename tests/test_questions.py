"""Questions about what is worn are answered from the plan and change nothing."""

import pytest
from fakes import FakeEngineStudio

from agent.questions import question
from agent.stylist import Stylist


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
