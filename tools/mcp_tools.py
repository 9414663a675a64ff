"""The tools other agents are given: which methods of Studio, with which arguments, shown how.

A further method of ``Studio`` becomes a tool by one entry in ``TOOLS`` and the schema of its
arguments. What a method takes beside them (owner, progress, cancel) is handed in by name.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import mcp_types as mcp
from pydantic import BaseModel, ValidationError

from catalog.errors import BadValue, UnknownName, clip
from tools import mcp_arguments as arguments
from tools.callers import Caller
from tools.mcp_answers import Answer, looks_page, show
from tools.mcp_arguments import MAX_PHOTO_MB
from tools.tokens import Right
from tools.uploads import KEPT_HOURS
from tools.wish import OCCASIONS

_EXACT = 2**53
"""Beyond it a float is no exact integer any more."""


@dataclass(frozen=True)
class Tool:
    """One method of Studio as a tool."""

    name: str
    args: type[BaseModel]
    about: str
    """For a model that sees nothing else."""
    title: str
    method: str = ""
    """The method of Studio; the tool's name when empty."""
    right: Right = "look"
    draws: bool = False
    """Uses the engine: waits its turn, tells its steps, can be stopped within one of them."""
    keeps: bool = False
    """Writes something: a look, a photo."""
    max_bytes: int = 64 << 10
    """Of its arguments."""
    call: Callable[[Any], dict[str, Any]] = field(default=arguments.fields)
    """Arguments → what the method takes."""
    show: Callable[[Any, Any], Answer] = field(default=show)


TOOLS: tuple[Tool, ...] = (
    Tool(
        "find_garments",
        arguments.FindGarmentsArgs,
        "Search the shop's catalog by words and filters, or by a photo of a garment. Returns "
        "garments, best first or in order: id, name, slot, category, color, pattern, material, "
        "formality (0 beach - 1 black tie), clo (warmth), price, seasons, occasions, wearers. Only "
        "garments that can be bought now. Use the ids with plan_outfit (keep) and render_look.",
        "Find garments",
    ),
    Tool(
        "catalog_card",
        arguments.GarmentArgs,
        "Everything on one garment's card: shape, cloth, colours, sizes, price, shop link, "
        "description, and whether it can be drawn. Photos: resource garment://ID/photo.",
        "Catalog card",
        method="garment",
    ),
    Tool(
        "upload_photo",
        arguments.UploadArgs,
        f"Send a photo and get an id for it, to use as `photo` in find_garments (one garment "
        f"before an even background is found best), photo_pose and segment, as `mask` in touch_up "
        f"and in `photos` of start_garment_job. PNG, JPEG or WebP in base64, at most "
        f"{MAX_PHOTO_MB} MB and 40 million pixels, at least 32 pixels a side. Kept for "
        f"{KEPT_HOURS} hours, visible to you alone.",
        "Upload a photo",
        keeps=True,
        max_bytes=arguments.MAX_BASE64 + 1000,
        call=arguments.photo,
    ),
    Tool(
        "photo_pose",
        arguments.PhotoArgs,
        "How the one person in an uploaded photo stands: 18 OpenPose points in the photo's pixels "
        "(x, y; null where not seen) and a picture of the skeleton. Pass `pose` as it is to "
        "plan_outfit or render_look, and the drawn person stands like that. Only the pose is "
        "taken, not the face or the clothes. A drawing or a skeleton picture will do too. Show "
        "the person from head to foot, or at least from shoulders to hips.",
        "Pose from a photo",
    ),
    Tool(
        "plan_outfit",
        arguments.DryRunArgs,
        "Choose a complete outfit for a wish, without drawing it (a dry run). Pass all you know: "
        "season weights, temperature_c, weather, occasion (" + ", ".join(OCCASIONS) + "), who "
        "(women, men, anyone), want and avoid (pieces described by slot, categories, colors, "
        "patterns, materials), keep and exclude (garment ids), budget, formality 0-1, warmer "
        "(clo). Returns the garments with a reason each, warmth (clo_total of clo_needed), price, "
        "assumptions and unmet wishes (tell the person about both), runners_up, the `arguments` "
        "to pass to render_look as they are, and the seconds drawing will take (null before this "
        "machine has drawn its first look).",
        "Plan an outfit (dry run)",
        method="dry_run",
        call=arguments.dry_run,
    ),
    Tool(
        "render_look",
        arguments.RenderArgs,
        "Draw a person wearing these garments: a fashion sketch of 512 x 768 pixels. Takes seconds "
        "to a minute; ask for progress to be told each step. Best called with the `arguments` that "
        "plan_outfit returned, changed as you like. Returns the look's id, a small picture, and "
        "resource links: look://ID (full picture), look://ID/receipt (all that is needed to draw "
        "it again). Incomplete outfits and unknown ids are refused with the reason. Give a "
        "request_key if you may have to repeat the call.",
        "Draw a look",
        draws=True,
        keeps=True,
        call=arguments.render,
    ),
    Tool(
        "get_look",
        arguments.LookIdArgs,
        "One of your looks again: what is worn, who wears it, the small picture and the links.",
        "Get a look",
        method="look",
    ),
    Tool(
        "list_looks",
        arguments.LooksArgs,
        "Your looks, newest first; those of one thread when you name it. `before` in the answer "
        "is what to pass as `before` for the next page, null on the last.",
        "List looks",
        method="looks",
        call=lambda args: {"thread": args.thread},
        show=looks_page,
    ),
    Tool(
        "replay_look",
        arguments.LookIdArgs,
        "Draw a look again from its receipt alone and compare the pixels: proof that it is "
        "reproducible on this machine. Takes as long as drawing it did.",
        "Replay a look",
        draws=True,
        keeps=True,
    ),
    Tool(
        "segment",
        arguments.SegmentArgs,
        "Find a part of one of your looks, or of an uploaded photo, without changing anything: by "
        "the name of a garment (looks only), or by points (x, y in the picture's own pixels, keep "
        "false takes away) or a box. Answers with the model that found it, the garment that lies "
        "there, and for each candidate its score, its share of the picture and its box. Pass the "
        "same points to touch_up. Points need a segmentation model; names do not.",
        "Find a part of a picture",
        call=arguments.segment,
    ),
    Tool(
        "touch_up",
        arguments.TouchUpArgs,
        "Draw one garment of a look again and nothing else: every pixel outside it stays as it is. "
        "Say which (garment, or points, box, mask) and what changes: color (a word), sleeves or "
        "length (a word, or shorter, longer), swap (id of a garment of the same slot); nothing of "
        "these draws it anew. Returns a new look, the old one stays. `drawn` names what the shop "
        "does not sell in that colour or shape: tell the person.",
        "Touch up a look",
        right="touch",
        draws=True,
        keeps=True,
        call=arguments.touch_up,
    ),
    Tool(
        "undo",
        arguments.LookIdArgs,
        "The look that this one was made from, to go on from there. Nothing is deleted: going on "
        "with the later look again is the redo.",
        "Undo a touch-up",
    ),
    Tool(
        "start_garment_job",
        arguments.StartGarmentArgs,
        "Make a new garment for the catalog from photos of it (ids from upload_photo): cut out, "
        "measured, tagged, its LoRA trained, tried on, published. Takes minutes and goes on by "
        "itself; rendering goes on beside it, one job trains at a time. Returns the job's id and "
        "the garment's: ask job_status. With the same name while that job is open you get that "
        "job again. Photos, names and categories that cannot be used are refused with the reason.",
        "Start a garment job",
        method="garment_jobs.start",
        right="train",
        keeps=True,
    ),
    Tool(
        "job_status",
        arguments.JobArgs,
        "How far one of your jobs is: state (queued, running, done, failed, cancelled, unknown), "
        "stage, step of steps, tags found, warnings about the photos; at its end whether the "
        "garment is offered, at which strength, and flags (weak, overcooked, leaks, wrong "
        "colours). `next` says what to do. Nothing is done unless state is done.",
        "Job status",
        method="garment_jobs.status",
        right="train",
    ),
    Tool(
        "cancel_job",
        arguments.JobArgs,
        "Stop one of your jobs at its next step. What it finished is kept, and resume_job goes on "
        "from there. The catalog stays as it was.",
        "Cancel a job",
        method="garment_jobs.cancel",
        right="train",
        keeps=True,
    ),
    Tool(
        "resume_job",
        arguments.JobArgs,
        "Go on with one of your jobs that was cancelled, failed or interrupted, after its last "
        "finished stage; or let one that was started with review go past the point it waits at.",
        "Resume a job",
        method="garment_jobs.resume",
        right="train",
        keeps=True,
    ),
)


def named(name: str, caller: Caller) -> Tool:
    for tool in TOOLS:
        if tool.name == name:
            return tool
    raise UnknownName.among("tool", name, [t.name for t in TOOLS if t.right in caller.may])


@cache
def described(tool: Tool) -> mcp.Tool:
    # kept: the SDK lists the tools before each call, and making sixteen schemas takes 20 ms
    return mcp.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=tool.args.model_json_schema(),
        annotations=mcp.ToolAnnotations(
            title=tool.title,
            read_only_hint=not tool.keeps,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )


def checked(tool: Tool, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The arguments as their schema has them, and what the method takes of them."""
    try:
        text = json.dumps(_whole(given))
    except (ValueError, TypeError, RecursionError):
        raise BadValue("The arguments are not plain JSON.", "Send one flat object.") from None
    size = len(text)
    if size > tool.max_bytes:
        raise BadValue(
            f"The arguments have {size} bytes, {tool.max_bytes} are the most.", "Send less."
        )
    try:
        # strict: a number in quotes or a yes for true is told, and not taken for what it may mean
        args = tool.args.model_validate_json(text, strict=True)
        return args, tool.call(args)
    except ValidationError as error:
        raise misasked(tool.name, error, tool.args.model_fields) from error


def _whole(value: Any) -> Any:
    """``value`` with 3.0 as 3: JSON does not tell them apart, and strict integers do."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, dict):
        return {k: _whole(v) for k, v in value.items()}
    return [_whole(v) for v in value] if isinstance(value, list) else value


def misasked(what: str, error: ValidationError, known: Iterable[str] = ()) -> BadValue:
    """What is wrong with the arguments of a tool, or the parameters of a request, in words."""
    fields, said = tuple(known), []
    for one in error.errors(include_url=False, include_input=False)[:3]:
        place = clip(".".join(str(part) for part in one["loc"]) or "arguments")
        if one["type"] == "extra_forbidden":
            near = difflib.get_close_matches(place, fields, n=1, cutoff=0.5)
            instead = f"did you mean {near[0]}?" if near else "there is no such argument"
            said.append(f"{place}: {instead}")
        else:
            said.append(f"{place}: {clip(one['msg'], 160)}")
    hint = f"It takes: {', '.join(fields)}." if fields else "Send each as the protocol has it."
    return BadValue(f"{what} does not take this: {'; '.join(said)}.", hint)
