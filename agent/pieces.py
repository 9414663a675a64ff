"""Which pieces a message wants, avoids, keeps or swaps: garment words and the words around them."""

from __future__ import annotations

from agent.lexicon import Hit
from agent.lookahead import (
    ARTICLE,
    BREAK,
    DETERMINERS,
    OR,
    attributes_follow,
    begins_anew,
    denied,
    described_garment,
    garment_follows,
    instead_of,
    noun_follows,
)  # fmt: skip
from agent.mention import (
    FIELD,
    Mention,
    Mentions,
    Stance,
    attribute,
    named,
    one_of,
    only_kind,
    replace_said,
)  # fmt: skip
from tools.wish import Piece

_LIST = {"or", "nor", "oder", "ou", "o", "ni"}
"""What links a list of several unwanted things after its first comma."""
_AND = {"and", "und", "et", "y", "e", "和", "跟", "与", "と", "や", "も"}
_COPULA = {"be", "is", "are", "was", "should", "being", "soll", "sollen", "sein"}
_EXCEPT = {"except", "sauf", "ausser", "excepto", "salvo", "除了"}
_INSTEAD_OF = {"instead of", "instead of the", "rather than", "statt", "anstatt", "au lieu de",
               "en vez de"}  # fmt: skip
_BETWEEN = {"は", "を", "が", "も", "换成", "改成", "变成", "要", "用", "选", "是"}
"""What stands between a garment and its colour where the garment comes first: “靴を黒に”."""
_ONLY = {"only", "nur", "seulement", "solo", "只要", "だけ"}
_IT = {"it", "them", "that", "those", "these", "this", "ones", "one", "le", "la", "les", "es",
       "sie"}  # fmt: skip


def mentions(found: list[Hit], language: str, masked: set[int]) -> Mentions:
    """Read garments and attributes in order, with the stance of the words before them.

    ``masked`` holds starts of hits that belong to something else (a person's hair).
    """
    return _Reader(found, language, masked).read()


class _Reader:
    def __init__(self, found: list[Hit], language: str, masked: set[int]) -> None:
        self.hits, self.language, self.masked = found, language, masked
        self.out = Mentions()
        self.stance: Stance = "want"
        self.sticky = False
        self.pending: dict[str, tuple[str, ...]] = {}
        self.pending_start = 0
        self.everywhere = False
        self.last: Mention | None = None
        self.gap = 99
        self.joined = False
        self.keep_seen = False
        self.cut = ""
        self.either = self.linked = False
        """Whether an “or” stands before what comes now; and one right before a garment."""
        self.removing = self.instead = self.listed = False
        self.split: tuple[Piece, Piece, Hit] | None = None
        """The two pieces and the later noun of what was just read as one alternative."""
        self.clause = 0
        """How many mentions there were when this clause began."""
        self.absent: list[int] = []
        """Where in this clause something stands that no shop of ours has."""
        self.doubt = False
        """Whether the next garment could belong to the list before it as well."""

    def read(self) -> Mentions:
        for i, hit in enumerate(self.hits):
            nxt = self.hits[i + 1] if i + 1 < len(self.hits) else None
            if hit.text in _AND and self.last is not None or self._enumerates(i):
                self.listed = True
            elif not (hit.text in ARTICLE | DETERMINERS or hit.has(*FIELD, "category", "slot")):
                self.listed = False
            if self._enumerates(i):
                continue
            if hit.has("absent") and not hit.has("category", "slot"):
                self.absent.append(hit.start)
                if self.stance == "avoid":
                    self.out.spared.add(hit.start)
            if hit.text in BREAK:
                self._flush()
                self._reset(keep=hit.text in ",，、" and self._list_goes_on(i))
                self.last = None
                self.cut, self.either, self.linked = "", False, False
                self.clause, self.absent = len(self.out.found), []
            elif hit.text in "(（":
                self.joined, self.gap = True, 0
            elif hit.start in self.masked:
                continue
            elif hit.has("cut"):
                self.cut = hit.get("cut") or ""
            elif hit.cues("free") and self._free_of(i):
                self.last = None
            elif hit.has("category", "slot") and not self._is_attribute_here(hit, nxt):
                self._garment(hit)
            elif hit.has(*FIELD):
                self._attribute(hit, nxt)
            elif hit.has("cue") and not self._looks_back(i):
                self._cue(hit, nxt)
            else:
                self.gap += 1
                self.either |= hit.text in OR
                self.linked |= hit.text in OR and garment_follows(self.hits, i)
                self.joined |= hit.text in _COPULA and self.last is not None
                if hit.asks("another") and nxt is not None and nxt.has("category", "slot"):
                    self.stance = "swap"
                if hit.text in ("i", "then", "aber", "mais", "pero"):
                    self._flush()
                if hit.text in ("mais", "aber", "pero", "但", "然后"):
                    self._reset()
        self._flush()
        return self.out

    def _enumerates(self, i: int) -> bool:
        """Whether this comma stands inside a list of bare garments: “帽子、マフラーなし”, or of
        bare attributes: “黒、赤なし”."""
        if (
            self.language != "ja"
            or self.hits[i].text not in "、,・"
            or not 0 < i < len(self.hits) - 1
        ):
            return False
        before, after = self.hits[i - 1], self.hits[i + 1]
        if any(before.has(kind) and after.has(kind) for kind in FIELD):
            return denied(self.hits, i)
        if not all(only_kind(m.piece) for m in self.out.found[self.clause :]):
            return False
        return all(h.has("category", "slot", "absent") for h in (before, after))

    def _looks_back(self, i: int) -> bool:
        """A verb behind its garment: “靴を変えて”, “die Schuhe behalten”, “the top, swap it”."""
        hit = self.hits[i]
        backwards: Stance | None = None
        if hit.cues("after_not", "after"):
            backwards = "avoid"
        elif hit.cues("keep"):
            backwards = "keep"
        elif hit.cues("swap"):
            backwards = "swap"
        if backwards is None or hit.text.endswith("の"):
            return False
        pronoun = False
        for other in self.hits[i + 1 :]:
            if other.text in BREAK or other.cues("swap", "add"):
                break
            if other.has("category", "slot", *FIELD) or other.cues("everything", "for"):
                return hit.cues("after_not") and self._turn("avoid", i, False)
            pronoun |= other.text in _IT
        return self._turn(backwards, i, pronoun)

    def _turn(self, stance: Stance, i: int, pronoun: bool) -> bool:
        """Give the garment before this verb its stance; whether there was one."""
        if self.pending:
            self.stance = stance
            self._flush()
            self.stance = "want"
            return True
        found = self.out.found[0 if pronoun else self.clause :]
        if stance == "avoid":
            self.out.spared.update(self.absent)
        if not found:
            return bool(stance == "avoid" and self.absent)
        hit, target = self.hits[i], found[-1]
        before = self.hits[i - 1].text if i else ""
        if stance == "swap" and before == "に" and len(found) > 1:
            found[-2].stance = "swap"  # “靴をブーツに変えて”: the last one is what is wanted
            return True
        if stance == "swap" and before in ("に", "色に") and self.hits[i - 2].has(*FIELD):
            return True  # “コートを赤に変えて”: that garment, in this colour
        if target.stance not in ("want", "avoid", "like") or target.stance == stance:
            return False
        if stance == "keep" and hit.text in ("same", "keep", "leave") and not pronoun:
            return False
        target.stance = stance
        target.removed = hit.cues("remove")
        for one, after in zip(reversed(found[:-1]), reversed(found[1:]), strict=True):
            if not after.listed or one.stance not in ("want", "like"):
                break
            one.stance, one.removed = stance, target.removed
        return True

    def _is_attribute_here(self, hit: Hit, nxt: Hit | None) -> bool:
        """“denim shorts”, “leather boots”: a word that is both describes the next garment."""
        return hit.has("material", "pattern") and nxt is not None and nxt.has("category", "slot")

    def _free_of(self, i: int) -> bool:
        """“wool-free”, “lederfrei”: the attribute right before (or in) the word is avoided."""
        about = self.hits[i] if self.hits[i].has(*FIELD) else self.hits[i - 1] if i else None
        kind = next((k for k, _ in about.meanings if k in FIELD), None) if about else None
        if about is None or kind is None:
            return False
        name, words = attribute(kind, about.get(kind) or "")
        left = tuple(w for w in self.pending.get(name, ()) if w not in words)
        self.pending = {k: v for k, v in (self.pending | {name: left}).items() if v}
        piece = Piece(**{name: words}, said=f"something {words[0]}")  # type: ignore[arg-type]
        self.out.found.append(Mention(piece, "avoid", about.start, loose=True))
        return True

    def _list_goes_on(self, i: int) -> bool:
        """After a comma the stance lasts while the list does: “no heels, scarves or hats”."""
        if self.stance == "want" or described_garment(self.hits, i):
            return False
        if self.stance == "avoid":
            bare = self.last.piece if self.last is not None else None
            if bare is not None and instead_of(bare, self.hits, i, self.language):
                return False
            self.doubt = begins_anew(self.hits, i)
            if self.doubt:
                return False
        if self.hits[i].text == "、" and self.language == "zh":  # never stands between sentences
            return True
        for j, hit in enumerate(self.hits[i + 1 : i + 9]):
            if hit.text in _LIST:
                return True
            if hit.text in BREAK and hit.text != "," or hit.has("cue") and j > 0:
                return bool(hit.text in ("and", "nor"))
            if j == 0 and not hit.has("category", "slot", "absent", *FIELD):
                return False
        return False

    def _garment(self, hit: Hit) -> None:
        value = hit.get("category")
        groups = [g.split("|") for g in value.split("+")] if value else [[]]
        for group in groups:
            group, self.cut = [c for c in group if c.startswith(self.cut)] or group, ""
            piece = Piece(
                slot=None if group else hit.get("slot"),  # type: ignore[arg-type]
                categories=tuple(group),
                everywhere=False,
                **self.pending,  # type: ignore[arg-type]
            )
            other = self.out.found[-1] if self.either and self.out.found else None
            merged = (
                other
                and other.stance == self.stance == "want"
                and one_of(other.piece, named(piece, hit.get("points") or hit.text, self.language))
            )
            if merged and other and not other.loose:
                self.split = (other.piece, piece, hit) if self.linked else None
                other.piece, self.last = merged, other
                continue
            self.split = None
            self.last = Mention(
                named(piece, hit.get("points") or hit.text, self.language), self.stance, hit.start
            )
            self.last.either, self.last.listed = self.linked, self.listed
            if self.doubt and self.stance == "want":
                self.out.notes.append(f"I took the {self.last.piece.words} as wanted")
            self.doubt = False
            self.last.removed = self.removing and self.stance == "avoid"
            self.out.found.append(self.last)
        self.either = self.linked = self.listed = False
        self.pending, self.everywhere = {}, False
        self.gap = 0
        self.joined = False

    def _attribute(self, hit: Hit, nxt: Hit | None) -> None:
        kind = next(k for k, _ in hit.meanings if k in FIELD)
        name, words = attribute(kind, hit.get(kind) or "")
        after = noun_follows(self.hits, hit)
        behind = self.language in ("fr", "es") and self.gap <= 1 and not self.joined
        linked = self.language not in ("zh", "ja") and self.joined and self.gap <= 3 and not after
        belongs = (behind and not (after and self.gap)) or linked or self._trails(hit, after)
        if belongs and self.last and self.last.stance != "keep" and not self.last.loose:
            self._part()
            piece = self.last.piece
            merged = (*getattr(piece, name), *words)
            piece = piece.model_copy(update={name: tuple(dict.fromkeys(merged))})
            if " or " in piece.said:  # “jupe ou pantalon noir”
                self.last.piece = replace_said(piece, f"{words[0]} {piece.said}")
                return
            noun = piece.said.split()[-1] if piece.said else ""
            if len(piece.categories) == 1:
                noun = piece.categories[0]
            self.last.piece = named(piece, noun, self.language)
            return
        if not self.pending:
            self.pending_start = hit.start
        known = self.pending.get(name, ())
        self.pending[name] = tuple(dict.fromkeys((*known, *words)))

    def _part(self) -> None:
        """“Jupe noire ou pantalon gris”: a noun with a colour of its own is a piece of its own."""
        if self.split is None or self.last is None or only_kind(self.split[0]):
            return
        (self.last.piece, piece, hit), self.split = self.split, None
        piece = named(piece, hit.get("points") or hit.text, self.language)
        self.last = Mention(piece, self.stance, hit.start, either=True)
        self.out.found.append(self.last)

    def _noun_next(self, hit: Hit) -> bool:
        """Whether ``hit`` is a garment, or an attribute of one that follows it."""
        return not hit.has(*FIELD) or hit.has("category", "slot") or noun_follows(self.hits, hit)

    def _trails(self, hit: Hit, after: bool) -> bool:
        """“Make the coat red”, “mach die Hose blau”, “领带红色”: right behind its garment."""
        if after or self.last is None:
            return False
        at = self.hits.index(hit) - 1
        if at > 0 and self.language in ("zh", "ja") and self.hits[at].text in _BETWEEN:
            at -= 1
        before = self.hits[at] if at >= 0 else None
        return before is not None and (before.start == self.last.start or before.has(*FIELD))

    def _cue(self, hit: Hit, nxt: Hit | None) -> None:
        if hit.cues("everything") and not hit.cues("with"):
            if hit.cues("rest") and attributes_follow(self.hits, hit):
                self._flush()  # “keep the coat, everything else in navy”
                self.stance, self.everywhere, self.last = "want", True, None
            elif self.stance == "swap":
                self.out.change_rest = True
            elif self.stance == "keep" or self.keep_seen:
                self.out.keep_all = True
            else:
                self.everywhere = True
        elif hit.cues("not"):
            self._flush()
            if hit.text in _EXCEPT and self.out.keep_all:
                self.stance = "swap"
            elif hit.text in _EXCEPT and self.out.change_rest:
                self.stance = "keep"
            elif hit.text == "以外":
                self.stance = "want"
            else:
                self.stance = "avoid"
            self.sticky = hit.text in ("without", "ohne", "sans", "sin", "avoid", "hate", "weder")
            self.removing = hit.cues("remove")
            self.instead = hit.text in _INSTEAD_OF and bool(self.out.of("want"))
            self.last = None
        elif hit.cues("less", "more"):
            self._flush()
            self.stance = "less" if hit.cues("less") else "like"
            self.last = None
        elif hit.cues("keep"):
            self._flush()
            self.stance, self.keep_seen = "keep", True
            if self.everywhere:  # “everything else stays”
                self.out.keep_all, self.everywhere = True, False
            if hit.text in ("same", "meme", "gleiche", "mismo") and (
                nxt is None or not nxt.has("category", "slot", *FIELD)
            ):
                self.out.keep_all = True
            self.last = None
        elif hit.cues("swap"):
            self._flush()
            if self.everywhere and attributes_follow(self.hits, hit):
                return  # “其他的都换成藏青色”
            if self.everywhere:  # “alles andere ändern”
                self.out.change_rest, self.everywhere = True, False
            if hit.text in ("换成", "改成") and nxt is not None and not self._noun_next(nxt):
                return  # “裙子换成蓝色”: that garment, in this colour
            if hit.text in ("换成", "改成"):
                if self.last is not None:
                    self.last.stance = "swap"
                self.stance = "want"
            else:
                self.stance = "swap"
            self.last = None
        elif hit.cues("but"):
            before = bool(self.pending)  # “dark colours only” as well as “only dark colours”
            self.everywhere |= before and hit.text in _ONLY
            self._flush()
            self.everywhere |= not before and hit.text in _ONLY
            if self.stance == "keep" and self.out.keep_all:
                self.stance = "swap"
            elif hit.text != "all":
                self.stance = "want"
        elif hit.cues("for") and self.stance == "swap" and self.out.of("swap"):
            self._flush()
            self.stance = "want"
        elif hit.cues("with"):
            self._joint(hit, nxt)
        elif hit.cues("add"):
            if hit.text == "noch" and self.sticky and self.stance == "avoid":
                return  # “weder Absätze noch Hut”
            if self.stance == "swap" and self.out.keep_all:
                self.stance = "want"
            elif self.stance != "avoid" or hit.text not in ("wear", "wearing"):
                self._flush()
                self.stance = "want"

    def _joint(self, hit: Hit, nxt: Hit | None) -> None:
        """“and”, “with”, “plus”: the list goes on, or something new begins."""
        self.joined = hit.text in ("with", "in", "mit", "avec", "con")
        if self.pending and nxt is not None and nxt.has(*FIELD):
            return
        self._flush()
        article = nxt.text if nxt is not None else ""
        ends = hit.text in ("with", "mit", "avec", "con") and self.stance in (
            "avoid",
            "swap",
            "keep",
            "less",
        )
        ends |= self.stance == "avoid" and not self.sticky and article in ARTICLE - {"the"}
        ends |= self.stance == "keep" and article in ("a", "an", "some")
        if ends:
            self.stance = "want"

    def _flush(self) -> None:
        """Attributes without a garment become a wish of their own."""
        if self.pending and self.instead and self.stance == "avoid":
            self.pending = {}  # “a blue jacket instead of the black”: black stays welcome
        if self.pending:
            everywhere = self.everywhere and self.stance in ("want", "like")
            piece = Piece(everywhere=everywhere, **self.pending)  # type: ignore[arg-type]
            words = [*piece.fits[:1], *piece.colors[:1], *piece.materials[:1]]
            words += [f"{s}-sleeved" if s != "none" else "sleeveless" for s in piece.sleeves[:1]]
            words += [f"{length} length" for length in piece.lengths[:1]]
            words += ["prints"] if len(piece.patterns) > 3 else list(piece.patterns[:1])
            said = f"all in {' '.join(words)}" if everywhere else f"something {' '.join(words)}"
            piece = replace_said(piece, said)
            self.out.found.append(Mention(piece, self.stance, self.pending_start, loose=True))
            self.everywhere = False
        self.pending = {}

    def _reset(self, keep: bool = False) -> None:
        if not keep:
            self.stance, self.sticky, self.removing = "want", False, False
            self.instead = False
        self.joined = self.everywhere = False
