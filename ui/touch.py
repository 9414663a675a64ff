"""stylist touch: one part of a look drawn again, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import BadValue
from ui.settings import Settings
from ui.terminal import Progress, print_json, stoppable

if TYPE_CHECKING:
    import numpy as np

    from tools.studio import Studio

LARGEST_MASK = 32 << 20
"""Bytes of a mask file."""


def add_commands(
    commands: Any, command: Callable[..., Any], studio: Callable[[Settings], Studio]
) -> None:
    """Register the command; ``studio`` builds what draws."""

    def touch(args: argparse.Namespace, settings: Settings) -> int:
        mask = None if args.mask is None else _mask(args.mask)
        with Progress(sys.stderr) as progress, stoppable() as cancel:
            look = studio(settings).touch_up(
                args.look,
                garment=args.garment,
                mask=mask,
                inverted=args.inverted,
                swap=args.swap,
                color=args.color,
                sleeves=args.sleeves,
                length=args.length,
                strength=args.strength,
                progress=lambda p: progress.say(f"{p.stage} {p.step}/{p.steps}"),
                cancel=cancel,
            )
        if args.json:
            print_json({"id": look.id, "image": look.image, "receipt": look.receipt_file,
                        "parent": look.receipt.parent, "seconds": look.seconds})  # fmt: skip
        else:
            print(f"Picture: {look.image}")
            print(f"Receipt: {look.receipt_file}")
            print(f"Go on:   stylist touch {look.id} --garment … (or back to {args.look})")
        return 0

    part = command(commands, "touch", touch, "Draw one part of a look again, and nothing else.")
    part.add_argument("look", metavar="LOOK", help="a look's id")
    part.add_argument("--garment", metavar="G", help="which garment: its id, kind or slot")
    part.add_argument("--mask", type=Path, metavar="FILE", help="a picture, white where to repaint")
    part.add_argument("--inverted", action="store_true", help="repaint all but the marked part")
    part.add_argument("--swap", metavar="ID", help="wear this garment of the same slot instead")
    part.add_argument("--color", metavar="WORD", help="in this colour")
    part.add_argument("--sleeves", metavar="WORD", help="none, short, elbow or long")
    part.add_argument("--length", metavar="WORD", help="crop, hip, thigh, knee, calf or ankle")
    part.add_argument("--strength", type=float, metavar="0–1", help="how much is forgotten")
    part.add_argument("--json", action="store_true", help="print JSON")


def _mask(path: Path) -> np.ndarray:
    """The pixels of a mask file, uint8 ``(H, W, 3)``."""
    from catalog.photo_file import photo_pixels, photo_png

    if not path.is_file() or path.stat().st_size > LARGEST_MASK:
        raise BadValue(f"There is no mask of up to 32 MB at {path}.", "Give a PNG file.")
    return photo_pixels(photo_png(path.read_bytes()))
