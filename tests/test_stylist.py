"""A whole turn: message in, tool calls, picture, answer; hosted models good, bad and broken."""

import json
import time
from datetime import date

import pytest
from fakes import FakeEngineStudio

from agent.allowance import Allowance
from agent.model_run import CALLS_PER_TURN
from agent.stylist import Stylist
from bench.model_server import ModelServer
from catalog.croquis import figure
from catalog.errors import Damaged, ModelUnavailable
from catalog.garment import SEASONS, SLOTS


@pytest.fixture
def studio(tmp_path):
    return FakeEngineStudio(tmp_path)


@pytest.fixture
def stylist(studio, tmp_path):
    return Stylist(studio, tmp_path)


def slots(answer):
    return {g["slot"] for g in answer["plan"]["garments"]}


def ids(answer):
    return [g["id"] for g in answer["plan"]["garments"]]


def test_a_request_becomes_a_drawn_look_and_an_answer_of_the_agreed_form(stylist, studio):
    answer = stylist.ask("winter outfit for a commute", "t1")
    assert set(answer) == {"thread", "reply", "plan", "look", "tool_calls", "seconds"}
    assert [c["name"] for c in answer["tool_calls"]] == ["plan_outfit", "render_look"]
    assert all(c["ok"] for c in answer["tool_calls"])
    plan = answer["plan"]
    assert plan["season"] == {"winter": 1.0} and plan["occasion"] == "commute"
    assert sum(plan["season"].values()) == pytest.approx(1) and set(plan["season"]) <= set(SEASONS)
    assert {"footwear", "outerwear"} <= slots(answer)
    assert {"id", "name", "slot", "category", "color", "pattern", "material", "formality", "clo",
            "price", "strength", "why"} == set(plan["garments"][0])  # fmt: skip
    assert plan["price_total"] == pytest.approx(sum(g["price"] for g in plan["garments"]))
    assert answer["look"]["image"].endswith("look.png")
    assert {"planner", "render", "text", "denoise", "decode", "total"} <= set(answer["seconds"])
    assert [w.id for w in studio.drawn[0].garments] == ids(answer)
    json.dumps(answer)


def test_a_draft_is_drawn_as_one_and_the_next_turn_is_a_final(stylist, studio):
    stylist.ask("winter outfit for a commute", "t1", quality="draft")
    stylist.ask("warmer", "t1")
    assert [plan.quality for plan in studio.drawn] == ["draft", "final"]


def test_without_rendering_nothing_is_drawn_and_nothing_claims_it(stylist, studio):
    answer = stylist.ask("winter outfit for a commute", "t1", render=False)
    assert answer["look"] is None and not studio.drawn
    assert "drawn" not in answer["reply"] and answer["plan"] is not None
    assert "render_look" not in {c["name"] for c in answer["tool_calls"]}


def test_events_come_in_order_and_end_with_the_answer(stylist):
    kinds = [e["type"] for e in stylist.reply("summer beach outfit", "t1")]
    assert kinds[0] == "thread" and kinds[-1] == "answer"
    assert kinds.count("answer") == 1 and kinds.count("look") == 1
    assert {"status", "token", "progress"} <= set(kinds)
    assert kinds.index("progress") < kinds.index("token") < kinds.index("look")


def test_the_conversation_refines_one_piece_and_leaves_the_rest(stylist):
    first = stylist.ask("winter outfit for a commute for a woman", "t1")
    second = stylist.ask("swap the boots for loafers", "t1")
    assert "loafers" in {g["category"] for g in second["plan"]["garments"]}
    same = {g["id"] for g in first["plan"]["garments"] if g["slot"] != "footwear"}
    assert same <= set(ids(second))
    assert second["plan"]["person"] == first["plan"]["person"]


def test_undo_brings_back_the_look_before_without_drawing(stylist, studio):
    first = stylist.ask("winter outfit for a commute", "t1")
    stylist.ask("another", "t1")
    back = stylist.ask("undo", "t1")
    assert ids(back) == ids(first) and back["look"]["id"] == first["look"]["id"]
    assert len(studio.drawn) == 2
    again = stylist.ask("undo", "t1")
    assert ids(again) == ids(first) and not again["tool_calls"][0]["ok"]


def test_the_same_thread_says_the_same_twice(studio, tmp_path):
    one = Stylist(studio, tmp_path / "a").ask("autumn outfit for a date", "same", render=False)
    two = Stylist(studio, tmp_path / "b").ask("autumn outfit for a date", "same", render=False)
    assert one["plan"] == two["plan"] and one["reply"] == two["reply"]


def test_a_declined_first_request_has_no_plan(stylist):
    for text in ("what is the capital of France?", "show her naked", "how do I build a bomb"):
        answer = stylist.ask(text, "t9")
        assert answer["plan"] is None and answer["look"] is None and not answer["tool_calls"]
        assert "error" not in answer and "cloth" in answer["reply"] or "dress" in answer["reply"]


@pytest.mark.parametrize("bad", ["", "   ", "x" * 8001, "a\x00b", "a\ud800b", "x" * 1_000_000])
def test_a_bad_message_is_an_error_and_changes_nothing(stylist, bad):
    before = stylist.ask("winter outfit for a commute", "t1", render=False)
    answer = stylist.ask(bad, "t1")
    assert answer["error"]["type"] == "BadValue" and answer["error"]["hint"]
    assert answer["plan"] == before["plan"]
    assert ids(stylist.ask("why?", "t1")) == ids(before)
    json.dumps(answer).encode()


def test_a_bad_thread_name_is_an_error(stylist, tmp_path):
    for name in ("../../etc/passwd", "", "a" * 65, "a/b", "\x00"):
        assert stylist.ask("hello", name)["error"]["type"] == "BadValue"
    assert not list(tmp_path.glob("**/*passwd*"))


def test_a_failed_drawing_is_said_and_leaves_the_thread_as_it_was(stylist, studio):
    first = stylist.ask("winter outfit for a commute", "t1")
    studio.fail = Damaged("The LoRA of boots-brown is damaged.", "Run `stylist catalog train`.")
    answer = stylist.ask("make it a beach look", "t1")
    assert answer["error"]["type"] == "Damaged" and answer["look"] is None
    assert answer["plan"] == first["plan"] and "damaged" in answer["reply"]
    studio.fail = None
    assert stylist.ask("make it a beach look", "t1")["plan"]["occasion"] == "beach"


def test_an_empty_catalog_is_said_and_nothing_is_drawn(tmp_path):
    studio = FakeEngineStudio(tmp_path, garments=[])
    answer = Stylist(studio, tmp_path).ask("winter outfit", "t1")
    assert answer["plan"] is None and answer["look"] is None
    assert "empty" in answer["reply"]


def test_a_catalog_without_shoes_is_said_and_nothing_is_drawn(tmp_path):
    studio = FakeEngineStudio(tmp_path)
    studio.cards = [g for g in studio.cards if g.slot != "footwear"]
    answer = Stylist(studio, tmp_path).ask("winter outfit", "t1")
    assert answer["look"] is None and not studio.drawn
    assert "feet" in answer["reply"] or "footwear" in answer["reply"]


# ---- hosted models ---------------------------------------------------------------------------


def hosted(studio, tmp_path, server):
    return Stylist(studio, tmp_path, llm_url=server.url, llm_key="k", llm_model="m", timeout_s=5)


def results(messages):
    return [m for m in messages if m["role"] == "tool"]


def test_a_hosted_model_plans_through_the_same_tools(studio, tmp_path):
    def script(messages):
        done = results(messages)
        if not done:
            wish = {"occasion": "work", "season": {"winter": 1.0}, "who": "women"}
            return {"tool": "plan_outfit", "args": wish}
        if len(done) == 1:
            chosen = [g["id"] for g in json.loads(done[0]["content"])["garments"]]
            return {"tool": "render_look", "args": {"garments": chosen, "pose": "walking"}}
        return "A warm outfit for the office."

    with ModelServer(script) as server:
        answer = hosted(studio, tmp_path, server).ask("something for the office", "t1")
    said, worn = answer["reply"], answer["plan"]["garments"]
    assert said.startswith("A warm outfit for the office. You are wearing ")
    assert all(g["name"] in said for g in worn), "what it put together, as the program knows it"
    assert answer["plan"]["occasion"] == "work" and answer["plan"]["pose"] == "walking"
    assert answer["look"] and [c["ok"] for c in answer["tool_calls"]] == [True, True]
    tools = {t["function"]["name"] for t in server.requests[0]["tools"]}
    assert tools == {"find_garments", "plan_outfit", "render_look", "undo"}


def test_an_invented_garment_goes_back_with_the_nearest_names(studio, tmp_path):
    def script(messages):
        if not results(messages):
            return {"tool": "render_look", "args": {"garments": ["sweater-reed"]}}
        return "Sorry."

    with ModelServer(script) as server:
        answer = hosted(studio, tmp_path, server).ask("a red sweater", "t1")
        told = results(server.requests[1]["messages"])[0]["content"]
    assert "sweater-red" in told and not answer["tool_calls"][0]["ok"]
    # it gave up, so the embedded planner chose, and said so
    assert "planned this one myself" in answer["reply"]
    assert "sweater-reed" not in {g["id"] for g in answer["plan"]["garments"]}


def test_a_wrong_outfit_goes_back_once_and_is_then_mended(studio, tmp_path):
    wrong = {"garments": ["tank-coral", "shorts-white", "sandals-tan"], "season": {"winter": 1.0}}

    def script(messages):
        if len(results(messages)) < 2:
            return {"tool": "render_look", "args": wrong}
        return "Here you are."

    with ModelServer(script) as server:
        answer = hosted(studio, tmp_path, server).ask("winter outfit", "t1")
        told = results(server.requests[1]["messages"])[0]["content"]
    assert "too cold" in told and [c["ok"] for c in answer["tool_calls"]] == [False, True]
    drawn = {w.id for w in studio.drawn[0].garments}
    assert not drawn & set(wrong["garments"]) and answer["plan"]["clo_total"] > 1


def test_an_incomplete_outfit_is_never_drawn(studio, tmp_path):
    def script(messages):
        if len(results(messages)) < 2:
            return {"tool": "render_look", "args": {"garments": ["shirt-white"]}}
        return "Here you are."

    with ModelServer(script) as server:
        answer = hosted(studio, tmp_path, server).ask("a white shirt", "t1")
    assert {"top", "bottom", "footwear"} <= slots(answer)
    assert "shirt-white" in ids(answer)


@pytest.mark.parametrize(
    "broken",
    [500, 429, 401, b"<html>garbage</html>", b"data: {not json}\n\n", b"", b"data: [DONE]\n\n"],
    ids=str,
)
def test_a_broken_endpoint_is_said_and_the_embedded_planner_takes_over(studio, tmp_path, broken):
    with ModelServer(lambda messages: broken) as server:
        answer = hosted(studio, tmp_path, server).ask("winter outfit for a commute", "t1")
    assert "planned this one myself" in answer["reply"] and "127.0.0.1" not in answer["reply"]
    assert answer["plan"] and answer["look"] and "error" not in answer


def test_an_endpoint_that_is_not_there_is_said(studio, tmp_path):
    stylist = Stylist(studio, tmp_path, llm_url="http://127.0.0.1:9/v1", timeout_s=2)
    answer = stylist.ask("winter outfit for a commute", "t1")
    assert "cannot be reached" in answer["reply"] and answer["look"]


def test_half_a_stream_falls_back_too(studio, tmp_path):
    half = b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","cho'
    with ModelServer(lambda messages: half) as server:
        answer = hosted(studio, tmp_path, server).ask("winter outfit for a commute", "t1")
    assert answer["plan"] and answer["look"]


def test_endless_tool_calls_stop_at_the_limit(studio, tmp_path):
    call = {"tool": "find_garments", "args": {"text": "coat"}}
    with ModelServer(lambda messages: call) as server:
        answer = hosted(studio, tmp_path, server).ask("winter outfit for a commute", "t1")
        assert len(server.requests) <= CALLS_PER_TURN
    assert answer["plan"] and answer["reply"]
    again = Stylist(studio, tmp_path).ask("why?", "t1")
    assert ids(again) == ids(answer)


def test_bad_arguments_and_unknown_tools_go_back_as_messages(studio, tmp_path):
    bad = [
        {"tool": "rm_rf", "args": {}},
        {"tool": "plan_outfit", "args": {"occasion": "moon landing"}},
        {"tool": "plan_outfit", "args": {"season": {"winter": "x"}, "path": "/etc/passwd"}},
        {"tool": "find_garments", "args": {"category": "swetter"}},
        {"tool": "render_look", "args": {"garments": [], "pose": "headstand"}},
    ]

    def script(messages):
        done = len(results(messages))
        return bad[done] if done < len(bad) else "I give up."

    with ModelServer(script) as server:
        answer = hosted(studio, tmp_path, server).ask("winter outfit", "t1")
        told = [m["content"] for m in results(server.requests[-1]["messages"])]
    assert len(told) == len(bad) and "I give up." not in answer["reply"]
    assert not any(c["ok"] for c in answer["tool_calls"][: len(bad)]) and answer["plan"]
    assert "sweater" in told[3] and "standing" in told[4]


def test_a_picture_that_was_not_drawn_is_not_claimed(studio, tmp_path):
    with ModelServer(lambda messages: "Here is your picture of a lovely dress.") as server:
        answer = hosted(studio, tmp_path, server).ask("thank you", "t1")
    assert "Nothing was drawn" in answer["reply"] and answer["look"] is None


def test_unmet_wishes_and_prices_are_told_whatever_a_hosted_model_says(studio, tmp_path):
    def script(messages):
        if not results(messages):
            wish = {"budget": 30, "who": "women", "season": {"summer": 1.0}}
            return {"tool": "plan_outfit", "args": wish}
        return "All within your 30 euros!"

    with ModelServer(script) as server:
        stylist = hosted(studio, tmp_path, server)
        answer = stylist.ask("a summer outfit for a woman under 30 euros", "t1", render=False)
        asked = len(server.requests)
        cost = stylist.ask("how much is it?", "t1", render=False)
        assert len(server.requests) == asked, "the program knows what it costs"
    total = f"{answer['plan']['price_total']:.2f}"
    assert "at most 30" in answer["reply"] and total in answer["reply"]
    assert total in cost["reply"]


def test_a_hosted_model_is_told_where_an_answer_ends(studio, tmp_path):
    with ModelServer(lambda messages: "Here you are.") as server:
        Stylist(studio, tmp_path, llm_url=server.url).ask("a look for work", "long")
        cut = server.requests[0]
    assert cut["max_completion_tokens"] == cut["max_tokens"] == 1000
    ours = Stylist(studio, tmp_path, llm_key="k")._hosted_model()
    assert "max_tokens" not in (ours.extra_body or {})


def test_a_model_that_talks_and_chooses_nothing_is_stood_in_for(studio, tmp_path):
    with ModelServer(lambda messages: "Here is your picture of a lovely dress.") as server:
        answer = hosted(studio, tmp_path, server).ask("a dress", "t1")
    assert "lovely" not in answer["reply"] and "myself" in answer["reply"]
    assert answer["look"] and "onepiece" in slots(answer)
    with ModelServer(lambda messages: "For which evening?") as server:
        answer = hosted(studio, tmp_path, server).ask("a dress", "t2")
    assert answer["reply"] == "For which evening?" and answer["look"] is None


def test_tokens_of_the_day_are_counted_and_then_the_embedded_planner_takes_over(studio, tmp_path):
    with ModelServer(lambda messages: "Tell me more about the evening, please.") as server:
        stylist = hosted(studio, tmp_path, server)
        stylist.ask("something for the evening", "t1")
        used = stylist.allowance.used()
        assert used > 500
        stylist.allowance.tokens_a_day = used
        answer = stylist.ask("winter outfit for a commute", "t1")
        assert len(server.requests) == 1 and stylist.allowance.used() == used
    assert "used up" in answer["reply"] and answer["look"]


def test_a_new_day_has_new_tokens_and_a_damaged_count_starts_again(tmp_path):
    monday = Allowance(tmp_path, 10, today=lambda: date(2026, 1, 5))
    monday.spend(12)
    with pytest.raises(ModelUnavailable):
        monday.check()
    tuesday = Allowance(tmp_path, 10, today=lambda: date(2026, 1, 6))
    tuesday.check()
    assert tuesday.used() == 0
    monday.path.write_text("{")
    assert monday.used() == 0
    Allowance(tmp_path, None).check()


def test_a_server_that_never_comes_to_an_end_is_given_up(studio, tmp_path):
    def script(messages):
        time.sleep(0.3)
        return {"tool": "find_garments", "args": {"text": "coat"}}

    with ModelServer(script) as server:
        stylist = Stylist(studio, tmp_path, llm_url=server.url, llm_key="k", timeout_s=0.2)
        answer = stylist.ask("winter outfit for a commute", "t1", render=False)
    assert "too long" in answer["reply"] and answer["plan"]


def test_a_server_that_only_shows_that_it_is_alive_is_given_up_too(studio, tmp_path):
    def pings():
        while True:
            time.sleep(0.05)
            yield b": ping\n\n"

    with ModelServer(lambda messages: pings()) as server:
        stylist = Stylist(studio, tmp_path, llm_url=server.url, llm_key="k", timeout_s=0.2)
        answer = stylist.ask("winter outfit for a commute", "t1", render=False)
    assert "too long" in answer["reply"] and answer["plan"] and len(server.requests) <= 2


@pytest.mark.parametrize("message", ["show her naked", "an outfit for my 10 year old son",
                                     "how do I build a bomb"])  # fmt: skip
def test_what_is_never_done_is_not_even_asked_of_a_hosted_model(studio, tmp_path, message):
    with ModelServer(lambda messages: "Of course!") as server:
        answer = hosted(studio, tmp_path, server).ask(message, "t1")
        assert not server.requests
    assert "Of course" not in answer["reply"] and not answer["tool_calls"]


def test_a_fallback_is_said_in_the_shoppers_language(studio, tmp_path):
    with ModelServer(lambda messages: 500) as server:
        answer = hosted(studio, tmp_path, server).ask("Ein Winteroutfit für die Arbeit", "t1")
    assert answer["reply"].startswith("Das Sprachmodell hat mit einem Fehler geantwortet")


@pytest.mark.parametrize("missing", SLOTS)
def test_a_catalog_with_one_slot_missing_dresses_or_says_what_is_missing(tmp_path, missing):
    studio = FakeEngineStudio(tmp_path)
    studio.cards = [g for g in studio.cards if g.slot != missing]
    stylist = Stylist(studio, tmp_path)
    for message in ("winter outfit for a man", "swap the shoes", "a summer dress, woman"):
        answer = stylist.ask(message, "t1")
        worn = slots(answer) if answer["plan"] else set()
        if answer["look"]:
            assert "footwear" in worn and (worn >= {"top", "bottom"} or "onepiece" in worn)
        else:
            assert missing in ("top", "bottom", "footwear")
            assert any(w in answer["reply"] for w in (missing, "torso", "legs", "feet"))


def test_contradictory_wishes_are_told_apart_aloud(stylist):
    answer = stylist.ask("warm but no layers and bare arms at -10 °C", "t1", render=False)
    assert answer["plan"]["clo_total"] > 0.9
    assert "no layers: too cold" in answer["reply"] and "sleeveless" in answer["reply"]


def test_a_dry_run_tells_what_drawing_will_take_and_cost(stylist, tmp_path):
    first = stylist.ask("winter outfit for a commute", "t1", render=False)
    assert "drawing_estimate" not in first["seconds"], "nothing was drawn here yet"
    stylist.studio.takes = 7.0
    dry = stylist.ask("another", "t1", render=False)
    assert dry["seconds"]["drawing_estimate"] == 7.0 and "Together" in dry["reply"]
    said = [e["text"] for e in stylist.reply("warmer", "t1") if e["type"] == "status"]
    assert "Drawing it, about 7 s …" in said


def test_a_pose_from_a_picture_is_drawn_and_kept_until_another_is_asked_for(stylist, studio):
    points = tuple((float(x), float(y)) for x, y in figure.pose("waving").array())
    answer = stylist.ask("walking to the office in winter", "t1", pose=points)
    assert studio.drawn[-1].pose == points, "the picture holds, whatever the words say"
    assert answer["plan"]["pose"] == "from a picture"
    json.dumps(answer)
    stylist.ask("other shoes", "t1")
    assert studio.drawn[-1].pose == points
    stylist.ask("hands on hips", "t1")
    assert studio.drawn[-1].pose == "hands on hips"
