"""Garments and looks as MCP resources, with templates and paging, and the prompts.

    garment://ID  garment://ID/photo        look://ID  look://ID/preview  look://ID/receipt

While a look is drawn its id is ``drawing-…``, and ``look://drawing-…/preview`` shows how far it is.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import mcp_types as mcp

from catalog.errors import BadValue, UnknownName, clip
from tools import mcp_answers
from tools.callers import Caller
from tools.studio import Studio

PAGE = 50
MAX_URI = 200
KEPT_DRAWINGS = 64
"""Drawings whose preview can still be read: those under way, and the last finished ones."""
_URI = re.compile(r"(garment|look)://([a-z0-9-]{2,64})(?:/(photo|preview|receipt))?")
TEMPLATES = (
    ("garment://{id}", "garment", "A garment's card", "application/json"),
    ("garment://{id}/photo", "garment-photo", "The garment's first product photo", "image/png"),
    ("look://{id}", "look", "A look's full picture", "image/png"),
    (
        "look://{id}/preview",
        "look-preview",
        "A look, small; while it is drawn (id from the progress messages) how far it is",
        "image/jpeg",
    ),
    ("look://{id}/receipt", "look-receipt", "All that is needed to draw it again",
     "application/json"),
)  # fmt: skip


# --- drawings under way -------------------------------------------------------------------------


@dataclass
class Drawing:
    """A render that somebody waits for."""

    id: str
    owner: str | None
    picture: Any = None
    """The newest preview, uint8 ``(H, W, 3)``; None before the first."""
    look: str | None = None
    """The look it became."""


class Drawings:
    """The renders under way, by an id that is known before the look's own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Drawing] = OrderedDict()

    def begin(self, owner: str | None) -> Drawing:
        drawing = Drawing(f"drawing-{secrets.token_hex(8)}", owner)
        with self._lock:
            self._kept[drawing.id] = drawing
            while len(self._kept) > KEPT_DRAWINGS:
                self._kept.popitem(last=False)
        return drawing

    def preview(self, id: str, caller: Caller, studio: Studio) -> bytes:
        """A JPEG file of what there is to see. Raises UnknownName, BadValue (nothing yet)."""
        with self._lock:
            drawing = self._kept.get(id)
        if drawing is None or caller.name not in (None, drawing.owner):
            raise UnknownName.among("drawing", id, ())
        if drawing.look is not None:
            return mcp_answers.preview(studio.look(drawing.look, owner=caller.name))
        if drawing.picture is None:
            raise BadValue("There is nothing to see of it yet.", "Read it again in a moment.")
        from PIL import Image

        return mcp_answers.jpeg(Image.fromarray(drawing.picture))


# --- resources ----------------------------------------------------------------------------------


def listed(studio: Studio, caller: Caller, cursor: str | None) -> mcp.ListResourcesResult:
    """One page: the garments by id, then the caller's looks, oldest first.

    Raises BadValue for a cursor that no page of ours named.
    """
    looks = {x.id: x for x in studio.looks(owner=caller.name)}
    uris = [f"garment://{g.id}" for g in studio.catalog.all()] + [f"look://{id}" for id in looks]
    start = 0
    if cursor is not None:
        last = _uri_of(cursor)
        if last not in uris:
            raise BadValue("There is no such page.", "Begin again without a cursor.")
        start = uris.index(last) + 1
    page = uris[start : start + PAGE]
    more = start + PAGE < len(uris)
    return mcp.ListResourcesResult(
        resources=[r for uri in page for r in _resources(uri, studio)],
        next_cursor=base64.urlsafe_b64encode(page[-1].encode()).decode() if more else None,
    )


def _resources(uri: str, studio: Studio) -> list[mcp.Resource]:
    kind, _, id = uri.partition("://")
    if kind == "garment":
        card = studio.catalog.get(id)
        title = f"{card.color} {card.category}"
        return [mcp.Resource(uri=uri, name=id, title=title, mime_type="application/json")]
    receipt = mcp.Resource(
        uri=f"{uri}/receipt", name=f"{id}-receipt", title="Receipt", mime_type="application/json"
    )
    return [mcp.Resource(uri=uri, name=id, title="Look", mime_type="image/png"), receipt]


def _uri_of(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor[:MAX_URI].encode()).decode()
    except ValueError:
        return ""


def templates() -> list[mcp.ResourceTemplate]:
    return [
        mcp.ResourceTemplate(uri_template=uri, name=name, title=title, mime_type=kind)
        for uri, name, title, kind in TEMPLATES
    ]


def read(
    studio: Studio, drawings: Drawings, caller: Caller, uri: str
) -> mcp.TextResourceContents | mcp.BlobResourceContents:
    """The resource at ``uri``. Raises UnknownName for what is not there or is another caller's."""
    found = _URI.fullmatch(uri) if len(uri) <= MAX_URI else None
    kind, id, part = found.groups() if found else ("", "", None)
    if kind == "garment" and part in (None, "photo"):
        if part == "photo":
            return _blob(uri, studio.catalog.photos(id)[0].read_bytes(), "image/png")
        card = mcp_answers.garment_facts(studio.catalog.get(id))
        return _json(uri, {"notice": mcp_answers.NOTICE, **mcp_answers.clean(card)})
    if kind == "look" and part != "photo":
        if id.startswith("drawing-") and part == "preview":
            return _blob(uri, drawings.preview(id, caller, studio), "image/jpeg")
        look = studio.look(id, owner=caller.name)
        if part == "preview":
            return _blob(uri, mcp_answers.preview(look), "image/jpeg")
        if part == "receipt":
            return _json(uri, look.receipt.model_dump(mode="json"))
        return _blob(uri, mcp_answers.picture_bytes(look), "image/png")
    raise UnknownName(
        f"There is no resource “{clip(uri)}”.",
        f"There are: {', '.join(template[0] for template in TEMPLATES)}.",
    )


def _json(uri: str, facts: dict[str, Any]) -> mcp.TextResourceContents:
    text = json.dumps(facts, ensure_ascii=False, indent=1)
    return mcp.TextResourceContents(uri=uri, text=text, mime_type="application/json")


def _blob(uri: str, data: bytes, kind: str) -> mcp.BlobResourceContents:
    return mcp.BlobResourceContents(uri=uri, blob=base64.b64encode(data).decode(), mime_type=kind)


# --- prompts ------------------------------------------------------------------------------------

_HOW = (
    "Call plan_outfit with all that is known, say what it assumed and could not meet, then call "
    "render_look with the arguments it returned and show the picture. Name only garments that the "
    "tools returned."
)
PROMPTS: dict[str, tuple[str, str, tuple[tuple[str, str, bool], ...], str]] = {
    "dress_me_for": (
        "Dress me for …",
        "An outfit for an occasion, planned and drawn.",
        (
            ("occasion", "what it is for: a commute, a wedding in May …", True),
            ("about_me", "who wears it, what they like and avoid", False),
            ("budget", "the most that all pieces may cost together", False),
        ),
        "Dress me for this: {occasion}. About me: {about_me}. Budget: {budget}.\n\n" + _HOW,
    ),
    "seasonal_capsule": (
        "Seasonal capsule of ten",
        "Ten garments that combine into many outfits for one season.",
        (
            ("season", "spring-autumn, summer or winter", True),
            ("colors", "colours to keep to", False),
            ("occasions", "what the days are like", False),
        ),
        "Put together a capsule wardrobe of ten garments for {season}. Colours: {colors}. "
        "Occasions: {occasions}.\n\nSearch with find_garments (season={season}), choose ten that "
        "combine: tops, bottoms or onepieces, one or two outer layers, shoes, at most two "
        "accessories. Check three combinations with plan_outfit (keep the ids), draw the best "
        "with render_look, and list the ten with ids and prices. Name only garments that the "
        "tools returned.",
    ),
}
MAX_ARGUMENT = 400


def prompts() -> list[mcp.Prompt]:
    return [
        mcp.Prompt(
            name=name,
            title=title,
            description=about,
            arguments=[
                mcp.PromptArgument(name=n, description=d, required=r) for n, d, r in arguments
            ],
        )
        for name, (title, about, arguments, _) in PROMPTS.items()
    ]


def prompt(name: str, given: dict[str, str]) -> mcp.GetPromptResult:
    """The prompt with its blanks filled in. Raises UnknownName, BadValue."""
    if name not in PROMPTS:
        raise UnknownName.among("prompt", name, PROMPTS)
    _, about, arguments, text = PROMPTS[name]
    known = {n for n, _, _ in arguments}
    for n, value in given.items():
        if n not in known:
            raise UnknownName.among("argument", n, known)
        if len(value) > MAX_ARGUMENT:
            raise BadValue(f"“{n}” has at most {MAX_ARGUMENT} characters.", "Say it shorter.")
    for n, _, required in arguments:
        if required and not given.get(n, "").strip():
            raise BadValue(f"“{n}” is missing.", "The prompt cannot do without it.")
    filled = text.format(**{n: given.get(n, "").strip() or "not said" for n in known})
    message = mcp.PromptMessage(role="user", content=mcp.TextContent(type="text", text=filled))
    return mcp.GetPromptResult(description=about, messages=[message])
