"""What a terminal shows: answers, errors, progress; and Ctrl-C, which stops the work cleanly."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


class Progress:
    """One line that updates on a terminal, plain lines elsewhere."""

    def __init__(self, out: IO[str]) -> None:
        self.out = out
        self.live = out.isatty()
        self.said = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.live and self.said:
            self.out.write("\r\x1b[K")
            self.out.flush()

    def event(self, event: dict[str, Any]) -> None:
        """Show one event of ``Stylist.reply``."""
        if event["type"] == "status":
            self.say(event["text"])
        elif event["type"] == "progress":
            self.work(event)

    def work(self, event: Any, step: int | None = None, steps: int | None = None) -> None:
        """Show work: a Progress, an event, a text, or a stage with its step and steps."""
        if isinstance(event, dict):
            stage, step, steps = event["stage"], event["step"], event["steps"]
        elif isinstance(event, str):
            stage = event
        else:
            stage, step, steps = event.stage, event.step, event.steps
        if not steps or step is None:
            self.say(str(stage))
        elif self.live:
            done = round(24 * step / steps)
            self.say(f"{stage:<10} {'━' * done}{'─' * (24 - done)} {step}/{steps}")
        elif step == steps:
            self.say(f"{stage} {step}/{steps}")

    def say(self, text: str) -> None:
        text = " ".join(text.split())[: shutil.get_terminal_size().columns - 1]
        if text == self.said:
            return
        self.said = text
        self.out.write(f"\r\x1b[K{text}" if self.live else f"{text}\n")
        self.out.flush()


def print_answer(answer: dict[str, Any]) -> None:
    print(answer["reply"])
    plan, look = answer.get("plan"), answer.get("look")
    if plan:
        print()
        for g in plan["garments"]:
            print(f"  {g['slot']:<10} {g['name']:<34} {g['price']:>7.0f}   {g['why']}")
        total = f"{plan['price_total']:.0f}, warmth {plan['clo_total']:.2f} clo"
        print(f"  {'together':<10} {'':<34} {total}")
    print()
    if look:
        print(f"Picture: {look['image']}")
        print(f"Receipt: {look['receipt']}")
    takes = answer["seconds"].get("drawing_estimate")
    if plan and takes:
        print(f"Drawing it takes about {max(takes, 1):.0f} s here.")
    if plan:
        print(f'Go on:   {command_name()} look --thread {answer["thread"]} "swap the shoes"')
        print(f"Or:      {command_name()} chat")


def command_name() -> str:
    """How this program is called from here."""
    called = Path(sys.argv[0])
    found = shutil.which("stylist")
    if found and Path(found).resolve() == called.resolve():
        return "stylist"
    try:
        return str(called.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(called)


def plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, allow_nan=False), flush=True)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def say_error(error: dict[str, str]) -> None:
    say(error["message"])
    if error.get("hint"):
        say(error["hint"])


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """A flag that the first Ctrl-C sets; the second one interrupts at once."""
    cancel = threading.Event()

    def stop(signum: int, frame: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        say("\nStopping …")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)


def plain_streams() -> None:
    """UTF-8 out, whatever the locale; what has no UTF-8 form is escaped as JSON escapes it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
