"""`stylist`: look, touch, undo, segment, pose, chat, catalog, season, job, replay, mcp …

Standard output carries the answer; JSON only when JSON is asked for, and then nothing else.
Progress and errors go to standard error. Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from catalog.errors import BadValue, Cancelled, StylistError
from ui import agents, pose, threads, touch
from ui.garment_commands import add_catalog_commands, add_job_commands, add_season_commands
from ui.settings import Settings, quieten, read_settings
from ui.terminal import (
    Progress,
    plain,
    plain_streams,
    print_answer,
    print_json,
    say,
    say_error,
    stoppable,
)

if TYPE_CHECKING:
    from agent.stylist import Stylist
    from catalog.index import Catalog
    from tools.studio import Studio

LINE_LIMIT = 4 << 20
"""Bytes of one --jsonl line; a longer one is answered with an error."""
EXAMPLE = 'stylist look "winter outfit for a commute"'


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 an error that was said, 2 usage, 130 stopped."""
    plain_streams()
    args = _parser().parse_args(argv)
    as_json = bool(getattr(args, "json", False))
    try:
        settings = read_settings()
        _keep_bytecode(settings)
        quieten(settings)
        return int(args.run(args, settings))
    except StylistError as error:
        return _fail(error, as_json)
    except KeyboardInterrupt:
        return _fail(Cancelled("Stopped."), as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        failure = _unexpected(error)
        if as_json:
            print_json({"error": failure})
        else:
            say_error(failure)
        return 1


# --- commands -------------------------------------------------------------------------------


def _look(args: argparse.Namespace, settings: Settings) -> int:
    if args.jsonl:
        others = (args.request, args.thread, args.pose_from, args.edges_from)
        if any(x is not None for x in others) or args.draft:
            raise BadValue(
                "--jsonl reads requests and threads from standard input, and draws finals only.",
                'Give each line as {"thread": …, "message": …, "render": true}.',
            )
        return _look_lines(settings, sys.stdin.buffer, render=not args.no_render)
    if args.request is None:
        raise BadValue("Say what the outfit is for.", f"For example: {EXAMPLE}")
    answer: dict[str, Any] | None = None
    points = None if args.pose_from is None else pose.points_of(args.pose_from)
    edges = None if args.edges_from is None else pose.edges_of(args.edges_from)
    stylist = _stylist(settings)
    with stoppable() as cancel, Progress(sys.stderr) as progress:
        for event in stylist.reply(
            args.request,
            args.thread,
            owner=threads.owner(),
            render=not args.no_render,
            pose=points,
            edges=edges,
            cancel=cancel,
            quality="draft" if args.draft else "final",
        ):
            progress.event(event)
            if event["type"] == "answer":
                answer = event["answer"]
    if answer is None:
        raise Cancelled("Stopped.")
    error = answer.get("error")
    if args.json:
        print_json(answer)
    elif error:
        say_error(error)
    else:
        print_answer(answer)
    return 0 if not error else 130 if error["type"] == "Cancelled" else 1


def _look_lines(settings: Settings, lines: IO[bytes], render: bool) -> int:
    """``render``: whether a line that does not say it is drawn."""
    stylist = _stylist(settings)
    while line := lines.readline(LINE_LIMIT):
        if len(line) == LINE_LIMIT and not line.endswith(b"\n"):
            while (rest := lines.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
                pass
            line = b""
        elif not line.strip():
            continue
        with stoppable() as cancel:
            answer: dict[str, Any] = {
                "thread": None,
                "reply": "",
                "error": None,
                "plan": None,
                "look": None,
                "tool_calls": [],
                "seconds": {},
            }
            try:
                asked = _read_line(line)
                answer["thread"] = asked.get("thread")
                answer = stylist.ask(
                    asked["message"],
                    asked.get("thread"),
                    owner=threads.owner(),
                    render=asked.get("render", render),
                    cancel=cancel,
                )
            except StylistError as error:
                answer["error"] = error.as_dict()
            except Exception as error:  # one bad turn must not end the others
                answer["error"] = _unexpected(error)
        print_json(answer)
        if cancel.is_set():
            return 130
    return 0


def _read_line(line: bytes) -> dict[str, Any]:
    hint = 'Send one object a line: {"thread": "…" or null, "message": "…", "render": true}.'
    if not line:
        raise BadValue(f"A line is longer than {LINE_LIMIT >> 20} MB.", hint)
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise BadValue("A line is not JSON.", hint) from None
    if not isinstance(asked, dict) or set(asked) - {"thread", "message", "render"}:
        raise BadValue("A line holds something other than thread, message and render.", hint)
    if not isinstance(asked.get("message"), str):
        raise BadValue("A line has no message text.", hint)
    if not isinstance(asked.get("thread"), str | None):
        raise BadValue("A line's thread is not a text.", hint)
    if not isinstance(asked.get("render", True), bool):
        raise BadValue("A line's render is neither true nor false.", hint)
    return asked


def _chat(args: argparse.Namespace, settings: Settings) -> int:
    from dataclasses import replace

    if args.port is not None and not 1 <= args.port <= 65535:
        raise BadValue(f"There is no port {args.port}.", "Give a number from 1 to 65535.")
    settings = replace(settings, host=args.host or settings.host, port=args.port or settings.port)
    say("Opening the page …")
    from ui.chat import serve

    serve(_stylist(settings), settings, say)
    return 0


def _catalog_list(args: argparse.Namespace, settings: Settings) -> int:
    cards = _catalog(settings).all()
    if args.json:
        print_json([card.model_dump(mode="json") for card in cards])
        return 0
    for card in cards:
        kind = f"{card.color} {card.category}"
        price = f"{card.price:.0f} {card.currency}"
        why = ", ".join(f for f in card.flags if f != "overcooked")
        sold = "" if card.available else f"  not offered: {why}" if why else "  sold out"
        print(f"{card.id:<28} {kind:<26} {', '.join(card.seasons):<30} {price:>9}{sold}")
    say(f"{len(cards)} garments. More about one: stylist catalog show ID")
    return 0


def _catalog_show(args: argparse.Namespace, settings: Settings) -> int:
    catalog = _catalog(settings)
    card = catalog.get(args.id)
    if args.json:
        print_json(card.model_dump(mode="json"))
        return 0
    print(card.name)
    for name, value in card.model_dump(mode="json", exclude={"name"}).items():
        if isinstance(value, dict):
            value = ", ".join(f"{k} {plain(v)}" for k, v in value.items() if v not in ("", None))
        if value not in ("", [], None):
            print(f"  {name:<12} {plain(value)}")
    print(f"  {'photos':<12} {catalog.photos(card.id)[0].parent}")
    return 0


def _catalog_like(args: argparse.Namespace, settings: Settings) -> int:
    try:
        photo = Path(args.photo).read_bytes()
    except OSError as error:
        raise BadValue(
            f"The photo cannot be read ({error.strerror or 'input error'}).", "Give its path."
        ) from error
    with Progress(sys.stderr) as progress:
        found = _catalog(settings).find_like(photo, progress=progress.work)
    if args.json:
        print_json([{"id": card.id, "name": card.name, "likeness": near} for card, near in found])
        return 0
    for card, near in found:
        print(f"{card.id:<28} {card.color} {card.category:<22} {near:5.2f}")
    return 0


def _catalog_train(args: argparse.Namespace, settings: Settings) -> int:
    from catalog.garment import SEASONS

    catalog = _catalog(settings)
    if args.id not in SEASONS:
        catalog.get(args.id)

    from catalog.base import device_for, load_base
    from catalog.train_lora import season_file, train_garment

    say(f"Loading the {settings.base} base")
    base = load_base(settings.base, device_for(settings.base), settings.models)
    with stoppable() as cancel, Progress(sys.stderr) as progress:

        def stepped(step: int, steps: int, loss: float) -> None:
            progress.work(f"training, loss {loss:.3f}", step, steps)

        if args.id in SEASONS:
            data = season_file(args.id, base, progress=stepped, cancel=cancel)
            sha256 = catalog.replace_season_lora(args.id, data)
        else:
            sha256 = train_garment(
                catalog, args.id, base=base, progress=stepped, cancel=cancel
            ).lora_sha256
    if args.json:
        print_json({"id": args.id, "lora_sha256": sha256})
    else:
        print(f"Trained {args.id}: LoRA {sha256[:12]}. New looks are drawn with it.")
    return 0


def _catalog_remove(args: argparse.Namespace, settings: Settings) -> int:
    _catalog(settings).remove(args.id)
    if args.json:
        print_json({"id": args.id})
    else:
        print(
            f"{args.id} is out of the catalog. Looks it was drawn in stay, but cannot be redrawn."
        )
    return 0


def _catalog_rebuild(args: argparse.Namespace, settings: Settings) -> int:
    with Progress(sys.stderr) as progress:
        count = _catalog(settings).rebuild(progress=progress.work)
    if args.json:
        print_json({"garments": count})
    else:
        print(f"The index knows {count} garments.")
    return 0


def _catalog_words(args: argparse.Namespace, settings: Settings) -> int:
    from ui.words import words

    known = words(_catalog(settings))
    if args.json:
        print_json(known)
    else:
        for kind, values in known.items():
            print(f"{kind}: {', '.join(values)}")
    return 0


def _replay(args: argparse.Namespace, settings: Settings) -> int:
    studio = _studio(settings)
    result = studio.replay(Path(args.receipt))
    if args.json:
        print_json(
            {
                "same": result.same,
                "max_difference": result.max_difference,
                "message": result.message,
                "image": result.image,
            }
        )
    else:
        print(result.message)
        print(f"Picture: {result.image}")
    return 0 if result.same else 1


def _doctor(args: argparse.Namespace, settings: Settings) -> int:
    from ui.doctor import examine

    failed, report = False, []
    for check in examine(settings):
        failed |= not check.ok
        report.append(check)
        if not args.json:
            print(f"{'ok  ' if check.ok else 'FAIL'} {check.name:<16} {check.found}")
            if not check.ok:
                print(f"     {'':<16} Fix: {check.fix}")
    if args.json:
        print_json(
            {"ok": not failed, "checks": [{**vars(c), "fix": c.fix or None} for c in report]}
        )
    return 1 if failed else 0


# --- arguments ------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stylist",
        description="A stylist to talk to: plans outfits from a catalog and draws them.",
        epilog=f"Start with: {EXAMPLE}",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        to: Any, name: str, run: Callable[[argparse.Namespace, Settings], int], about: str
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = to.add_parser(name, help=about, description=about)
        made.set_defaults(run=run)
        return made

    look = command(commands, "look", _look, "Plan an outfit and draw it.")
    look.add_argument("request", nargs="?", help='what it is for: "winter outfit for a commute"')
    look.add_argument("--thread", metavar="T", help="go on with this conversation")
    look.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    look.add_argument(
        "--pose-from", type=Path, metavar="PHOTO", help="stand as the person in this picture does"
    )
    look.add_argument(
        "--edges-from", type=Path, metavar="PICTURE", help="follow the lines of this picture too"
    )
    look.add_argument("--draft", action="store_true", help="draw in a third of the time")
    look.add_argument("--no-render", action="store_true", help="plan only, draw nothing")
    look.add_argument(
        "--jsonl", action="store_true", help="one JSON request a line in, one JSON answer out"
    )

    chat = command(commands, "chat", _chat, "Open the chat page.")
    chat.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    chat.add_argument("--port", type=int, help="port to listen on (default 7860)")

    catalog = commands.add_parser("catalog", help="What can be worn.")
    parts = catalog.add_subparsers(metavar="COMMAND", required=True)
    for name, run, about in (
        ("list", _catalog_list, "Every garment on one line."),
        ("show", _catalog_show, "Everything on one garment's card."),
        ("like", _catalog_like, "The garments that look like the one in a photo."),
        ("train", _catalog_train, "Train a garment's LoRA again from its photos, or a season's."),
        ("remove", _catalog_remove, "Take a garment out of the catalog."),
        ("rebuild", _catalog_rebuild, "Build the search index from the garment folders."),
        ("words", _catalog_words, "Every word that colour, pattern, pose … can take."),
    ):
        part = command(parts, name, run, about)
        part.add_argument("--json", action="store_true", help="print JSON")
        if name == "like":
            part.add_argument(
                "photo", metavar="PHOTO", help="a PNG, JPEG or WebP file of one garment"
            )
        if name in ("show", "train", "remove"):
            part.add_argument("id", metavar="ID", help="as shown by `stylist catalog list`")
    add_catalog_commands(parts, command)
    add_season_commands(commands, command)
    add_job_commands(commands, command)

    threads.add_commands(commands, command, _stylist)
    touch.add_commands(commands, command, _stylist)
    pose.add_commands(commands, command)

    replay = command(commands, "replay", _replay, "Draw a look again and compare the pixels.")
    replay.add_argument("receipt", metavar="RECEIPT", help="a look's receipt.json")
    replay.add_argument("--json", action="store_true", help="print JSON")

    agents.add_commands(commands, command)

    doctor = command(commands, "doctor", _doctor, "Check this machine; every failure has a fix.")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _fail(error: StylistError, as_json: bool) -> int:
    if as_json:
        print_json({"error": error.as_dict()})
    else:
        say_error(error.as_dict())
    return 130 if isinstance(error, Cancelled) else 1


def _unexpected(error: Exception) -> dict[str, str]:
    traceback.print_exception(error)
    return {
        "type": "Unexpected",
        "message": "Something went wrong inside the program.",
        "hint": "Nothing was changed. Run `stylist doctor`; if it finds nothing, report this.",
    }


# --- the process ----------------------------------------------------------------------------


def _stylist(settings: Settings) -> Stylist:
    from agent.stylist import Stylist

    return Stylist(
        _studio(settings),
        settings.home,
        llm_url=settings.llm_url,
        llm_key=settings.llm_key,
        llm_model=settings.llm_model,
        tokens_a_day=settings.llm_tokens,
    )


def _studio(settings: Settings) -> Studio:
    from tools.studio import Studio

    return Studio(
        settings.home,
        base=settings.base,
        threads=settings.threads,
        models=settings.models,
        sam=settings.sam,
    )


def _catalog(settings: Settings) -> Catalog:
    from catalog.index import Catalog

    with Progress(sys.stderr) as progress:
        return Catalog(settings.home, progress=progress.work)


def _keep_bytecode(settings: Settings) -> None:
    """Where Python may not write beside its files, keep bytecode in our folder instead.

    Without any, each start would compile the libraries anew: half a minute for the page.
    """
    if sys.dont_write_bytecode and sys.pycache_prefix is None:
        sys.pycache_prefix = str(settings.home / "cache" / "bytecode")
        sys.dont_write_bytecode = False


if __name__ == "__main__":
    sys.exit(main())
