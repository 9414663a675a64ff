"""The garment page: photos in, cut-outs and tags looked through, training watched, published.

All that it shows is read from the job's folder, so a reload or another day finds it as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from catalog.errors import StylistError
from catalog.garment import CATEGORIES
from catalog.tags import TagBook
from tools.garment_jobs import GarmentJob
from ui import garment_views as views

if TYPE_CHECKING:
    from tools.studio import Studio

CSS = Path(__file__).with_name("garment.css")
PATH = "garments"
LINK = f'<a href="{PATH}">New garment</a>'
"""For the head of the chat page."""
MARK = '<a href="./">Back to the chat</a><h1>New garment</h1><p>from photos to the rail</p>'
BY_SHAPE = "told by its shape"
TICK = 1.5
"""Seconds between two looks at a job under way."""
SAMPLE_EVERY = 20
"""Training steps between two sample pictures."""
Owner = Callable[[gr.Request], str]


def add_garment_page(blocks: gr.Blocks, studio: Studio, owner_of: Owner) -> None:
    """Add the page under ``PATH`` to the finished ``blocks`` of the chat page."""
    jobs = studio.garment_jobs

    def look(id: str | None, request: gr.Request) -> GarmentJob | None:
        """The job, if it is this browser's."""
        job = jobs.status(id, owner=owner_of(request)) if id else None
        return None if job is None or job.state == "unknown" else job

    def shown(id: str | None, only: str, request: gr.Request) -> dict[Any, Any]:
        """Everything on the page, from what lies on disk."""
        job = look(id, request)
        if job is None:
            return {
                **{part: "" for part in (progress, warned, captions, curve, admission)},
                cut_outs: views.tips(),
                current: None,
                way: views.way(None),
                form: gr.update(visible=True),
                **{part: gr.update(visible=False) for part in (editor, *actions)},
                timer: gr.update(active=False),
            }
        folder, at_work = jobs.folder(job.id), jobs.runs(job.id)
        waits = jobs.waits(job.id)
        review = waits and job.stage == "reviewed"
        kept = sorted((folder / "samples").glob("*.png"))
        return {
            current: job.id,
            way: views.way(job),
            progress: views.progress(job),
            warned: views.warnings(job),
            cut_outs: views.sheet(
                folder / "cut-outs.png",
                "Cut-outs",
                "As it came, what was cut out, and what the training sees.",
            ),
            captions: _captions(jobs.book(job.id), folder / "dataset", only) if review else "",
            curve: views.curve(_losses(folder), kept),
            admission: views.sheet(
                folder / "admission.png",
                "Tried on",
                "Without its LoRA, then at growing strength.",
            ),
            form: gr.update(visible=False),
            editor: gr.update(visible=review),
            train: gr.update(visible=review),
            publish: gr.update(visible=waits and job.stage == "approved"),
            stop: gr.update(visible=at_work or waits),
            resume: gr.update(visible=not at_work and not waits and job.state != "done"),
            fresh: gr.update(visible=not at_work),
            timer: gr.update(active=at_work),
        }

    def begin(
        name: str, category: str, price: float | None, files: list[str] | None, request: gr.Request
    ) -> dict[Any, Any]:
        paths = [Path(f) for f in files or ()]
        archive = len(paths) == 1 and paths[0].suffix.lower() == ".zip"
        try:
            job = jobs.start(
                name or "",
                paths[0] if archive else [(p.name, p.read_bytes()) for p in paths],
                category=None if category == BY_SHAPE else category,
                price=price or 0.0,
                review=True,
                sample_every=SAMPLE_EVERY,
                owner=owner_of(request),
            )
        except StylistError as error:
            gr.Warning(str(error))
            return {form: gr.skip()}
        return shown(job.id, "", request)

    def doing(change: Callable[..., Any]) -> Callable[..., dict[Any, Any]]:
        """A button that changes the job and then shows it; what cannot be done is said."""

        def pressed(id: str | None, only: str, request: gr.Request) -> dict[Any, Any]:
            try:
                change(id or "", owner=owner_of(request))
            except StylistError as error:
                gr.Warning(str(error))
            return shown(id, only, request)

        return pressed

    def edit(change: Callable[[TagBook, list[str], str, str, bool], Any]) -> Callable[..., Any]:
        """A button that changes the tags of the photos that are shown, and keeps them."""

        def edited(
            id: str | None, only: str, said: str, new: str, regex: bool, request: gr.Request
        ) -> Any:
            if look(id, request) is None:
                return gr.skip()
            folder = jobs.folder(str(id)) / "dataset"
            try:
                book = jobs.book(str(id))
                change(book, _filtered(book, only), said or "", new or "", regex)
                jobs.keep_book(str(id), book, owner=owner_of(request))
            except StylistError as error:
                gr.Warning(str(error))
                book = jobs.book(str(id))
            return _captions(book, folder, only)

        return edited

    def another(request: gr.Request) -> dict[Any, Any]:
        return shown(None, "", request)

    def open_page(request: gr.Request) -> dict[Any, Any]:
        return shown(jobs.latest(owner_of(request)), "", request)

    with blocks.route("New garment", PATH, show_in_navbar=False):
        current = gr.State(None)
        timer = gr.Timer(TICK, active=False)
        with gr.Row(elem_id="top"):
            gr.HTML(MARK, elem_id="mark")
            fresh = gr.Button("Another one", elem_id="fresh", size="sm", scale=0, visible=False)
        way = gr.HTML(views.way(None), elem_id="way")
        with gr.Row(elem_id="bench", equal_height=False):
            with gr.Column(scale=9, min_width=320, elem_id="hand"):
                with gr.Column(elem_id="intake") as form:
                    gr.HTML(
                        "<h2>What is it?</h2><p>About ten photos of one garment, from several "
                        "sides, before an even background. Background is cut away; kind, colours "
                        "and pattern are told by the pixels.</p>"
                    )
                    name = gr.Textbox(label="Name", elem_id="name", placeholder="Red wool coat")
                    with gr.Row():
                        category = gr.Dropdown(
                            [BY_SHAPE, *CATEGORIES], value=BY_SHAPE, label="Kind", elem_id="kind"
                        )
                        price = gr.Number(label="Price in euros", value=0, minimum=0)
                    photos = gr.File(
                        label="Photos (JPEG, PNG, WebP) or one zip",
                        file_count="multiple",
                        file_types=[".jpg", ".jpeg", ".png", ".webp", ".zip"],
                        elem_id="photos",
                        height=170,
                    )
                    go = gr.Button("Cut them out", elem_id="go")
                progress = gr.HTML("", elem_id="progress")
                with gr.Row(elem_id="actions"):
                    train = gr.Button("Train it", elem_id="train", visible=False)
                    publish = gr.Button("Publish", elem_id="publish", visible=False)
                    resume = gr.Button("Go on", elem_id="resume", visible=False)
                    stop = gr.Button("Stop", elem_id="stop", visible=False)
                curve = gr.HTML("", elem_id="curve")
                with gr.Column(elem_id="editor", visible=False) as editor:
                    only = gr.Textbox(
                        label="Only photos with (−tag: without)", elem_id="only",
                        placeholder="all photos",
                    )  # fmt: skip
                    with gr.Row():
                        said = gr.Textbox(label="Tags, or what to find", elem_id="said")
                        new = gr.Textbox(label="Replace it by", elem_id="by")
                    regex = gr.Checkbox(label="Find as regular expression", elem_id="regex")
                    with gr.Row(elem_id="edits"):
                        edits = [
                            (gr.Button(text, size="sm", min_width=70, elem_id=text.lower()), change)
                            for text, change in _EDITS.items()
                        ]
                warned = gr.HTML("", elem_id="warned")
            with gr.Column(scale=11, min_width=320, elem_id="sheets"):
                admission = gr.HTML("", elem_id="admission")
                captions = gr.HTML("", elem_id="captions")
                cut_outs = gr.HTML(views.tips(), elem_id="cut-outs")

        actions = (train, publish, resume, stop, fresh)
        everything = [current, way, progress, warned, cut_outs, captions, curve, admission, form,
                      editor, *actions, timer]  # fmt: skip
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        go.click(begin, [name, category, price, photos], everything, **private)
        for button, change in (
            (train, jobs.resume), (publish, jobs.resume), (resume, jobs.resume), (stop, jobs.cancel)
        ):  # fmt: skip
            button.click(doing(change), [current, only], everything, **private)
        for button, edit_tags in edits:
            button.click(edit(edit_tags), [current, only, said, new, regex], [captions], **private)
        only.submit(edit(lambda *_: None), [current, only, said, new, regex], [captions], **private)
        fresh.click(another, None, everything, **private)
        timer.tick(shown, [current, only], everything, **private)
        blocks.load(open_page, None, everything, **private)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _filtered(book: TagBook, only: str) -> list[str]:
    """Names of the photos that ``only`` leaves: tags they have, and with − before it have not."""
    asked = _listed(only or "")
    lacking = [t[1:].strip() for t in asked if t[0] in "-−"]
    return book.filter([t for t in asked if t[0] not in "-−"], [t for t in lacking if t])


def _captions(book: TagBook, folder: Path, only: str) -> str:
    try:
        names = _filtered(book, only)
    except StylistError as error:
        gr.Warning(str(error))
        names = list(book.tags)
    return views.captions(folder, book.tags, names)


def _losses(folder: Path) -> list[float]:
    try:
        found: list[float] = json.loads((folder / "curve.json").read_bytes())["loss"]
    except (OSError, ValueError, KeyError):
        return []
    return found


_EDITS: dict[str, Callable[[TagBook, list[str], str, str, bool], Any]] = {
    "Add": lambda book, names, said, *_: book.add(_listed(said), photos=names),
    "Remove": lambda book, names, said, *_: book.remove(_listed(said), photos=names),
    "Replace": lambda book, names, said, new, regex: book.replace(
        said, new, regex=regex, photos=names
    ),
    "First": lambda book, names, said, *_: book.keep_first(_listed(said), photos=names),
    "Deduplicate": lambda book, names, *_: book.dedupe(photos=names),
    "Undo": lambda book, *_: book.undo(),
}
