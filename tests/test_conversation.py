"""Threads: saved whole or not at all, damaged ones put aside, names checked, one turn at a time."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fakes import FakeEngineStudio

from agent.conversation import (
    Conversations,
    check_message,
    check_thread,
    note,
    note_of,
    note_text,
    person_of,
)
from agent.stylist import Stylist
from catalog.errors import BadValue, Busy, Damaged, UnknownName
from tools.look import PersonSpec


@pytest.fixture
def stylist(tmp_path):
    return Stylist(FakeEngineStudio(tmp_path), tmp_path)


def test_a_thread_survives_a_restart(stylist, tmp_path):
    first = stylist.ask("winter outfit for a commute", "t1", render=False)
    again = Stylist(FakeEngineStudio(tmp_path), tmp_path).ask("why?", "t1", render=False)
    assert again["plan"] == first["plan"] and "clo" in again["reply"]


def test_people_differ_between_threads_and_stay_within_one(stylist):
    people = {json.dumps(person_of(f"thread-{i}"), sort_keys=True) for i in range(20)}
    assert len(people) == 20 and person_of("a") == person_of("a")
    for i in range(20):
        PersonSpec.model_validate(person_of(f"thread-{i}"))
    shown = [stylist.ask(m, "t1", render=False)["plan"]["person"]
             for m in ("summer beach outfit", "another", "make it more formal")]  # fmt: skip
    assert shown[0] == shown[1] == shown[2]


def test_a_man_asked_for_has_hair_that_is_usual_for_one(stylist):
    threads = {}
    for i in range(60):  # threads that begin with every kind of hair
        threads.setdefault(person_of(f"thread-{i}")["hair"], f"thread-{i}")
    assert {"bun", "long", "bob", "ponytail"} <= set(threads)
    for thread in threads.values():
        answer = stylist.ask("office outfit for a man", thread, render=False)
        assert answer["plan"]["person"]["hair"] in ("short", "curly", "afro", "buzz")


def test_the_person_can_be_chosen(stylist):
    answer = stylist.ask("office outfit for a woman with curly red hair", "t1", render=False)
    person = answer["plan"]["person"]
    assert (person["presentation"], person["hair"], person["hair_color"]) == (
        "woman", "curly", "red",
    )  # fmt: skip
    later = stylist.ask("warmer", "t1", render=False)
    assert later["plan"]["person"] == person


def test_a_damaged_thread_is_kept_aside_and_the_talk_goes_on(stylist, tmp_path):
    stylist.ask("winter outfit for a commute", "t1", render=False)
    path = tmp_path / "threads" / "t1.json"
    for junk in (path.read_bytes()[:50], b"", b"[1, 2]", b"\xff\x00", b'{"version": 1}'):
        path.write_bytes(junk)
        answer = stylist.ask("summer beach outfit", "t1", render=False)
        assert "could not be read" in answer["reply"] and "error" not in answer
        assert answer["plan"]["occasion"] == "beach"
        assert path.with_suffix(".json.damaged").read_bytes() == junk
    with pytest.raises(Damaged):
        path.write_bytes(b"{")
        Conversations(tmp_path).load("t1")


def test_a_turn_killed_in_the_middle_leaves_the_thread_as_it_was(stylist, tmp_path):
    first = stylist.ask("winter outfit for a commute", "t1")
    before = (tmp_path / "threads" / "t1.json").read_bytes()
    turn = stylist.reply("another", "t1")
    for event in turn:
        if event["type"] == "progress":
            break
    turn.close()
    assert (tmp_path / "threads" / "t1.json").read_bytes() == before
    assert stylist.ask("why?", "t1")["plan"] == first["plan"]
    assert not list((tmp_path / "threads").glob("*.tmp"))


def test_cancel_ends_the_turn_with_an_error_and_changes_nothing(stylist, tmp_path):
    first = stylist.ask("winter outfit for a commute", "t1")
    cancel = threading.Event()
    cancel.set()
    answer = stylist.ask("no scarf", "t1", cancel=cancel, render=True)
    assert answer["error"]["type"] == "Cancelled" and answer["look"] is None
    assert answer["plan"] == first["plan"]
    assert "error" not in stylist.ask("no scarf", "t1")


def test_a_second_message_to_a_busy_thread_is_told_so(stylist, tmp_path):
    turn = stylist.reply("winter outfit", "t1")
    next(turn)
    next(turn)
    answer = Stylist(FakeEngineStudio(tmp_path), tmp_path).ask("summer outfit", "t1")
    assert answer["error"]["type"] == Busy.__name__
    turn.close()
    assert "error" not in stylist.ask("summer outfit", "t1")


def test_two_hundred_turns_stay_quick_and_small(stylist, tmp_path):
    stylist.ask("winter outfit for a man, I hate yellow", "t1", render=False)
    saved = stylist.conversations.load("t1")
    saved.turns = [*saved.turns, *saved.turns[-1:] * 190]
    saved.moments = saved.moments * 40
    stylist.conversations.save(saved)
    for i in range(20):
        answer = stylist.ask(("warmer", "cooler", "another", "no hat")[i % 4], "t1", render=False)
        assert "error" not in answer
        assert "yellow" not in {g["color"] for g in answer["plan"]["garments"]}
        assert all(g["id"] for g in answer["plan"]["garments"])
    assert len(stylist.conversations.load("t1").turns) == 200
    assert (tmp_path / "threads" / "t1.json").stat().st_size < 1_000_000


def test_messages_and_names_are_checked():
    assert check_message("hello 👗") == "hello 👗"
    for bad in ("", "\n", "a\x00", "\udc00", "y" * 8001, None, 3):
        with pytest.raises(BadValue):
            check_message(bad)
    assert check_thread("Ann.2-x_1") == "Ann.2-x_1"
    assert check_thread(None) != check_thread(None)
    for bad in ("", ".", "..", "a b", "é", "a" * 65, "-x", "a\n"):
        with pytest.raises(BadValue):
            check_thread(bad)


def test_the_note_travels_inside_a_system_message(tmp_path):
    state = note(Conversations(tmp_path).fresh("t1"), True)
    assert note_of("You are a stylist.\n\n" + note_text(state)) == state
    assert note_of("no note here") == {} and note_of("```json\n{oops}\n```") == {}


def test_a_thread_can_be_deleted(stylist, tmp_path):
    stylist.ask("winter outfit", "t1", render=False)
    assert stylist.conversations.delete("t1") and not stylist.conversations.delete("t1")
    assert stylist.ask("why?", "t1", render=False)["plan"] is None


def test_a_thread_of_somebody_else_is_not_there(stylist, tmp_path):
    first = stylist.ask("winter outfit for a commute", "t1", owner="ann", render=False)
    before = (tmp_path / "threads" / "t1.json").read_bytes()
    other = stylist.ask("why?", "t1", owner="ben", render=False)
    assert other["error"]["type"] == "UnknownName" and other["plan"] is None
    for forbidden in (stylist.conversations.export, stylist.conversations.delete, stylist.delete):
        with pytest.raises(UnknownName):
            forbidden("t1", "ben")
    assert (tmp_path / "threads" / "t1.json").read_bytes() == before
    assert stylist.ask("why?", "t1", owner="ann", render=False)["plan"] == first["plan"]
    assert [t.id for t in stylist.conversations.mine("ann")] == ["t1"]
    assert stylist.conversations.mine("ben") == []


def test_a_thread_of_nobody_is_had_by_who_goes_on_with_it(stylist):
    stylist.ask("winter outfit", "t1", render=False)
    assert "error" not in stylist.ask("warmer", "t1", owner="ann", render=False)
    assert stylist.ask("warmer", "t1", owner="ben", render=False)["error"]


def test_an_export_holds_everything_said_and_worn(stylist):
    stylist.ask("I hate yellow. Winter outfit for a woman", "t1", owner="ann", render=False)
    kept = stylist.conversations.export("t1", "ann")
    assert kept["turns"][0]["user"].startswith("I hate yellow")
    assert kept["moments"][0]["wish"]["avoid"][0]["colors"] == ["yellow", "mustard"]
    assert kept["person"] and json.dumps(kept)
    with pytest.raises(UnknownName, match="t2"):
        stylist.conversations.export("t2", "ann")


def test_deleting_a_thread_deletes_its_looks_and_no_others(stylist, tmp_path):
    mine = stylist.ask("winter outfit", "t1", owner="ann")
    other = stylist.ask("winter outfit", "t2", owner="ann")
    assert stylist.delete("t1", "ann") == 1
    assert not (tmp_path / "looks" / mine["look"]["id"]).exists()
    assert (tmp_path / "looks" / other["look"]["id"]).exists()
    assert [t.id for t in stylist.conversations.mine("ann")] == ["t2"]
    with pytest.raises(UnknownName):
        stylist.delete("t1", "ann")


def test_two_tabs_on_one_thread_lose_no_turn(tmp_path):
    tabs = [Stylist(FakeEngineStudio(tmp_path), tmp_path) for _ in range(2)]
    tabs[0].ask("winter outfit for a commute", "t1", render=False)
    answers: list[dict] = []

    def talk(tab, words):
        answers.extend(tab.ask(w, "t1", render=False) for w in words)

    at_once = [
        threading.Thread(target=talk, args=(tab, words))
        for tab, words in zip(tabs, (["warmer"] * 6, ["no hat", "another"] * 3), strict=True)
    ]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    answered = [a for a in answers if "error" not in a]
    assert all(a["error"]["type"] == Busy.__name__ for a in answers if "error" in a)
    saved = Conversations(tmp_path).load("t1")
    assert len(saved.turns) == 1 + len(answered) >= 7
    assert "error" not in tabs[1].ask("why?", "t1", render=False)


_KILLED = """
import os, sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from fakes import FakeEngineStudio
from agent.stylist import Stylist
home = Path({home!r})
for event in Stylist(FakeEngineStudio(home), home).reply("another", "t1"):
    if event["type"] == "progress":
        os.kill(os.getpid(), 9)
"""


def test_a_process_killed_in_the_middle_of_a_turn_leaves_a_usable_thread(stylist, tmp_path):
    first = stylist.ask("winter outfit for a commute", "t1", render=False)
    before = (tmp_path / "threads" / "t1.json").read_bytes()
    tests = Path(__file__).parent
    script = _KILLED.format(root=str(tests.parent), tests=str(tests), home=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert (tmp_path / "threads" / "t1.json").read_bytes() == before
    again = stylist.ask("why?", "t1", render=False)
    assert again["plan"] == first["plan"] and "error" not in again
    assert not list((tmp_path / "threads").glob("*.tmp"))


def test_undo_goes_on_from_the_pose_and_scene_of_the_look_it_came_back_to(stylist):
    stylist.ask("office outfit, hands on hips, in a cafe", "t1")
    stylist.ask("in a park, walking", "t1")
    back = stylist.ask("undo", "t1")
    assert (back["plan"]["pose"], back["plan"]["scene"]) == ("hands on hips", "cafe")
    after = stylist.ask("make it more formal", "t1")
    assert (after["plan"]["pose"], after["plan"]["scene"]) == ("hands on hips", "cafe")
    stylist.undo("t1", steps=0)
    later = stylist.ask("more casual", "t1")
    assert (later["plan"]["pose"], later["plan"]["scene"]) == ("hands on hips", "cafe")
