"""Stand-ins for tests: a small wardrobe of cards, a Studio that draws a grey card, a model server.

``FakeEngineStudio`` keeps the real search and the real look types; only its pictures are dummies.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from catalog.croquis.palette import COLORS
from catalog.errors import Cancelled, UnknownName
from catalog.garment import CATEGORIES, Cloth, Garment, Shape
from tools.look import Look, Plan, Receipt
from tools.outfit import Outfit, Wish, choose

_B = ("women", "men")
_W = ("women",)
_M = ("men",)
_SA, _SU, _WI = "spring-autumn", "summer", "winter"


def garment(
    id: str, category: str, color: str, clo: float, formality: float, seasons: tuple[str, ...],
    occasions: str = "everyday", price: float = 40.0, wearers: tuple[str, ...] = _B, **more,
) -> Garment:  # fmt: skip
    """A card with sensible values for everything not said."""
    kind = CATEGORIES[category]
    pattern, material = more.pop("pattern", "plain"), more.pop("material", kind.materials[0])
    length = more.pop("length", kind.lengths[0])
    sleeves = more.pop("sleeves", kind.sleeves[-1])
    return Garment(
        id=id,
        name=more.pop("name", f"{color} {category}".capitalize()),
        slot=kind.slot,
        shape=Shape(category=category, length=length, sleeves=sleeves),
        cloth=Cloth(colors=(COLORS[color][0],), pattern=pattern, material=material),
        color=color,
        seasons=seasons,
        occasions=tuple(occasions.split()),
        wearers=wearers,
        formality=formality,
        clo=clo,
        price=price,
        trigger="zq" + "".join(c for c in id if c.isalnum())[:12],
        **more,
    )


def wardrobe() -> list[Garment]:
    """About fifty cards over all slots, seasons and occasions."""
    g = garment
    year, cool, warm = (_SA, _SU, _WI), (_SA, _WI), (_SA, _SU)
    return [
        g("tee-white", "t-shirt", "white", 0.08, 0.25, warm, "everyday sport travel", 15),
        g("tee-stripe", "t-shirt", "navy", 0.08, 0.3, warm, "everyday beach", 19,
          pattern="stripes"),
        g("tank-coral", "tank top", "coral", 0.06, 0.12, (_SU,), "sport beach", 12),
        g("shirt-lightblue", "shirt", "light blue", 0.25, 0.65, year, "work commute interview", 49),
        g("shirt-white", "shirt", "white", 0.25, 0.78, year, "work formal wedding interview", 55),
        g("shirt-linen", "shirt", "beige", 0.19, 0.45, warm, "everyday travel beach", 45,
          material="linen", sleeves="short"),
        g("blouse-cream", "blouse", "cream", 0.2, 0.68, year, "work interview date", 59, _W,
          material="silk"),
        g("polo-green", "polo shirt", "green", 0.17, 0.4, warm, "everyday sport travel", 35),
        g("sweater-red", "sweater", "red", 0.36, 0.4, cool, "everyday commute", 69,
          material="wool"),
        g("sweater-grey", "sweater", "grey", 0.36, 0.45, cool, "commute work everyday", 65),
        g("turtle-black", "turtleneck", "black", 0.37, 0.6, (_WI,), "work commute date", 59),
        g("turtle-mustard", "turtleneck", "mustard", 0.37, 0.5, (_WI,), "everyday commute", 55),
        g("hoodie-grey", "hoodie", "grey", 0.34, 0.15, cool, "sport everyday travel", 45),
        g("jeans-blue", "jeans", "blue", 0.24, 0.35, year, "everyday commute travel", 79),
        g("jeans-black", "jeans", "black", 0.24, 0.45, year, "everyday commute date party", 75),
        g("trousers-charcoal", "trousers", "charcoal", 0.24, 0.72, cool,
          "work formal interview commute wedding", 89, material="wool"),
        g("trousers-beige", "trousers", "beige", 0.15, 0.55, warm, "work everyday travel", 65,
          material="cotton"),
        g("trousers-navy", "trousers", "navy", 0.2, 0.7, year, "work interview formal wedding", 85),
        g("leggings-black", "leggings", "black", 0.15, 0.1, year, "sport", 30, _W),
        g("shorts-olive", "shorts", "olive", 0.08, 0.2, (_SU,), "beach sport everyday", 29),
        g("shorts-white", "shorts", "white", 0.06, 0.25, (_SU,), "beach travel", 29),
        g("skirt-mini", "mini skirt", "burgundy", 0.14, 0.5, cool, "party date", 39, _W),
        g("skirt-midi", "midi skirt", "dark green", 0.18, 0.6, year, "work date everyday", 55, _W),
        g("skirt-pencil", "pencil skirt", "black", 0.2, 0.75, year, "work formal interview", 59,
          _W),
        g("dress-red-mini", "mini dress", "red", 0.2, 0.6, warm, "party date", 79, _W,
          sleeves="none"),
        g("dress-floral", "midi dress", "yellow", 0.25, 0.45, (_SU,), "everyday date wedding", 85,
          _W, pattern="floral", sleeves="short"),
        g("dress-black-midi", "midi dress", "black", 0.33, 0.8, year, "formal party wedding", 120,
          _W, sleeves="long"),
        g("dress-maxi", "maxi dress", "turquoise", 0.25, 0.35, (_SU,), "beach travel", 75, _W,
          sleeves="none"),
        g("jumpsuit-navy", "jumpsuit", "navy", 0.4, 0.6, year, "party work date", 95, _W),
        g("coat-camel", "coat", "camel", 0.6, 0.68, (_WI, _SA), "commute work formal", 199),
        g("coat-black", "coat", "black", 0.62, 0.75, (_WI,), "work formal commute party", 220),
        g("trench-beige", "trench coat", "beige", 0.4, 0.62, (_SA,), "commute work", 159,
          waterproof=True),
        g("raincoat-yellow", "raincoat", "yellow", 0.35, 0.3, cool, "rain commute outdoors", 89,
          waterproof=True),
        g("puffer-blue", "puffer jacket", "blue", 0.7, 0.3, (_WI,), "commute everyday outdoors",
          149),
        g("denim-jacket", "denim jacket", "blue", 0.3, 0.35, (_SA,), "everyday travel", 75),
        g("leather-jacket", "leather jacket", "black", 0.35, 0.45, (_SA,), "party date everyday",
          189),
        g("blazer-navy", "blazer", "navy", 0.36, 0.76, (_SA, _WI, _SU),
          "work interview formal wedding", 139),
        g("cardigan-cream", "cardigan", "cream", 0.3, 0.45, (_SA, _WI), "everyday work", 59),
        g("sneakers-white", "sneakers", "white", 0.04, 0.3, warm, "everyday travel commute", 79,
          material="leather"),
        g("sneakers-run", "sneakers", "orange", 0.04, 0.1, year, "sport", 89),
        g("boots-brown", "boots", "brown", 0.1, 0.45, cool, "commute everyday work", 129),
        g("boots-black", "boots", "black", 0.1, 0.55, cool, "commute party date work", 139),
        g("rainboots-green", "rain boots", "green", 0.1, 0.2, cool, "rain outdoors", 49,
          waterproof=True),
        g("heels-black", "heels", "black", 0.03, 0.8, year, "party formal wedding date", 99, _W),
        g("loafers-brown", "loafers", "brown", 0.04, 0.68, year, "work interview commute", 109),
        g("oxford-black", "loafers", "black", 0.04, 0.8, year, "formal wedding work", 119, _M),
        g("sandals-tan", "sandals", "camel", 0.02, 0.2, (_SU,), "beach everyday", 49),
        g("flats-pink", "ballet flats", "pink", 0.03, 0.5, warm, "everyday work date", 49, _W),
        g("beanie-grey", "beanie", "grey", 0.05, 0.25, (_WI,), "everyday commute", 19),
        g("cap-navy", "cap", "navy", 0.02, 0.15, warm, "sport everyday", 19),
        g("sunhat", "sun hat", "beige", 0.02, 0.25, (_SU,), "beach", 25),
        g("sunglasses", "sunglasses", "black", 0.0, 0.4, (_SU, _SA), "beach everyday", 35),
        g("scarf-red", "scarf", "red", 0.1, 0.45, (_WI,), "commute everyday", 29, pattern="plaid",
          material="wool"),
        g("scarf-silk", "scarf", "lavender", 0.02, 0.7, year, "formal date", 45, material="silk"),
        g("tie-burgundy", "tie", "burgundy", 0.01, 0.85, year, "formal wedding interview", 35, _M),
        g("tote-canvas", "tote bag", "cream", 0.0, 0.35, year, "everyday beach commute", 25),
        g("handbag-black", "handbag", "black", 0.0, 0.7, year, "work formal party", 89, _W),
        g("backpack-grey", "backpack", "grey", 0.0, 0.35, year, "commute travel sport", 69),
        g("coat-soldout", "coat", "white", 0.6, 0.7, (_WI,), "commute", 150, available=False),
    ]  # fmt: skip


class FakeEngineStudio:
    """The studio's face with the real search and a dummy picture; for tests of the agent only."""

    def __init__(self, home: Path, garments: list[Garment] | None = None) -> None:
        self.home = Path(home)
        self.cards = wardrobe() if garments is None else list(garments)
        self.catalog = self
        self.drawn: list[Plan] = []
        self.fail: Exception | None = None
        self._looks: dict[str, Look] = {}

    def all(self) -> list[Garment]:
        return self.cards

    def get(self, id: str) -> Garment:
        for g in self.cards:
            if g.id == id:
                return g
        raise UnknownName.among("garment", id, [g.id for g in self.cards])

    def find_garments(
        self, text="", slot=None, season=None, color=None, category=None, min_formality=0.0,
        max_formality=1.0, max_price=None, limit=8,
    ) -> list[Garment]:  # fmt: skip
        if category is not None and category not in CATEGORIES:
            raise UnknownName.among("category", category, CATEGORIES)
        words = set(text.lower().split())
        found = [
            g
            for g in self.cards
            if g.available
            and slot in (None, g.slot)
            and color in (None, g.color)
            and category in (None, g.category)
            and (season is None or season in g.seasons)
            and min_formality <= g.formality <= max_formality
            and (max_price is None or g.price <= max_price)
        ]
        return sorted(found, key=lambda g: -len(words & set(g.name.lower().split())))[:limit]

    def plan_outfit(self, wish: Wish) -> Outfit:
        return choose(wish, self.cards)

    def render_look(self, plan, *, thread=None, parent=None, progress=None, cancel=None) -> Look:
        from types import SimpleNamespace

        if self.fail is not None:
            raise self.fail
        if cancel is not None and cancel.is_set():
            raise Cancelled("Stopped.", "Nothing was kept.")
        for step in range(3):
            if progress:
                progress(SimpleNamespace(stage="draw", step=step + 1, steps=3, preview=None))
        self.drawn.append(plan)
        look_id = f"look-{len(self.drawn)}"
        folder = self.home / "looks" / look_id
        folder.mkdir(parents=True)
        (folder / "look.png").write_bytes(b"\x89PNG dummy")
        receipt = Receipt(
            look_id=look_id, plan=plan, base="croquis", base_sha256="", adapters=(),
            control_sha256="", picture_sha256="", width=256, height=384, versions={},
            created="2026-01-01T00:00:00Z", parent=parent, thread=thread,
        )  # fmt: skip
        (folder / "receipt.json").write_text(receipt.model_dump_json())
        seconds = {"text": 0.01, "denoise": 0.02, "decode": 0.01}
        look = Look(id=look_id, folder=str(folder), receipt=receipt, seconds=seconds)
        self._looks[look_id] = look
        return look

    def look(self, id: str) -> Look:
        try:
            return self._looks[id]
        except KeyError:
            raise UnknownName.among("look", id, self._looks) from None


Script = Callable[[list[dict]], "dict | str | int | bytes"]
"""messages → tool calls ``{"tool": name, "args": {...}}``, a text, an HTTP status, or raw bytes."""


class ModelServer:
    """A local server that speaks the OpenAI chat-completions protocol, streaming included."""

    def __init__(self, script: Script) -> None:
        self.requests: list[dict] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body)
                said = script(body["messages"])
                if isinstance(said, int):
                    self._send(said, b'{"error": {"message": "out of order"}}', "application/json")
                elif isinstance(said, bytes):
                    self._send(200, said, "text/event-stream")
                else:
                    self._send(200, _sse(said, len(outer.requests)), "text/event-stream")

            def _send(self, status: int, data: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *exc) -> None:
        self._server.shutdown()
        self._server.server_close()


def _sse(said: dict | str, number: int) -> bytes:
    def event(delta: dict, finish: str | None = None) -> str:
        chunk = {
            "id": f"c{number}", "object": "chat.completion.chunk", "created": 1, "model": "test",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }  # fmt: skip
        return f"data: {json.dumps(chunk)}\n\n"

    events = [event({"role": "assistant", "content": ""})]
    if isinstance(said, str):
        events += [event({"content": word + " "}) for word in said.split(" ")]
        events.append(event({}, "stop"))
    else:
        args = json.dumps(said["args"])
        half = len(args) // 2
        call = {"index": 0, "id": f"call{number}", "type": "function",
                "function": {"name": said["tool"], "arguments": args[:half]}}  # fmt: skip
        events.append(event({"tool_calls": [call]}))
        rest = {"index": 0, "function": {"arguments": args[half:]}}
        events.append(event({"tool_calls": [rest]}))
        events.append(event({}, "tool_calls"))
    return ("".join(events) + "data: [DONE]\n\n").encode()
