"""stylist pose and stylist preprocess: what a picture tells a ControlNet, to see and to keep."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import BadValue, CannotNow
from ui.settings import Settings
from ui.terminal import print_json

if TYPE_CHECKING:
    import numpy as np

    from tools.pose import Points


def add_commands(commands: Any, command: Callable[..., Any]) -> None:
    part = command(commands, "pose", _pose, "The pose of the person in a picture, as a skeleton.")
    part.add_argument("photo", type=Path, metavar="PHOTO", help="a PNG, JPEG or WebP file")
    part.add_argument("--out", type=Path, metavar="FILE", help="write the skeleton as a PNG file")
    part.add_argument("--json", action="store_true", help="print the 18 keypoints as JSON")
    part = command(
        commands, "preprocess", _preprocess, "What a preprocessor makes of a picture, to look at."
    )
    part.add_argument("kind", metavar="KIND", help="openpose or canny")
    part.add_argument("photo", type=Path, metavar="PHOTO", help="a PNG, JPEG or WebP file")
    part.add_argument("--out", type=Path, metavar="FILE", required=True, help="a PNG file to write")
    part.add_argument("--json", action="store_true", help="print JSON")


def points_of(path: Path) -> Points:
    """The pose of the person in a picture file, as a plan takes it.

    Raises:
        BadValue: no such picture, nobody in it, or too little of them.
        ModelUnavailable: the pose model is not installed.
    """
    from tools.pose_from_picture import pose_points, pose_reader

    return pose_points(pose_reader().read(pixels_of(path)))


def edges_of(path: Path) -> str:
    """The edges of a picture file, as a plan takes them. Raises what ``edge_map`` raises."""
    from tools.edge_map import edge_map

    return edge_map(pixels_of(path))


def pixels_of(path: Path) -> np.ndarray:
    """A picture file, upright, uint8 ``(H, W, 3)``."""
    from catalog.photo_file import MAX_BYTES, photo_pixels, photo_png

    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise BadValue(
            f"There is no picture of up to {MAX_BYTES >> 20} MB at {path}.", "Give its path."
        )
    return photo_pixels(photo_png(path.read_bytes()))


def _pose(args: argparse.Namespace, settings: Settings) -> int:
    from catalog.croquis.figure import KEYPOINTS
    from tools.control_pictures import draw_skeleton
    from tools.pose_from_picture import KNOWN, pose_reader

    picture = pixels_of(args.photo)
    seen = pose_reader().read(picture)
    if args.out is not None:
        _write(args.out, draw_skeleton(seen, picture, KNOWN))
    found = {
        name: {"x": round(float(x), 1), "y": round(float(y), 1), "confidence": round(float(c), 3)}
        for name, (x, y), c, ok in zip(
            KEYPOINTS, seen.points, seen.confidence, seen.known(KNOWN), strict=True
        )
        if ok
    }
    if args.json:
        print_json({
            "width": picture.shape[1], "height": picture.shape[0],
            "keypoints": {name: found.get(name) for name in KEYPOINTS},
            "skeleton": None if args.out is None else str(args.out),
        })  # fmt: skip
        return 0
    for name, at in found.items():
        print(f"{name:<12} {at['x']:8.1f} {at['y']:8.1f}   {at['confidence']:.2f}")
    lacking = [name for name in KEYPOINTS if name not in found]
    if lacking:
        print(f"Not seen: {', '.join(lacking)}")
    if args.out is not None:
        print(f"Skeleton: {args.out}")
    print(f"Draw it:  stylist look … --pose-from {args.photo}")
    return 0


def _preprocess(args: argparse.Namespace, settings: Settings) -> int:
    from tools.control_pictures import preprocess

    _write(args.out, preprocess(args.kind, pixels_of(args.photo)))
    if args.json:
        print_json({"kind": args.kind, "picture": str(args.out)})
    else:
        print(f"Picture: {args.out}")
    return 0


def _write(path: Path, picture: np.ndarray) -> None:
    """Whole or not at all, and never over a file that is no picture."""
    from tools.looks import write_png

    if path.suffix.lower() != ".png":
        raise BadValue(f"{path.name} does not end in .png.", "Give the name of a PNG file.")
    try:
        write_png(path, picture)
    except OSError as error:
        raise CannotNow(
            f"{path} cannot be written ({error.strerror or 'output error'}).",
            "Give a folder that exists and that you may write to.",
        ) from error
