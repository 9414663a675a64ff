"""Pictures of looks and garment jobs: each is sent to the visitor it belongs to, to nobody else."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from agent.conversation import Conversations
from catalog.errors import StylistError
from tools.jobs import Jobs
from tools.looks import Looks
from ui.visitor import Visitors

PATH = "pictures"
_OWNED = re.compile(r"(look|job)-[0-9a-f]+")


def picture_address(picture: str | Path) -> str:
    """Where the page finds a picture file of a look or of a garment job."""
    parts = Path(picture).parts
    last = max(i for i, part in enumerate(parts) if _OWNED.fullmatch(part))
    return quote("/".join((PATH, *parts[last:])))


class Pictures:
    """The pictures of one home, as ``picture_address`` names them."""

    def __init__(self, home: Path, visitors: Visitors) -> None:
        self._looks, self._jobs = Looks(home), Jobs(home, {})
        self._conversations, self._visitors = Conversations(home), visitors

    def route(self) -> Route:
        return Route(f"/{PATH}/{{id}}/{{file:path}}", self._send)

    def _send(self, request: Request) -> Response:
        owner = self._visitors.owner(request.cookies)
        id, file = request.path_params["id"], request.path_params["file"]
        try:
            folder = self._folder(id, owner) if owner else None
        except StylistError:
            folder = None
        picture = folder and (folder / file).resolve()
        if not (folder and picture and picture.is_relative_to(folder.resolve())):
            return Response(status_code=404)
        if picture.suffix not in (".png", ".jpg", ".webp") or not picture.is_file():
            return Response(status_code=404)
        return FileResponse(picture, headers={"cache-control": "private"})

    def _folder(self, id: str, owner: str) -> Path | None:
        """Where the files of a look or job lie; None when it is not ``owner``'s."""
        if id.startswith("look-"):
            look = self._looks.get(id)
            thread = look.receipt.thread
            mine = thread is not None and self._conversations.is_of(thread, owner)
            return Path(look.folder) if mine and look.receipt.owner is None else None
        return self._jobs.folder / id if self._jobs.status(id).owner == owner else None
