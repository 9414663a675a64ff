"""stylist touch | undo | segment: a part of a look drawn again, taken back, or only found."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import BadValue, clip
from ui import threads
from ui.settings import Settings
from ui.terminal import Progress, command_name, print_json, stoppable

if TYPE_CHECKING:
    import numpy as np

    from agent.stylist import Stylist
    from tools.studio import Studio

LARGEST_FILE = 32 << 20
"""Bytes of a mask or photo file."""
_LOOK = re.compile(r"look-[0-9a-f]{16}")


def add_commands(
    commands: Any, command: Callable[..., Any], stylist: Callable[[Settings], Stylist]
) -> None:
    """Register the commands; ``stylist`` builds what draws and keeps the threads."""

    def touch(args: argparse.Namespace, settings: Settings) -> int:
        from tools.touch_up import require_look

        asked = {
            "garment": args.garment, "points": _points(args.points), "box": _box(args.box),
            "mask": None if args.mask is None else _picture(args.mask, "mask"),
            "candidate": args.candidate, "inverted": args.inverted, "swap": args.swap,
            "color": args.color, "sleeves": args.sleeves, "length": args.length,
            "strength": args.strength, "content": args.content, "feather": args.feather,
            "padding": args.padding, "reshape": args.reshape or (),
        }  # fmt: skip
        require_look("photo-" if Path(args.look).is_file() else args.look, settings.base)
        work = stylist(settings)
        if args.say is not None:
            asked |= _said(work.studio, args.look, args.say, asked)
        with Progress(sys.stderr) as progress, stoppable() as cancel:
            look = work.touch_up(
                args.look, threads.owner(), progress=progress.work, cancel=cancel, **asked
            )
        if args.json:
            print_json({"id": look.id, "image": look.image, "receipt": look.receipt_file,
                        "parent": look.receipt.parent, "thread": look.receipt.thread,
                        "garments": [w.model_dump(exclude_none=True)
                                     for w in look.receipt.plan.garments],
                        "seconds": look.seconds})  # fmt: skip
        else:
            print(f"Picture: {look.image}")
            print(f"Receipt: {look.receipt_file}")
            again = f"{command_name()} touch {look.id} --garment …"
            print(f"Go on:   {again} (or back to {args.look})")
        return 0

    def undo(args: argparse.Namespace, settings: Settings) -> int:
        steps = -args.steps if args.redo else args.steps
        now = stylist(settings).undo(args.thread, threads.owner(), steps)
        if args.json:
            print_json(now)
        else:
            names = ", ".join(g["name"] for g in now["plan"]["garments"])
            print(f"{'Forward' if args.redo else 'Back'} to: {names}.")
            print(f"Picture: {now['look']['image'] if now['look'] else 'not drawn'}")
        return 0

    def segment(args: argparse.Namespace, settings: Settings) -> int:
        from tools.mask import reshaped
        from tools.segment import EMBEDDED

        studio = stylist(settings).studio
        if _LOOK.fullmatch(args.picture):
            picture = {"look": args.picture}
        else:
            picture = {"photo": studio.upload_photo(_bytes(Path(args.picture), "photo")).id}
        found = studio.segment(
            **picture, garment=args.garment, points=_points(args.points), box=_box(args.box)
        )
        mask = reshaped(found.candidate(args.candidate), args.reshape or ())
        if args.out is not None:
            _write(args.out, mask)
        facts = found.facts()
        if args.json:
            print_json({**facts, "candidate": args.candidate,
                        "mask": None if args.out is None else str(args.out)})  # fmt: skip
            return 0
        print(f"Model:   {found.model}")
        if found.garment is not None:
            print(f"Garment: {found.garment}")
        for number, one in enumerate(facts["candidates"]):
            chosen = "*" if number == args.candidate else " "
            print(f"{chosen} {number}  score {one['score']:.2f}  {one['share']:6.1%} of the picture"
                  f"  box {one['box']}")  # fmt: skip
        print(f"Mask:    {args.out or 'not written; give --out FILE'}")
        if "photo" in picture and found.model == EMBEDDED:
            print("Photos:  the croquis SAM learned from drawings and is unsure of photos; an "
                  "official checkpoint is set by STYLIST_SAM.")  # fmt: skip
        if "photo" in picture:
            print("Repaint: looks only; a photo needs the sd15 base.")
        return 0

    part = command(commands, "touch", touch, "Draw one part of a look again, and nothing else.")
    part.add_argument("look", metavar="LOOK", help="a look's id")
    _add_where(part)
    part.add_argument("--mask", type=Path, metavar="FILE", help="a picture, white where to repaint")
    part.add_argument("--inverted", action="store_true", help="repaint all but the marked part")
    part.add_argument("--say", metavar="WORDS", help="what changes: “in red”, “shorter sleeves”")
    part.add_argument("--swap", metavar="ID", help="wear this garment of the same slot instead")
    part.add_argument("--color", metavar="WORD", help="in this colour")
    part.add_argument("--sleeves", metavar="WORD",
                      help="none, short, elbow, long, shorter or longer")  # fmt: skip
    part.add_argument("--length", metavar="WORD",
                      help="crop, hip, thigh, knee, calf, ankle, shorter or longer")  # fmt: skip
    part.add_argument(
        "--strength", type=float, metavar="0–1",
        help="how much of what it begins from is forgotten (1; a colour alone 0.88, fill 0.75)",
    )  # fmt: skip
    part.add_argument("--content", choices=("original", "noise", "fill"), default="original",
                      help="what drawing begins from: what is there, noise, or its surroundings"
                      )  # fmt: skip
    part.add_argument("--feather", type=int, default=6, metavar="0–64",
                      help="pixels outside the mask over which new and old are blended (6)"
                      )  # fmt: skip
    part.add_argument("--padding", type=int, metavar="0–256",
                      help="draw the part alone, enlarged, with so many pixels around it"
                      )  # fmt: skip
    part.add_argument("--json", action="store_true", help="print JSON")

    part = command(commands, "undo", undo, "Take the last change of a conversation back.")
    part.add_argument("thread", metavar="THREAD", help="as shown by `stylist thread list`")
    part.add_argument("--steps", type=int, choices=range(1, 41), default=1, metavar="N",
                      help="how many changes (1)")  # fmt: skip
    part.add_argument("--redo", action="store_true", help="forward again instead")
    part.add_argument("--json", action="store_true", help="print JSON")

    part = command(commands, "segment", segment, "Find a part of a photo or look; change nothing.")
    part.add_argument("picture", metavar="PHOTO", help="a PNG, JPEG or WebP file, or a look's id")
    _add_where(part)
    part.add_argument("--out", type=Path, metavar="FILE", help="write the mask, a PNG file")
    part.add_argument("--json", action="store_true", help="print JSON")


def _add_where(part: argparse.ArgumentParser) -> None:
    part.add_argument("--garment", metavar="G", help="which garment: its id, kind or slot")
    part.add_argument("--points", nargs="*", metavar="X,Y,±",
                      help="clicks, in the picture's pixels: + adds, - takes away")  # fmt: skip
    part.add_argument("--box", metavar="X0,Y0,X1,Y1", help="left, top, right, bottom")
    part.add_argument("--reshape", nargs="+", metavar="HOW",
                      help="change the mask first: grow:8 shrink:8 fill largest invert, in order"
                      )  # fmt: skip
    part.add_argument("--candidate", type=int, default=0, metavar="0–2",
                      help="which of the answers to a click")  # fmt: skip


def _points(given: Sequence[str] | None) -> tuple[tuple[float, float, bool], ...]:
    """Clicks as they are typed: ``120,300,+``; the sign may be left out."""
    if given is not None and not given:
        raise BadValue("No clicks are given.", "Write x,y,+ to add or x,y,- to take away.")
    points = []
    for text in given or ():
        x, _, rest = text.partition(",")
        y, _, sign = rest.partition(",")
        try:
            points.append((float(x), float(y), {"": True, "+": True, "-": False}[sign]))
        except (ValueError, KeyError):
            raise BadValue(
                f"“{clip(text)}” is no click.", "Write x,y,+ to add or x,y,- to take away."
            ) from None
    return tuple(points)


def _box(given: str | None) -> tuple[float, float, float, float] | None:
    if given is None:
        return None
    try:
        x0, y0, x1, y1 = (float(n) for n in given.split(","))
    except ValueError:
        raise BadValue(
            f"“{clip(given)}” is no box.", "Write left,top,right,bottom in pixels."
        ) from None
    return x0, y0, x1, y1


def _said(studio: Studio, look: str, words: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What ``words`` say, for the garment that is named, marked or meant by the words."""
    from agent.touch_words import touch_in_words

    worn = [w.of(studio.garment(w.id)) for w in studio.look(look).receipt.plan.garments]
    marked = None
    if asked["garment"] is not None:
        from tools.touch_up import index_of

        marked = worn[index_of(worn, asked["garment"])].id
    elif asked["mask"] is not None:
        from tools.mask import checked

        masks = studio.garment_masks(look)
        size = next(iter(masks.values())).shape
        marked = _under(checked(asked["mask"], size), masks)
    elif asked["points"] or asked["box"] is not None:
        found = studio.segment(look, points=asked["points"], box=asked["box"])
        marked = _under(found.candidate(asked["candidate"]), studio.garment_masks(look))
    change = touch_in_words(words, worn, marked)
    for name in change.keys() & {"color", "sleeves", "length"}:
        if asked[name] not in (None, change[name]):
            raise BadValue(
                f"The words say {name} {change[name]}, --{name} says {clip(asked[name])}.",
                "Give one of them.",
            )
    return change


def _under(mask: np.ndarray, masks: dict[str, np.ndarray]) -> str:
    """The garment that a mask covers most of. Raises BadValue when it covers none."""
    covered = {id: int((known & mask).sum()) for id, known in masks.items()}
    if not any(covered.values()):
        raise BadValue("There is no garment under the mark.", "Mark one, or name it.")
    return max(covered, key=lambda id: covered[id])


def _bytes(path: Path, what: str) -> bytes:
    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        raise BadValue(f"There is no {what} of up to 32 MB at {path}.", "Give a PNG file.")
    return path.read_bytes()


def _picture(path: Path, what: str) -> np.ndarray:
    """The pixels of a picture file, uint8 ``(H, W, 3)``."""
    from catalog.photo_file import photo_pixels, photo_png

    return photo_pixels(photo_png(_bytes(path, what), clear="black"))


def _write(path: Path, mask: np.ndarray) -> None:
    from PIL import Image

    try:
        Image.fromarray(mask.astype("uint8") * 255).save(path, format="PNG")
    except OSError as error:
        raise BadValue(
            f"The mask cannot be written to {path} ({error.strerror}).", "Name another file."
        ) from error
