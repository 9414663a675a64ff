"""What one message asks for: the kind, the whole wish after it, and what is to be said aloud."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tools.wish import Piece, Wish

Kind = Literal[
    "dress", "touch", "redraw", "undo", "redo", "first", "greet", "thanks", "why", "cost", "what",
    "warm_enough", "help", "have", "compare", "decline", "unclear", "material",
    "waterproof", "dressy", "cannot_tell", "sizes", "needed", "aside", "most", "umbrella",
    "taller", "slimmer", "may", "together",
]  # fmt: skip


@dataclass
class Request:
    """What one message asks for."""

    kind: Kind
    language: str = "en"
    wish: Wish = field(default_factory=Wish)
    """The whole wish after this message (not only its change)."""
    order: str = ""
    """Kinds have and most: what comes first (``catalog.index.ORDERS``), when it is asked for."""
    pick: int = 0
    """Kind dress: which garment of those listed before is to be worn; 0 = none by its number."""
    find: list[Piece] = field(default_factory=list)
    """Pieces asked for by name in this message."""
    pose: str | None = None
    scene: str | None = None
    person: dict[str, str] = field(default_factory=dict)
    redraw_only: bool = False
    """Only pose, scene or person change: the garments stay."""
    another: bool = False
    """Another look is asked for without the word."""
    changes: bool = False
    """Whether garments are asked to change."""
    reason: str = ""
    """Why it is declined: undress, child, harm, inject, elsewhere."""
    about: Piece | None = None
    """What a question is about."""
    celsius: float | None = None
    """Kind warm_enough: the temperature asked about, if not the plan's."""
    event: str = ""
    """Kind dressy: the occasion asked about, if not the plan's."""
    notes: list[str] = field(default_factory=list)
    """Things to say aloud."""
    steps: int = 1
    """Kind undo: how many looks back; below 0 forward again."""
    recolour: dict[str, Any] = field(default_factory=dict)
    """Arguments of ``touch_up`` that draw what is worn in the colour asked for, should the shop
    have no such garment."""
    touch: dict[str, Any] = field(default_factory=dict)
    """Kind touch: the arguments of ``touch_up`` that do all that is asked."""
