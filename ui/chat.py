"""The chat page: talk, watch the look being drawn, pick a pose, turn back the pages."""

from __future__ import annotations

import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import Route

from agent.conversation import Conversations, check_thread
from agent.touching import Mark  # at run time too: Gradio reads the handlers' annotations
from catalog.errors import Busy, Damaged, StylistError
from ui import garment_page, lookbook, marking, touch_panel
from ui.pictures import Pictures, picture_address
from ui.settings import Settings
from ui.visitor import VisitorCookie, Visitors, routes

if TYPE_CHECKING:
    from agent.stylist import Stylist

CSS = Path(__file__).with_name("chat.css")
EXAMPLES = (
    "Winter outfit for a commute",
    "Something for a garden party in June",
    "Smart casual for the office, men",
    "A rainy walk, nothing black",
)
MARK = (
    f'<a href="conversations.json" download>Export</a>{garment_page.LINK}'
    "<h1>Stylist</h1><p>a wardrobe to talk to</p>"
)
GREETING = (
    "<h2>What are you dressing for?</h2>"
    "<p>Say where you are going, the weather, what you like and what you would rather not wear. "
    "I choose from the catalog and draw it.</p>"
)
KEPT_TURNS = 40
"""Turns a browser remembers; the thread itself is kept by the stylist."""
PAUSE = 0.07
"""Seconds between two updates of the page while text streams."""
PICK = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-word]');
  if (button && !button.disabled) trigger('select', {word: button.dataset.word});
});
"""
CLEAR = "() => [[], {thread: null, turns: []}]"
"""Empties the conversation in the browser at once: what is typed next belongs to the new one."""
Book = dict[str, Any]
"""What one browser remembers: ``{"thread": id or None, "turns": [turn, ...]}``; a turn is
``{"user", "reply", "error", "steps", "seconds", "look", "plan"}``, ``look`` an id or None."""


def build_page(stylist: Stylist) -> gr.Blocks:
    """The page over ``stylist``. One turn is drawn at a time; others wait in Gradio's queue."""
    running: dict[str, _Begun] = {}
    visitors = Visitors(stylist.studio.home)

    def owner_of(request: gr.Request) -> str:
        """Whose threads this browser may open; without a cookie, those of this page load."""
        return visitors.owner(request.cookies) or f"session:{request.session_hash}"

    def begin(message: str, request: gr.Request) -> str:
        """Take the message, and return what the box keeps; a browser has one turn at a time."""
        if not message.strip():
            return ""
        if request.session_hash in running:
            gr.Info("One moment: the look before is still being drawn.")
            return message
        running[str(request.session_hash)] = _Begun(message)
        return ""

    def example(event: gr.SelectData, request: gr.Request) -> str:
        return begin(str(event.value["text"]), request)

    def pick(kind: str) -> Callable[..., None]:
        def picked(event: gr.EventData, request: gr.Request) -> None:
            known = lookbook.POSES if kind == "pose" else lookbook.SCENES
            word = event._data.get("word")
            if word in known:
                begin(f"{kind.capitalize()}: {word}", request)

        return picked

    def answer(
        book: Book, mark: Mark | marking.Part | None, request: gr.Request
    ) -> Iterator[dict[Any, Any]]:
        session = str(request.session_hash)
        begun = running.get(session)
        if begun is None:  # nothing was said, or another press had it answered
            yield {chat: gr.skip()}
            return
        message, cancel = begun.message, begun.cancel
        try:
            owner = owner_of(request)
            if isinstance(mark, marking.Part):
                mark = mark.mark()
            for update in _turn(message, _own(stylist, book, owner), cancel, owner, mark):
                if running.get(session) is begun:  # else the visitor began anew meanwhile
                    yield update
        finally:
            if running.get(session) is begun:
                del running[session]

    def _turn(
        message: str, book: Book, cancel: threading.Event, owner: str, mark: Mark | None
    ) -> Iterator[dict[Any, Any]]:
        turn: Book = _new_turn(message)
        book["turns"] = [*book["turns"], turn][-KEPT_TURNS:]
        shown = _Shown(stylist, book)
        started = last = time.monotonic()
        yield {
            chat: shown.messages(),
            box: gr.update(placeholder="Drawing …"),
            send: gr.update(visible=False),
            stop: gr.update(visible=True),
        }
        drawn: Any = None
        stage = ""
        try:
            for event in stylist.reply(
                message, book["thread"], owner=owner, cancel=cancel, mark=mark
            ):
                kind, out = event["type"], {}
                same = kind == "token" or event.get("stage") == stage
                if kind == "thread":
                    book["thread"] = event["thread"]
                elif kind == "status":
                    turn["steps"].append(event["text"])
                elif kind == "token":
                    turn["reply"] += event["text"]
                elif kind == "progress":
                    preview = event.get("preview")
                    if preview is not None:
                        shown.preview = lookbook.preview_address(preview)
                    stage, step, steps = event["stage"], event["step"], event["steps"]
                    shown.doing = lookbook.stage_words(event["stage"], step, steps)
                    out[easel] = lookbook.easel(shown.preview, shown.doing, step, max(steps, 1))
                elif kind == "look":
                    drawn = event["look"]
                    turn["look"], shown.preview = drawn.id, ""
                elif kind == "answer":
                    _take(turn, event["answer"])
                    book["thread"] = event["answer"].get("thread") or book["thread"]
                hurried = kind in ("token", "progress") and time.monotonic() - last < PAUSE
                if hurried and same:  # another stage is told at once: it may be a long one
                    continue
                last = time.monotonic()
                yield {chat: shown.messages(), **out}
        except StylistError as error:
            turn["error"] = error.as_dict()
        except Exception as error:  # said in a bubble; the trace is for whoever runs the page
            traceback.print_exception(error)
            turn["error"] = {
                "message": "Something went wrong inside the program, and nothing was changed.",
                "hint": "Ask again in other words; `stylist doctor` may know more.",
            }
        turn["seconds"] = round(time.monotonic() - started, 1)
        shown.preview = shown.doing = ""
        yield {
            **page(book),
            chat: shown.messages(),
            memory: book,
            **at_rest,
            box: gr.update(placeholder="Change something …"),
        }

    def page(book: Book, at: int = -1) -> dict[Any, Any]:
        """Everything beside the conversation, showing the ``at``-th look."""
        images = [_image(stylist, t["look"]) if t["look"] else None for t in book["turns"]]
        pages = [t for t, image in zip(book["turns"], images, strict=True) if image]
        if not pages:
            return {
                easel: lookbook.easel(),
                details: lookbook.details(_last_plan(book), {}),
                notes: lookbook.notes(_last_plan(book)),
                poses: lookbook.poses(None),
                scenes: lookbook.scenes(None),
                strip: "",
                **touch.at_rest(None),
            }
        at = at if at < len(pages) else -1
        turn, plan = pages[at], pages[at]["plan"]
        shades = lookbook.card_shades(stylist.studio.catalog, plan)
        now = pages[-1]["plan"] or {}
        return {
            easel: touch.mounted(turn),
            details: lookbook.details(plan, shades),
            notes: lookbook.notes(plan),
            poses: lookbook.poses(now.get("pose")),
            scenes: lookbook.scenes(now.get("scene")),
            strip: lookbook.strip(
                [picture_address(image) for image in images if image],
                [t["user"] for t in pages],
                at % len(pages),
            ),
            **touch.at_rest(turn, newest=turn is pages[-1]),
        }

    def newest(book: Book, request: gr.Request) -> Book | None:
        """The turn whose look is the present one."""
        book = _own(stylist, book, owner_of(request))
        pages = [t for t in book["turns"] if t["look"] and _image(stylist, t["look"])]
        return pages[-1] if pages and str(request.session_hash) not in running else None

    touch = touch_panel.TouchPanel(stylist, newest, begin)

    def restore(book: Book, request: gr.Request) -> dict[Any, Any]:
        book = _own(stylist, book, owner_of(request))
        return {**page(book), chat: _Shown(stylist, book).messages()}

    def turn_page(event: gr.EventData, book: Book, request: gr.Request) -> dict[Any, Any]:
        word = str(event._data.get("word"))
        at = int(word) if word.isdecimal() and len(word) < 3 else -1
        shown = page(_own(stylist, book, owner_of(request)), at)
        return {part: shown[part] for part in (easel, notes, details, strip, *touch.outputs())}

    def halt(request: gr.Request) -> None:
        if begun := running.get(str(request.session_hash)):
            begun.cancel.set()

    def leave(request: gr.Request) -> None:
        if begun := running.pop(str(request.session_hash), None):
            begun.cancel.set()

    def begin_anew(request: gr.Request) -> dict[Any, Any]:
        """What is beside the conversation, empty again; `CLEAR` has emptied the conversation."""
        leave(request)
        return {**page({"thread": None, "turns": []}), **at_rest}

    def delete(book: Book, request: gr.Request) -> dict[Any, Any]:
        """Forget the conversation and its looks for good, then begin anew."""
        thread = _checked(book)["thread"]
        leave(request)
        if thread:
            try:
                stylist.delete(thread, owner_of(request))
                gr.Info("The conversation and its looks are deleted.")
            except StylistError as error:
                gr.Warning(str(error))
        return {**begin_anew(request), chat: [], memory: {"thread": None, "turns": []}}

    with gr.Blocks(title="Stylist", analytics_enabled=False, fill_width=True) as blocks:
        memory = gr.BrowserState({"thread": None, "turns": []}, storage_key="stylist-book")
        with gr.Row(elem_id="top"):
            gr.HTML(MARK, elem_id="mark")
            remove = gr.Button("Delete chat", elem_id="remove", size="sm", min_width=90, scale=0)
            new = gr.Button("New chat", elem_id="new", size="sm", min_width=90, scale=0)
        with gr.Row(elem_id="spread", equal_height=False):
            with gr.Column(scale=11, min_width=340, elem_id="talk"):
                chat = gr.Chatbot(
                    elem_id="chat",
                    show_label=False,
                    label="Conversation",
                    container=False,
                    height=None,
                    buttons=[],
                    feedback_options=None,
                    layout="bubble",
                    placeholder=GREETING,
                    examples=[{"text": text} for text in EXAMPLES],
                    group_consecutive_messages=True,
                )
                with gr.Row(elem_id="composer"):
                    box = gr.Textbox(
                        elem_id="box",
                        show_label=False,
                        label="Your message",
                        container=False,
                        placeholder="Winter outfit for a commute …",
                        lines=1,
                        max_lines=5,
                        autofocus=True,
                        scale=1,
                    )
                    send = gr.Button("Send", elem_id="send", scale=0, min_width=84)
                    stop = gr.Button("Stop", elem_id="stop", scale=0, min_width=84, visible=False)
            with gr.Column(scale=10, min_width=340, elem_id="look"):
                with gr.Row(elem_id="plate", equal_height=False):
                    with gr.Column(elem_id="mounted", min_width=150):
                        easel = gr.HTML(
                            lookbook.easel(), elem_id="easel", js_on_load=touch_panel.POINTING
                        )
                        notes = gr.HTML("", elem_id="notes")
                    details = gr.HTML(lookbook.details(None, {}), elem_id="details")
                touch.place(PICK)
                poses = gr.HTML(lookbook.poses(None), elem_id="poses", js_on_load=PICK)
                scenes = gr.HTML(lookbook.scenes(None), elem_id="scenes", js_on_load=PICK)
                strip = gr.HTML("", elem_id="strip", js_on_load=PICK)

        at_rest = {send: gr.update(visible=True), stop: gr.update(visible=False)}
        beside = [easel, notes, details, poses, scenes, strip, *touch.outputs()]
        out = [chat, memory, box, send, stop, *beside]
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        # A handler that may have a word to say goes through the queue: without it none is shown.
        spoken = {**private, "concurrency_limit": None}
        starts = [
            box.submit(begin, [box], [box], **spoken),
            send.click(begin, [box], [box], **spoken),
            chat.example_select(example, None, [box], **spoken),
            poses.select(pick("pose"), None, None, **spoken),
            scenes.select(pick("scene"), None, None, **spoken),
            touch.wire(easel, memory, private),
        ]
        for start in starts:
            start.then(
                answer, [memory, touch.part], out, concurrency_id="draw", concurrency_limit=1,
                trigger_mode="multiple",  # a turn left behind may still be ending
                **private,
            )  # fmt: skip
        stop.click(halt, None, None, queue=False, **private)
        aside = [easel, notes, details, strip, *touch.outputs()]
        strip.select(turn_page, [memory], aside, queue=False, **private)
        new.click(None, None, [chat, memory], js=CLEAR, **private)
        new.click(begin_anew, None, [send, stop, *beside], queue=False, **private)
        remove.click(delete, [memory], [chat, memory, send, stop, *beside], **spoken)
        blocks.load(restore, [memory], [chat, *beside], **private)
        blocks.unload(leave)
    garment_page.add_garment_page(blocks, stylist.studio, owner_of)
    return blocks


def serve(stylist: Stylist, settings: Settings, announce: Callable[[str], None] = print) -> None:
    """Open the page on ``settings.host``:``settings.port`` and keep it until interrupted.

    Raises Busy when the port is taken.
    """
    blocks = build_page(stylist)
    launch(blocks, settings)
    announce(f"The stylist is at http://{settings.host}:{settings.port} (Ctrl-C ends it)")
    try:
        blocks.block_thread()
    finally:
        blocks.close(verbose=False)


def launch(blocks: gr.Blocks, settings: Settings) -> None:
    """Start serving ``blocks`` in the background, with no request to anybody outside."""
    (settings.home / "looks").mkdir(parents=True, exist_ok=True)
    visitors = Visitors(settings.home)
    try:
        blocks.launch(
            server_name=settings.host,
            server_port=settings.port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            **_manner(settings),
            app_kwargs={
                "middleware": [Middleware(VisitorCookie, visitors=visitors)],
                "routes": _routes(settings, visitors),
            },
        )
    except OSError:
        raise Busy(
            f"Port {settings.port} on {settings.host} is taken.",
            f"Close what uses it, or choose another: stylist chat --port {settings.port + 1}",
        ) from None


def mount(stylist: Stylist, settings: Settings, app: Any) -> None:
    """Put the page at the root of a FastAPI ``app``, behind the routes that it has already."""
    (settings.home / "looks").mkdir(parents=True, exist_ok=True)
    visitors = Visitors(settings.home)
    app.add_middleware(VisitorCookie, visitors=visitors)
    app.router.routes.extend(_routes(settings, visitors))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it says that SSR is off, as we asked
        gr.mount_gradio_app(app, build_page(stylist), path="/", **_manner(settings))


def _routes(settings: Settings, visitors: Visitors) -> list[Route]:
    """What a visitor fetches beside the page itself: words and pictures of their own."""
    pictures = Pictures(settings.home, visitors)
    return [*routes(Conversations(settings.home), visitors), pictures.route()]


def _manner(settings: Settings) -> dict[str, Any]:
    """How the page looks, and that it asks nobody outside; Gradio itself gives out no file."""
    return {
        "ssr_mode": False,
        "show_error": False,
        "footer_links": [],
        "theme": gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        "css": CSS.read_text() + garment_page.CSS.read_text(),
        "max_file_size": "64mb",
    }


@dataclass
class _Begun:
    """What a browser said and waits to have answered. Kept here and not in the page's state, where
    a second press would take its place."""

    message: str
    cancel: threading.Event = field(default_factory=threading.Event)


class _Shown:
    """The conversation as Gradio messages; ``preview`` and ``doing`` are the turn under way."""

    def __init__(self, stylist: Stylist, book: Book) -> None:
        self.stylist, self.book = stylist, book
        self.preview = ""
        self.doing = ""
        self._before: list[gr.ChatMessage] | None = None

    def messages(self) -> list[gr.ChatMessage]:
        if self._before is None:
            self._before = [m for t in self.book["turns"][:-1] for m in self._turn(t)]
        return self._before + [m for t in self.book["turns"][-1:] for m in self._turn(t)]

    def _turn(self, turn: Book) -> Iterator[gr.ChatMessage]:
        yield gr.ChatMessage(role="user", content=turn["user"])
        pending = turn["seconds"] is None
        if turn["steps"] or pending:
            title = (self.doing or (turn["steps"] or ["Thinking"])[-1]) if pending else "How"
            meta: Any = {"title": title, "status": "pending" if pending else "done"}
            if not pending:
                meta["duration"] = turn["seconds"]
            lines = "\n".join(f"- {step}" for step in turn["steps"])
            yield gr.ChatMessage(content=lines or "…", metadata=meta)
        if turn["error"]:
            yield gr.ChatMessage(content=f"{turn['error']['message']} {turn['error']['hint']}")
        elif turn["reply"]:
            yield gr.ChatMessage(content=turn["reply"])
        if pending and self.preview:
            yield gr.ChatMessage(content=lookbook.sketch(self.preview))
        elif turn["look"] and (image := _image(self.stylist, turn["look"])):
            yield gr.ChatMessage(content=lookbook.print_(picture_address(image), turn["plan"]))


def _new_turn(message: str) -> Book:
    return {
        "user": message, "reply": "", "error": None, "steps": [], "seconds": None, "look": None,
        "plan": None,
    }  # fmt: skip


def _take(turn: Book, answer: Book) -> None:
    """What the finished ``answer`` says, into ``turn``."""
    turn["reply"] = answer.get("reply") or turn["reply"]
    turn["error"] = answer.get("error")
    turn["plan"] = answer.get("plan")
    turn["look"] = answer["look"]["id"] if answer.get("look") else None


def _checked(book: Any) -> Book:
    """``book`` as a browser sent it, with everything that does not look like ours left out."""
    if not isinstance(book, dict) or not isinstance(book.get("turns"), list):
        return {"thread": None, "turns": []}
    kept = [turn for turn in book["turns"][-KEPT_TURNS:] if _is_turn(turn)]
    thread = book.get("thread")
    return {"thread": thread if isinstance(thread, str) else None, "turns": kept}


def _own(stylist: Stylist, book: Any, owner: str) -> Book:
    """``book`` if its conversation is ``owner``'s, with looks of that conversation only."""
    book = _checked(book)
    thread = book["thread"]
    try:
        if thread is not None:
            stylist.conversations.load(check_thread(thread), owner)
    except Damaged:
        pass  # the next turn says so
    except StylistError:
        return {"thread": None, "turns": []}
    return {**book, "turns": [t for t in book["turns"] if _is_of(stylist, t["look"], thread)]}


def _is_of(stylist: Stylist, look: str | None, thread: str | None) -> bool:
    try:
        return look is None or stylist.studio.look(look).receipt.thread == thread
    except StylistError:
        return True  # it is gone: there is nothing to show


def _is_turn(turn: Any) -> bool:
    try:
        lookbook.details(turn["plan"], {})
        lookbook.alt_text(turn["plan"])
        finished = isinstance(turn["seconds"], int | float)
        return finished and set(turn) == set(_new_turn(turn["user"] + turn["reply"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _last_plan(book: Book) -> Any:
    return book["turns"][-1]["plan"] if book["turns"] else None


def _image(stylist: Stylist, look: str) -> str | None:
    """The picture's path, None when the look is gone."""
    try:
        image = stylist.studio.look(look).image
    except StylistError:
        return None
    return image if Path(image).is_file() else None
