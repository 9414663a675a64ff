"""stylist thread: list | export | delete, for the conversations of the user of this machine."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ui.settings import Settings
from ui.terminal import command_name, plain, print_json, say

if TYPE_CHECKING:
    from agent.conversation import Conversations
    from agent.stylist import Stylist


def owner() -> str:
    """Whose conversations the command line opens: those of the user of the machine."""
    return f"user:{getpass.getuser()}"


def add_commands(
    commands: Any, command: Callable[..., Any], stylist: Callable[[Settings], Stylist]
) -> None:
    """Register the commands; ``stylist`` builds what deleting needs."""

    def delete(args: argparse.Namespace, settings: Settings) -> int:
        looks = stylist(settings).delete(args.id, owner())
        if args.json:
            print_json({"thread": args.id, "looks": looks})
        else:
            print(f"Deleted {args.id} and its {looks} looks.")
        return 0

    thread = commands.add_parser("thread", help="Your conversations.")
    parts = thread.add_subparsers(metavar="COMMAND", required=True)
    for name, run, about in (
        ("list", _list, "Your conversations, the one used last first."),
        ("export", _export, "Everything kept about one, as JSON."),
        ("delete", delete, "Forget one, and every look drawn in it."),
    ):
        part = command(parts, name, run, about)
        part.add_argument("--json", action="store_true", help="print JSON")
        if name != "list":
            part.add_argument("id", metavar="ID", help="as shown by `stylist thread list`")


def _list(args: argparse.Namespace, settings: Settings) -> int:
    mine = _conversations(settings).mine(owner())
    if args.json:
        print_json([{"id": t.id, "turns": len(t.turns)} for t in mine])
        return 0
    for thread in mine:
        last = plain(thread.turns[-1].user[:60]) if thread.turns else ""
        print(f"{thread.id:<28} {len(thread.turns):>4} turns  {last}")
    say(f"{len(mine)} conversations. Go on with one: {command_name()} look REQUEST --thread ID")
    return 0


def _export(args: argparse.Namespace, settings: Settings) -> int:
    print_json(_conversations(settings).export(args.id, owner()))
    return 0


def _conversations(settings: Settings) -> Conversations:
    from agent.conversation import Conversations

    return Conversations(settings.home)
