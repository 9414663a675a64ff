"""What the garment page shows of a job, as HTML text: its way, pictures, tags and loss curve.

Every text from outside is escaped here; nothing below knows about Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from tools.garment_jobs import GarmentJob
from ui.pictures import picture_address

WAY = ("Photos", "Cut-outs", "Tags", "Training", "Try-on", "On the rail")
_REACHED = {
    "cut-outs": 1, "cutting out": 1, "tags": 2, "measuring": 2, "card": 2, "reviewed": 2,
    "training": 3, "loading the base": 3, "drawing a sample": 3, "admission": 4,
    "trying it on": 4, "approved": 4, "published": 5, "publishing": 5, "done": 5,
}  # fmt: skip
FLAGS = {
    "weak": "Weak: the LoRA hardly changes the picture.",
    "overcooked": "Overcooked at high strengths: it is worn at a lower one.",
    "leaks into the person": "It changes face, hair or skin.",
    "leaks": "It changes what is not the garment.",
    "wrong colours": "Its colours are not those of the photos.",
}
"""Flags of the admission test, as sentences."""


TIPS = (
    "four photos are the least, more than twenty seldom help",
    "front, back and sides; sleeves and hems to be seen",
    "daylight, and a ground of another colour than the garment",
    "nobody in it, nothing beside it",
)


def tips() -> str:
    """What makes good photos, while there are none."""
    said = "".join(f"<li>{tip}</li>" for tip in TIPS)
    return f'<section class="tips"><h3>Good photos</h3><ul>{said}</ul></section>'


def reached(job: GarmentJob | None) -> int:
    """Index in ``WAY`` of the step the job is at."""
    if job is None:
        return 0
    stage = "training" if job.stage.startswith("training") else job.stage
    return 5 if job.state == "done" else _REACHED.get(stage, 0)


def way(job: GarmentJob | None) -> str:
    """The steps from photos to the rail, the present one marked."""
    at = reached(job)
    done = job is not None and job.state == "done"
    items = "".join(
        f'<li class="{"past" if i < at or done else "here" if i == at else ""}">{name}</li>'
        for i, name in enumerate(WAY)
    )
    return f'<ol class="way">{items}</ol>'


def progress(job: GarmentJob | None) -> str:
    """What is being done, how far it is, or what went wrong and what to do."""
    if job is None:
        return ""
    if job.error:
        said = f"{escape(job.error['message'])} <em>{escape(job.error['hint'])}</em>"
        return f'<p class="wrong" role="alert">{said}</p>'
    if job.state == "cancelled":
        return '<p class="quiet">Stopped. What it finished is kept.</p>'
    if job.state == "done":
        return _verdict(job)
    if job.stage == "reviewed":
        return '<p class="quiet">Look through the cut-outs and tags, then let it train.</p>'
    if job.stage == "approved":
        return _verdict(job)
    share = round(100 * job.step / job.steps) if job.steps else 0
    words = escape(job.stage.capitalize() or "Waiting")
    count = f" · {job.step} of {job.steps}" if job.steps else ""
    return (
        f'<div class="work"><p>{words}{count}<span>{job.seconds:.0f} s</span></p>'
        f'<div class="bar"><i style="width:{share}%"></i></div></div>'
    )


def _verdict(job: GarmentJob) -> str:
    flags = "".join(f"<li>{escape(FLAGS.get(f, f))}</li>" for f in job.flags)
    listed = (
        f"<ul>{flags}</ul>" if flags else "<p>No flags: it works and leaves the rest alone.</p>"
    )
    if job.state != "done":
        head = "Tried on. Publish it?"
    elif job.offered:
        head = f"{escape(str(job.garment))} hangs on the rail"
    else:
        head = f"{escape(str(job.garment))} is kept, but not offered"
    strength = f"<p>Worn at strength {job.strength:g}.</p>" if job.strength else ""
    return f'<section class="verdict"><h3>{head}</h3>{listed}{strength}</section>'


def sheet(path: Path, title: str, about: str) -> str:
    """A contact sheet, when there is one."""
    if not path.is_file():
        return ""
    picture = f'<img src="{picture_address(path)}" alt="{escape(title)}">'
    return f'<figure class="sheet"><h3>{title}</h3><p>{about}</p>{picture}</figure>'


def warnings(job: GarmentJob | None) -> str:
    """What was wrong with the photos, and what was assumed."""
    if job is None or not (job.warnings or job.assumed):
        return ""
    said = "".join(f"<li>{escape(w)}</li>" for w in job.warnings)
    guessed = f"<p>Assumed: {escape(', '.join(job.assumed))}.</p>" if job.assumed else ""
    return f'<section class="warnings"><ul>{said}</ul>{guessed}</section>'


def captions(folder: Path, tags: Mapping[str, Sequence[str]], shown: Sequence[str]) -> str:
    """Each photo of ``shown`` with its caption, and how often each tag stands."""
    counts: dict[str, int] = {}
    for name in shown:
        for tag in tags[name]:
            counts[tag] = counts.get(tag, 0) + 1
    chips = "".join(
        f"<span>{escape(tag)}<b>{n}</b></span>"
        for tag, n in sorted(counts.items(), key=lambda x: (-x[1], x[0]))[:60]
    )
    cards = "".join(
        f'<li><img src="{picture_address(folder / name)}" alt="">'
        f"<p>{escape(', '.join(tags[name])) or 'no tags'}</p></li>"
        for name in shown
    )
    empty = "" if shown else '<p class="quiet">No photo has these tags.</p>'
    return f'<div class="chips">{chips}</div><ul class="captions">{cards}</ul>{empty}'


def curve(losses: Sequence[float], samples: Sequence[Path]) -> str:
    """The loss of the training so far, and what it drew on the way."""
    if len(losses) < 2:
        return ""
    low, high = min(losses), max(losses)
    span = (high - low) or 1.0
    step = 320 / (len(losses) - 1)
    line = " ".join(
        f"{i * step:.1f},{8 + 84 * (high - loss) / span:.1f}" for i, loss in enumerate(losses)
    )
    prints = "".join(
        f'<figure><img src="{picture_address(p)}" alt=""><figcaption>after {int(p.stem[:5])}'
        "</figcaption></figure>"
        for p in samples
    )
    return (
        '<section class="curve"><h3>Loss</h3><svg viewBox="0 0 320 100" role="img" '
        f'preserveAspectRatio="none" aria-label="Loss, now {losses[-1]:.3f}">'
        f'<polyline points="{line}"/></svg><p><span>{losses[0]:.3f}</span>'
        f'<span>now {losses[-1]:.3f}</span></p><div class="samples">{prints}</div></section>'
    )
