"""Stand-ins for tests: a small wardrobe of cards, and a Studio that draws a grey card.

``FakeEngineStudio`` keeps the real search and the real look types; only its pictures are dummies.
"""

from __future__ import annotations

import base64
import io
import shutil
import threading
import time
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from catalog.croquis.palette import COLORS
from catalog.errors import Cancelled, UnknownName
from catalog.garment import CATEGORIES, Cloth, Garment, Shape
from catalog.index import ORDERS
from tools import selection
from tools.garment_jobs import GarmentJobs
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
        self.garment_jobs = GarmentJobs(self.home, self, None, 1)  # type: ignore[arg-type]
        self.drawn: list[Plan] = []
        self.touched: list[dict] = []
        self.fail: Exception | None = None
        self.takes: float | None = None
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
        max_formality=1.0, max_price=None, order="best", limit=8,
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
        if order != "best":
            return sorted(found, key=ORDERS[order])[:limit]
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
        look_id = f"look-{len(self._looks) + 1}"
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

    def touch_up(self, id, *, thread=None, progress=None, cancel=None, **change) -> Look:
        """The plan as the real one changes it; the picture is a dummy again."""
        from tools import touch_up

        look, self.touched = self.look(id), [*self.touched, {"id": id, **change}]
        plan = look.receipt.plan
        worn = [w.of(self.get(w.id)) for w in plan.garments]
        index = touch_up.index_of(worn, change["garment"])
        swap = self.get(change["swap"]) if change.get("swap") else None
        said = {k: change.get(k) for k in ("color", "sleeves", "length")}
        if swap or any(said.values()):
            plan = touch_up.changed(plan, worn, index, swap=swap, **said)
        made = self.render_look(plan, thread=thread, parent=id, progress=progress, cancel=cancel)
        self.drawn.pop()  # it was not drawn whole
        return made

    def segment(self, look=None, *, garment=None, points=(), box=None, **_):
        from tools.segment import Segmenter

        if garment is None:
            Segmenter.load(Path("no-such-model"))
        mask = np.zeros((768, 512), bool)
        mask[100:300, 100:300] = True
        return selection.named(mask.astype(np.uint8), 0, garment)

    def look(self, id: str) -> Look:
        try:
            return self._looks[id]
        except KeyError:
            raise UnknownName.among("look", id, self._looks) from None

    def forget_looks(self, thread: str) -> int:
        gone = [x for x in self._looks.values() if x.receipt.thread == thread]
        for look in gone:
            shutil.rmtree(look.folder)
            del self._looks[look.id]
        return len(gone)

    def usual_seconds(self) -> float | None:
        return self.takes


# --- for the doors of other agents ---------------------------------------------------------------

WINTER = ["black-long-puffer", "grey-argyle-sweater", "indigo-straight-jeans",
          "brown-leather-boots"]  # fmt: skip


class QuickEngine:
    """Draws a coloured card in ``step_s`` a step; counts, and obeys cancel as the engine does."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.base = SimpleNamespace(sha256="0" * 64)
        self.step_s, self.drawn, self.steps_done = step_s, 0, 0
        self.lock = threading.Lock()
        self.started = threading.Event()

    def draw(self, job, *, on_step=None, cancel=None):
        with self.lock:
            picture = np.full((768, 512, 3), (job.seed * 37) % 256, np.uint8)
            for step in range(job.steps):
                if cancel is not None and cancel.is_set():
                    raise Cancelled("Drawing was stopped.", "Nothing was saved.")
                time.sleep(self.step_s)
                self.steps_done += 1
                self.started.set()
                if on_step is not None:
                    on_step(step + 1, job.steps, picture[::2, ::2] if step % 3 == 2 else None)
            self.drawn += 1
            seconds = {"text": 0.0, "adapters": 0.0, "denoise": 0.1, "decode": 0.0}
            return SimpleNamespace(picture=picture, seconds=seconds)

    def repaint(self, job, picture, mask, strength, *, on_step=None, cancel=None):
        """A card of another colour for each garment phrase: what is outside is put back anyway."""
        drawn = self.draw(job, on_step=on_step, cancel=cancel)
        shade = zlib.crc32(repr(job.phrases).encode()) % 256
        return SimpleNamespace(picture=np.full_like(picture, shade), seconds=drawn.seconds)


def said(result) -> dict:
    assert not result.is_error, result.content[0].text
    return result.structured_content


def refused(result) -> dict:
    assert result.is_error
    error = result.structured_content["error"]
    assert error["message"] and error["hint"]
    assert error["type"] != "Unexpected", error
    return error


def png(color: str = "red", size: tuple[int, int] = (64, 64)) -> str:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def by_slot(answer: dict) -> dict[str, dict]:
    """The garments of an answer's plan, by slot."""
    return {g["slot"]: g for g in answer["plan"]["garments"]}
