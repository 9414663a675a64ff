"""Threads: saved whole or not at all, damaged ones put aside, names checked, one turn at a time."""

import json
import threading

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
from catalog.errors import BadValue, Busy, Damaged
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
    for i in range(40):
        answer = stylist.ask(("warmer", "cooler", "another", "no hat")[i % 4], "t1", render=False)
        assert "error" not in answer
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
