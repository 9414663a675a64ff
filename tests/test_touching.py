"""A change of one garment is a touch-up of the look, and the plan says what the shop sells."""

import json

import numpy as np
import pytest
from fakes import FakeEngineStudio

from agent.conversation import Conversations
from agent.stylist import Stylist
from agent.touch_words import touch_in_words
from agent.touching import Mark
from bench.model_server import ModelServer
from catalog.errors import BadValue

FIRST = "winter outfit for a commute for a woman, with a coat and boots"


@pytest.fixture
def studio(tmp_path):
    return FakeEngineStudio(tmp_path)


@pytest.fixture
def stylist(studio, tmp_path):
    return Stylist(studio, tmp_path)


@pytest.fixture
def first(stylist):
    answer = stylist.ask(FIRST, "t1")
    assert {"coat", "boots"} <= {g["category"] for g in answer["plan"]["garments"]}
    return answer


def ids(answer):
    return [g["id"] for g in answer["plan"]["garments"]]


def of(answer, category):
    return next(g for g in answer["plan"]["garments"] if g["category"] == category)


def called(answer):
    return [c["name"] for c in answer["tool_calls"] if c["ok"]]


def test_another_colour_is_touched_up_and_the_shops_own_is_said_aloud(stylist, studio, first):
    coat = of(first, "coat")
    red = stylist.ask("make the coat red, please", "t1")
    assert called(red) == ["touch_up"] and len(studio.drawn) == 1
    assert studio.touched[0]["garment"] == coat["id"] and studio.touched[0]["color"] == "red"
    assert ids(red) == ids(first) and of(red, "coat")["drawn"] == {"color": "red"}
    told = f"{coat['name']} is drawn in red, the shop sells it in {coat['color']}"
    assert told in red["reply"] and told in red["plan"]["unmet"]
    assert red["look"]["id"] != first["look"]["id"] and "Only this was drawn again" in red["reply"]


def test_a_touched_colour_stays_when_the_whole_look_is_drawn_again(stylist, studio, first):
    stylist.ask("make the coat red", "t1")
    posed = stylist.ask("hands on hips", "t1")
    coat = of(first, "coat")["id"]
    assert {w.id: w.color for w in studio.drawn[-1].garments}[coat] == "red"
    assert of(posed, "coat")["drawn"] == {"color": "red"}
    assert any("drawn in red" in u for u in posed["plan"]["unmet"])


@pytest.mark.parametrize(
    "message, change",
    [
        ("shorten the sleeves", {"sleeves": "shorter"}),
        ("longer sleeves please", {"sleeves": "longer"}),
        ("can the coat be shorter", {"length": "shorter"}),
        ("the coat in navy, but keep the rest exactly", {"color": "navy"}),
        ("fix that sleeve", {}),
        ("mach den Mantel rot", {"color": "red"}),
        ("le manteau en rouge", {"color": "red"}),
        ("pon el abrigo rojo", {"color": "red"}),
        ("把大衣换成红色", {"color": "red"}),
        ("コートを赤にして", {"color": "red"}),
    ],
)
def test_what_a_touch_up_can_do_alone_it_does(stylist, studio, first, message, change):
    studio.touch_up = lambda id, **asked: studio.touched.append(asked) or studio.look(id)
    stylist.ask(message, "t1")
    asked = {
        k: v for k, v in studio.touched[0].items() if k in ("color", "sleeves", "length") and v
    }
    assert asked == change and studio.touched[0]["garment"] == of(first, "coat")["id"]


@pytest.mark.parametrize(
    "swap, back, again",
    [
        ("swap the boots for sneakers but keep the rest exactly", "undo that",
         "make it blue again"),
        ("tausch die Stiefel gegen Sneaker, aber lass den Rest genau so", "mach das rückgängig",
         "mach sie wieder blau"),
        ("remplace les bottes par des baskets mais garde le reste exactement", "annule",
         "remets-les en bleu"),
        ("cambia las botas por zapatillas pero deja el resto igual", "deshaz eso",
         "hazlas azules otra vez"),
        ("把靴子换成运动鞋，其他保持不变", "撤销", "再改成蓝色"),
        ("ブーツをスニーカーに替えて、他はそのままで", "元に戻して", "また青にして"),
    ],
    ids=["en", "de", "fr", "es", "zh", "ja"],
)  # fmt: skip
def test_after_an_exchange_was_taken_back_it_is_what_is_worn(
    stylist, studio, first, swap, back, again
):
    swapped = stylist.ask(swap, "t1")
    assert called(swapped)[-1] == "touch_up" and len(studio.drawn) == 1
    assert len(set(ids(first)) - set(ids(swapped))) == 1
    assert stylist.ask(back, "t1")["plan"] == first["plan"]
    blue = stylist.ask(again, "t1")
    assert called(blue) == ["touch_up"] and ids(blue) == ids(first)
    assert of(blue, "boots")["drawn"] == {"color": "blue"}


@pytest.mark.parametrize(
    "red, blue",
    [("make the coat red", "blue again"), ("mach den Mantel rot", "wieder blau"),
     ("le manteau en rouge", "de nouveau en bleu"), ("pon el abrigo rojo", "ponlo azul"),
     ("把大衣换成红色", "改成蓝色"), ("コートを赤にして", "青にして")],
)  # fmt: skip
def test_a_colour_alone_is_for_what_was_spoken_of(stylist, studio, first, red, blue):
    stylist.ask(red, "t1")
    answer = stylist.ask(blue, "t1")
    assert called(answer) == ["touch_up"] and len(studio.drawn) == 1
    assert of(answer, "coat")["drawn"] == {"color": "blue"}


@pytest.mark.parametrize(
    "message",
    ["make it warmer", "make the coat red and the shoes "
     "white", "the coat in red and hands on hips", "not the red coat", "make the coat red, 5 °C",
     "a striped coat", "everything in red"],
)  # fmt: skip
def test_what_is_about_more_than_that_is_thought_over_as_an_outfit(stylist, first, message):
    answer = stylist.ask(message, "t1")
    assert "plan_outfit" in called(answer)


@pytest.mark.parametrize("message", ["I want a red coat", "a red coat instead", "the red coat"])
def test_a_coat_the_shop_has_not_in_red_is_looked_for_and_then_recoloured(stylist, first, message):
    answer = stylist.ask(message, "t1")
    assert called(answer) == ["find_garments", "touch_up"]
    assert ids(answer) == ids(first) and of(answer, "coat")["drawn"] == {"color": "red"}


@pytest.mark.parametrize("message", ["a black coat instead", "the black coat"])
def test_a_coat_the_shop_has_in_that_colour_is_worn(stylist, first, message):
    answer = stylist.ask(message, "t1")
    assert of(answer, "coat")["color"] == "black" and "drawn" not in of(answer, "coat")


def test_one_garment_exchanged_leaves_the_rest_of_the_picture(stylist, studio, first):
    swapped = stylist.ask("swap the boots for sneakers but keep the rest exactly", "t1")
    assert called(swapped)[-1] == "touch_up" and len(studio.drawn) == 1
    new = of(swapped, "sneakers")
    assert studio.touched[0]["swap"] == new["id"]
    assert set(ids(swapped)) - {new["id"]} == set(ids(first)) - {of(first, "boots")["id"]}
    assert "drawn for you" in swapped["reply"]


def test_another_pose_with_another_garment_is_drawn_whole(stylist, studio, first):
    answer = stylist.ask("swap the boots for sneakers, hands on hips", "t1")
    assert called(answer)[-1] == "render_look" and len(studio.drawn) == 2


def test_a_touch_up_is_undone_and_comes_back(stylist, studio, first):
    red = stylist.ask("make the coat red", "t1")
    back = stylist.ask("undo that", "t1")
    assert back["look"]["id"] == first["look"]["id"] and back["plan"] == first["plan"]
    again = stylist.ask("redo", "t1")
    assert again["look"]["id"] == red["look"]["id"] and again["plan"] == red["plan"]
    assert stylist.undo("t1")["look"]["id"] == first["look"]["id"]
    assert stylist.undo("t1", steps=-1)["look"]["id"] == red["look"]["id"]
    with pytest.raises(BadValue, match="Nothing was undone"):
        stylist.undo("t1", steps=-1)
    assert len(studio.drawn) == 1


def test_after_an_undone_pose_the_look_that_stands_is_touched(stylist, studio, first):
    stylist.ask("hands on hips", "t1")
    stylist.ask("undo", "t1")
    red = stylist.ask("make the coat red", "t1")
    assert called(red) == ["touch_up"] and studio.touched[0]["id"] == first["look"]["id"]
    assert red["plan"]["pose"] == first["plan"]["pose"]


def test_a_new_change_forgets_what_was_undone(stylist, tmp_path, first):
    stylist.ask("make the coat red", "t1")
    stylist.ask("undo", "t1")
    stylist.ask("make the coat green", "t1")
    assert Conversations(tmp_path).load("t1").undone == []


def test_what_is_marked_is_meant_and_not_what_was_spoken_of_last(stylist, studio, first):
    made = stylist.ask("make the coat red", "t1")
    boots = of(first, "boots")["id"]
    for message in ("in white", "make it white"):
        list(stylist.reply(message, "t1", mark=Mark(made["look"]["id"], boots)))
        assert studio.touched[-1]["garment"] == boots and studio.touched[-1]["color"] == "white"
        made = stylist.ask("undo", "t1")


def test_what_is_marked_needs_no_name(stylist, studio, first):
    boots = of(first, "boots")["id"]
    mark = Mark(first["look"]["id"], boots, np.ones((768, 512), bool))
    for event in stylist.reply("in red", "t1", mark=mark):
        answer = event.get("answer")
    assert called(answer) == ["touch_up"] and of(answer, "boots")["drawn"] == {"color": "red"}
    assert studio.touched[0]["garment"] == boots and studio.touched[0]["mask"] is mark.mask
    for event in stylist.reply("in blue", "t1", mark=mark):
        answer = event.get("answer")
    assert "another picture" in answer["reply"] and len(studio.touched) == 1


def test_what_was_picked_is_done_without_any_reading(stylist, studio, first):
    boots = of(first, "boots")["id"]
    other = next(g.id for g in studio.cards
                 if g.slot == "footwear" and "winter" in g.seasons and g.id != boots)  # fmt: skip
    mark = Mark(first["look"]["id"], boots, change={"swap": other})
    for event in stylist.reply("These shoes instead", "t1", mark=mark):
        answer = event.get("answer")
    assert other in ids(answer) and called(answer) == ["touch_up"]


def test_a_touch_up_by_hand_goes_on_with_the_thread_that_shows_the_look(stylist, first, tmp_path):
    boots = of(first, "boots")["id"]
    made = stylist.touch_up(first["look"]["id"], garment=boots, color="white")
    thread = Conversations(tmp_path).load("t1")
    assert thread.now.look_id == made.id and thread.now.drawn == {boots: {"color": "white"}}
    assert stylist.undo("t1")["look"]["id"] == first["look"]["id"]
    stylist.touch_up(made.id, garment=boots, color="red")
    assert Conversations(tmp_path).load("t1").now.look_id == first["look"]["id"], "an older look"


def test_a_swap_that_cannot_be_worn_here_is_refused(stylist, studio, first):
    mark = Mark(first["look"]["id"], of(first, "boots")["id"], change={"swap": "sandals-tan"})
    for event in stylist.reply("Sandals", "t1", mark=mark):
        answer = event.get("answer")
    assert not called(answer) and not studio.touched and "cannot be worn here" in answer["reply"]


def test_a_hosted_model_touches_up_and_undoes_by_the_same_tools(studio, tmp_path, stylist, first):
    boots = of(first, "boots")["id"]

    def script(messages):
        done = [m for m in messages if m["role"] == "tool"]
        asked = [m["content"] for m in messages if m["role"] == "user"][-1]
        steps = [{"tool": "segment", "args": {"points": [{"x": 250, "y": 700}]}},
                 {"tool": "touch_up", "args": {"garment": "boots", "color": "red"}}]  # fmt: skip
        steps = [{"tool": "undo", "args": {}}] if "undo" in asked else steps
        return steps[len(done)] if len(done) < len(steps) else "Done."

    with ModelServer(script) as server:
        hosted = Stylist(
            studio, tmp_path, llm_url=server.url, llm_key="k", llm_model="m", timeout_s=60
        )
        red = hosted.ask("could those be red?", "t1")
        told = [m["content"] for m in server.requests[-1]["messages"] if m["role"] == "tool"]
        back = hosted.ask("undo that", "t1")
    tools = {t["function"]["name"] for t in server.requests[0]["tools"]}
    assert {"segment", "touch_up", "undo"} <= tools
    assert "SAM" in told[0] and json.loads(told[1])["touched"] == boots
    assert [c["ok"] for c in red["tool_calls"]] == [False, True]
    assert of(red, "boots")["drawn"] == {"color": "red"}
    assert back["look"]["id"] == first["look"]["id"]


def test_a_picture_that_is_not_there_cannot_be_touched(stylist):
    stylist.ask(FIRST, "t2", render=False)
    answer = stylist.ask("make the coat red", "t2")
    assert "touch_up" not in called(answer)


def test_words_on_the_command_line_are_read_by_the_same_tables(studio):
    worn = [studio.get("boots-brown"), next(g for g in studio.cards if g.category == "coat")]
    coat = worn[1].id
    assert touch_in_words("in red", worn, coat) == {"garment": coat, "color": "red"}
    assert touch_in_words("shorter sleeves", worn, None) == {"garment": coat, "sleeves": "shorter"}
    assert touch_in_words("red boots", worn, "boots-brown")["color"] == "red"
    for words in ("", "x" * 100_000, "nothing known here", "a beach holiday at 30 °C", "in red"):
        with pytest.raises(BadValue):
            touch_in_words(words, worn, None)
    with pytest.raises(BadValue, match="is marked"):
        touch_in_words("the boots in red", worn, coat)
