"""Tags of a garment's photos: chosen from a tagger's scores, edited with undo, kept as captions.

Captions lie beside the photos as kohya's scripts read them: ``01.png`` and ``01.txt``, tags
separated by commas.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import BadValue, UnknownName, clip

MAX_TAG = 120
"""Characters of one tag."""
MAX_TAGS = 256
"""Tags of one photo."""
MAX_UNDO = 100
_FACES = "0_0 (o)_(o) +_+ +_- ._. <o>_<o> <|>_<|> =_= >_< 3_3 6_9 >_o @_@ ^_^ o_o u_u x_x |_| ||_||"
_KAOMOJI = frozenset(_FACES.split())
"""Faces whose underscore is no space (the list of wd14-tagger)."""

Tags = tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """Which of a tagger's scores become tags: the dials of the WD14 tagger's page."""

    threshold: float = 0.35
    """Least confidence, 0–1."""
    additional: Tags = ()
    """Tags every photo gets, first and with confidence 1."""
    excluded: Tags = ()
    """Tags no photo gets."""
    spaces: bool = True
    """Underscores become spaces, but not in faces such as ``^_^``."""
    escape: bool = False
    """Brackets are escaped, as prompts with weights want it."""
    by_name: bool = False
    """Sorted by name instead of by confidence."""
    confidence: bool = False
    """Tags carry their confidence as a weight: ``(navy:0.93)``; brackets are escaped then."""

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise BadValue(
                f"A threshold lies between 0 and 1, not at {self.threshold:g}.", "0.35 is usual."
            )
        for tag in (*self.additional, *self.excluded):
            check_tag(tag)


def choose(scores: Mapping[str, float], choice: Choice = Choice()) -> Tags:
    """The tags of one photo from a tagger's ``scores`` (name → confidence 0–1)."""
    barred = {_plain(t) for t in choice.excluded}
    first = {_plain(t): 1.0 for t in choice.additional}
    rest = {_plain(t): s for t, s in scores.items() if s >= choice.threshold}
    key: Callable[[tuple[str, float]], tuple] = (
        (lambda x: (x[0],)) if choice.by_name else (lambda x: (-x[1], x[0]))
    )
    found = [*first.items(), *sorted(((t, s) for t, s in rest.items() if t not in first), key=key)]
    return tuple(_written(t, s, choice) for t, s in found if t not in barred)[:MAX_TAGS]


def _plain(tag: str) -> str:
    """A tag as it is compared: spaces for underscores, no escapes."""
    tag = tag.strip().replace("\\(", "(").replace("\\)", ")")
    return tag if tag in _KAOMOJI else tag.replace("_", " ")


def _written(tag: str, score: float, choice: Choice) -> str:
    if not choice.spaces and tag not in _KAOMOJI:
        tag = tag.replace(" ", "_")
    if choice.escape or choice.confidence:
        tag = tag.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"({tag}:{score:.2f})" if choice.confidence else tag


def check_tag(tag: str) -> str:
    """``tag`` without spaces around it. Raises ``BadValue`` when it is none."""
    if not isinstance(tag, str) or not tag.strip() or len(tag) > MAX_TAG:
        raise BadValue(f"A tag has 1 to {MAX_TAG} characters.", "Say it shorter.")
    if "," in tag or not tag.isprintable():
        raise BadValue(f"“{clip(tag)}” is no tag.", "A tag is one line without commas.")
    return tag.strip()


class TagBook:
    """The tags of several photos, by photo name, and what was done to them.

    Every change returns how many photos it touched and can be undone.
    """

    def __init__(self, tags: Mapping[str, Iterable[str]]) -> None:
        self._tags: dict[str, Tags] = {n: tuple(map(check_tag, t)) for n, t in tags.items()}
        self._before: list[dict[str, Tags]] = []

    @property
    def tags(self) -> dict[str, Tags]:
        """Photo name → its tags, in order."""
        return dict(self._tags)

    def record(self) -> dict[str, Any]:
        """All of it as JSON, what can be undone included."""
        return {"tags": self._tags, "before": self._before}

    @classmethod
    def restored(cls, record: Mapping[str, Any]) -> TagBook:
        """The book that ``record`` was made of."""
        book = cls(record["tags"])
        book._before = [{n: tuple(t) for n, t in tags.items()} for tags in record["before"]]
        return book

    def counts(self) -> dict[str, int]:
        """Tag → on how many photos it is, most first."""
        counted: dict[str, int] = {}
        for tags in self._tags.values():
            for tag in dict.fromkeys(tags):
                counted[tag] = counted.get(tag, 0) + 1
        return dict(sorted(counted.items(), key=lambda x: (-x[1], x[0])))

    def filter(self, having: Iterable[str] = (), lacking: Iterable[str] = ()) -> list[str]:
        """Names of the photos that have every tag of ``having`` and none of ``lacking``."""
        wanted, unwanted = set(map(check_tag, having)), set(map(check_tag, lacking))
        return [n for n, t in self._tags.items() if wanted <= set(t) and not unwanted & set(t)]

    def set(self, name: str, tags: Iterable[str]) -> int:
        """Give one photo these tags."""
        fresh = tuple(map(check_tag, tags))
        return self._change([name], lambda _: fresh)

    def add(
        self, tags: Iterable[str], *, first: bool = False, photos: Sequence[str] | None = None
    ) -> int:
        """Add tags where they are not yet, at the end or in front; to all photos or to some."""
        new = tuple(dict.fromkeys(map(check_tag, tags)))

        def added(old: Tags) -> Tags:
            missing = tuple(t for t in new if t not in old)
            return missing + old if first else old + missing

        return self._change(photos, added)

    def remove(self, tags: Iterable[str], *, photos: Sequence[str] | None = None) -> int:
        """Take tags away."""
        gone = set(map(check_tag, tags))
        return self._change(photos, lambda old: tuple(t for t in old if t not in gone))

    def replace(
        self, old: str, new: str, *, regex: bool = False, photos: Sequence[str] | None = None
    ) -> int:
        """Replace a whole tag; with ``regex`` what matches in each tag (``\\1`` is a group).

        A tag that becomes empty is taken away. Raises ``BadValue`` for a pattern that is none or
        that takes too long.
        """
        if not regex:
            old, kept = check_tag(old), (check_tag(new),) if new.strip() else ()
            return self._change(
                photos, lambda tags: tuple(x for t in tags for x in (kept if t == old else (t,)))
            )
        return self._change(photos, lambda tags: tuple(filter(None, _rewritten(tags, old, new))))

    def dedupe(self, *, photos: Sequence[str] | None = None) -> int:
        """Keep the first of equal tags."""
        return self._change(photos, lambda old: tuple(dict.fromkeys(old)))

    def keep_first(self, tags: Iterable[str], *, photos: Sequence[str] | None = None) -> int:
        """Move these tags to the front, in this order, where they are: the trigger word first."""
        front = tuple(dict.fromkeys(map(check_tag, tags)))

        def moved(old: Tags) -> Tags:
            return (*(t for t in front if t in old), *(t for t in old if t not in front))

        return self._change(photos, moved)

    def undo(self) -> bool:
        """Take the last change back; False when there is none."""
        if not self._before:
            return False
        self._tags = self._before.pop()
        return True

    def _change(self, photos: Sequence[str] | None, change: Callable[[Tags], Tags]) -> int:
        names = list(self._tags) if photos is None else list(photos)
        for name in names:
            if name not in self._tags:
                raise UnknownName.among("photo", name, self._tags)
        after = dict(self._tags)
        for name in names:
            after[name] = tuple(map(check_tag, change(after[name])))
            if len(after[name]) > MAX_TAGS:
                raise BadValue(f"A photo has at most {MAX_TAGS} tags.", "Remove some first.")
        touched = sum(after[n] != self._tags[n] for n in names)
        if touched:
            self._before = [*self._before[-MAX_UNDO + 1 :], self._tags]
            self._tags = after
        return touched


def _rewritten(tags: Tags, pattern: str, new: str) -> list[str]:
    import regex

    if len(pattern) > MAX_TAG or len(new) > MAX_TAG:
        raise BadValue(f"A pattern has at most {MAX_TAG} characters.", "Say it shorter.")
    try:
        compiled = regex.compile(pattern)
        return [compiled.sub(new, t, timeout=0.5).strip() for t in tags]
    except (regex.error, re.error, IndexError) as error:
        raise BadValue(f"“{clip(pattern)}” is no pattern: {error}.", "Mend it.") from error
    except TimeoutError as error:
        raise BadValue(f"“{clip(pattern)}” takes too long.", "Make it simpler.") from error


# --- captions --------------------------------------------------------------------------------


def caption(tags: Iterable[str]) -> str:
    """Tags as one line."""
    return ", ".join(tags)


def read_caption(text: str) -> Tags:
    """One line as tags. Raises ``BadValue`` when it is none."""
    found = tuple(check_tag(part.strip()) for part in text.split(",") if part.strip())
    if len(found) > MAX_TAGS:
        raise BadValue(f"A photo has at most {MAX_TAGS} tags.", "Remove some.")
    return found


def write_captions(folder: Path, tags: Mapping[str, Iterable[str]]) -> list[Path]:
    """Write ``name.txt`` beside each photo ``name.*`` of ``folder``; returns the files.

    Raises ``UnknownName`` for a photo that is not there; nothing is written then.
    """
    there = {p.name for p in folder.iterdir() if p.is_file()}
    for name in tags:
        if name not in there:
            raise UnknownName.among("photo", name, there)
    written = []
    for name, own in tags.items():
        path = (folder / name).with_suffix(".txt")
        partial = path.with_name(f".{path.name}")
        partial.write_text(caption(map(check_tag, own)) + "\n", "utf-8")
        os.replace(partial, path)
        written.append(path)
    return written
