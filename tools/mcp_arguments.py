"""Arguments of the tools for other agents: their schemas, and what a method takes of them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from catalog.errors import BadValue
from tools.arguments import (
    Arguments,
    CategoryWord,
    ChangeArgs,
    FindArgs,
    LookArgs,
    PartArgs,
    PersonChange,
    PlanArgs,
)
from tools.arguments import Pose as PoseWord
from tools.look import MAX_GARMENTS, STANDING, Control, PersonSpec, Plan, Quality, Worn
from tools.pose import Points
from tools.wish import Wish

MAX_PHOTO_MB = 8
MAX_BASE64 = MAX_PHOTO_MB * (1 << 20) * 4 // 3 + 100

# --- schemas ------------------------------------------------------------------------------------

LookId = Annotated[str, Field(pattern=r"^look-[0-9a-f]{16}$", max_length=21)]
ThreadName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", max_length=64)]
RequestKey = Annotated[str, Field(pattern=r"^[!-~]{1,128}$", max_length=128)]


class FindGarmentsArgs(FindArgs):
    """Words or a photo, and filters."""

    photo: Annotated[str, Field(max_length=64)] | None = None
    """Id from upload_photo, in place of text: garments that look like the one in it."""


class PhotoArgs(Arguments):
    photo: Annotated[str, Field(max_length=64)]
    """Id from upload_photo."""


class GarmentArgs(Arguments):
    id: Annotated[str, Field(max_length=64)]
    """Garment id, as find_garments returns it."""


class UploadArgs(Arguments):
    data: Annotated[str, Field(min_length=1, max_length=MAX_BASE64)]
    """The picture file, base64; a data: URL is understood too."""


class StartGarmentArgs(Arguments):
    """What the garment is, and photos of it."""

    name: Annotated[str, Field(min_length=2, max_length=120)]
    """Its name in the shop, such as "Red wool coat"; its id is made of it."""
    photos: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=40)]
    """Ids from upload_photo: 4 to 40 of one garment, about ten are best."""
    category: CategoryWord | None = None
    """What it is; leave out to have it told by the silhouette."""
    tags: Annotated[tuple[Annotated[str, Field(max_length=120)], ...], Field(max_length=32)] = ()
    """Tags every photo gets."""
    without: Annotated[tuple[Annotated[str, Field(max_length=120)], ...], Field(max_length=32)] = ()
    """Tags no photo gets, such as a wrong guess of an earlier job."""
    price: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """In euros."""
    review: bool = False
    """Wait after tagging and again before publishing, each time for resume_job."""


class JobArgs(Arguments):
    id: Annotated[str, Field(max_length=64)]
    """Job id, as start_garment_job returns it."""


# wider than what our own planner is asked for: it is given measured poses by other ways
AnyPose = PoseWord | Annotated[Points, Field(min_length=18, max_length=18)]


class DryRunArgs(PlanArgs):
    """The whole wish, and how it is to be shown."""

    pose: AnyPose | None = None  # type: ignore[assignment]
    """A preset, or the 18 points that photo_pose returned; left out: as the occasion suggests."""


class RenderArgs(LookArgs):
    """What to draw."""

    pose: AnyPose | None = None  # type: ignore[assignment]
    """A preset, or 18 points: `pose` of photo_pose or of another look's `arguments`. Each is x and
    y, null where unknown."""
    garments: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_GARMENTS)]
    """Garment ids of a whole outfit: top and bottom or a onepiece, footwear, then what you like."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Another seed draws the same outfit differently."""
    edges: Annotated[str, Field(max_length=64)] | None = None
    """Id from upload_photo: a sketch or picture whose lines the drawing follows besides."""
    controls: Annotated[dict[str, Control], Field(max_length=3)] = {}
    """How strongly `layout`, `openpose` (the pose) and `canny` (those lines) are followed: weight
    0-2, 1 is usual, from start to end, shares of the steps."""
    quality: Quality = "final"
    """A draft takes a third of the time and shows where it goes; show people the final."""
    steps: Annotated[int, Field(ge=1, le=50)] | None = None
    """Leave out: what the model draws well with."""
    thread: ThreadName | None = None
    """A name of yours for the conversation this look belongs to."""
    parent: LookId | None = None
    """The look that this one changes."""
    request_key: RequestKey | None = None
    """Repeat a request with the same key and you get the same look, not drawn twice."""


class LookIdArgs(Arguments):
    id: LookId
    """Look id, as render_look returns it."""


class LooksArgs(Arguments):
    """Which of your looks."""

    thread: ThreadName | None = None
    """Only those of this conversation, by the name that render_look was given."""
    limit: Annotated[int, Field(ge=1, le=50)] = 10
    """How many at most."""
    before: LookId | None = None
    """Go on after this one, towards older looks."""


class SegmentArgs(PartArgs):
    """Which picture, and which part of it."""

    look: LookId | None = None
    """One of your looks."""
    photo: Annotated[str, Field(max_length=64)] | None = None
    """Id from upload_photo, in place of a look."""


class TouchUpArgs(ChangeArgs):
    """Which part of which look, and what changes there."""

    id: LookId
    """The look that is changed; it stays as it is, the answer is a new one."""
    mask: Annotated[str, Field(max_length=64)] | None = None
    """In place of clicks: id from upload_photo of a 512 x 768 picture, white where to repaint."""
    inverted: bool = False
    """Repaint everything but the marked part."""
    strength: Annotated[float, Field(gt=0, le=1)] | None = None
    """Less than 1 keeps more of what is there; at half of it a change comes half. Left out: 1, for
    a colour alone 0.88, for a fill 0.75."""
    content: Literal["original", "noise", "fill"] = "original"
    """What the drawing begins from: what is there, noise, or what lies around it."""
    feather: Annotated[int, Field(ge=0, le=64)] = 6
    """Pixels outside the mask over which new and old are blended."""
    padding: Annotated[int, Field(ge=0, le=256)] | None = None
    """A number: the part is drawn alone, enlarged, with so many pixels around it. Left out: within
    the whole picture, as the model was trained."""
    reshape: Annotated[tuple[Annotated[str, Field(max_length=16)], ...], Field(max_length=8)] = ()
    """What is done to the mask first, in order: grow:8, shrink:8, fill (holes), largest (part),
    invert."""
    thread: ThreadName | None = None
    """Leave out: the thread of the look."""
    request_key: RequestKey | None = None
    """Repeat a request with the same key and you get the same look, not drawn twice."""


# --- what the methods take ----------------------------------------------------------------------


def segment(args: SegmentArgs) -> dict[str, Any]:
    return {"look": args.look, "photo": args.photo, **args.where}


def touch_up(args: TouchUpArgs) -> dict[str, Any]:
    more = ("id", "mask", "inverted", "strength", "content", "feather", "padding", "reshape",
            "thread")  # fmt: skip
    return {**args.change, **{name: getattr(args, name) for name in more}}


def fields(args: BaseModel) -> dict[str, Any]:
    return {name: getattr(args, name) for name in type(args).model_fields}


def dry_run(args: DryRunArgs) -> dict[str, Any]:
    wish = Wish.model_validate(args.model_dump(exclude={"pose", "scene", "person"}))
    return {
        "wish": wish,
        "pose": args.pose,
        "scene": args.scene,
        "person": _person(args.person) if args.person else None,
    }


def render(args: RenderArgs) -> dict[str, Any]:
    left_out = {"season": args.season, "pose": args.pose or STANDING[0],
                "scene": args.scene or STANDING[1]}  # fmt: skip
    plan = Plan(
        garments=tuple(Worn(id=id) for id in dict.fromkeys(args.garments)),
        person=_person(args.person or PersonChange()),
        seed=args.seed,
        quality=args.quality,
        steps=args.steps,
        controls=args.controls,
        **{k: v for k, v in left_out.items() if v is not None},
    )
    return {"plan": plan, "thread": args.thread, "parent": args.parent, "complete": True,
            "edges_of": args.edges}  # fmt: skip


def photo(args: UploadArgs) -> dict[str, Any]:
    text = args.data
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadValue("The picture is not base64.", "Send the file's bytes in base64.") from None
    if len(data) > MAX_PHOTO_MB << 20:
        raise BadValue(f"A photo has at most {MAX_PHOTO_MB} MB.", "Send a smaller one.")
    return {"data": data}


def _person(change: PersonChange) -> PersonSpec:
    said = change.model_dump(exclude_none=True)
    if said.get("presentation") == "man":
        said.setdefault("hair", "short")
    return PersonSpec.model_validate(said)
