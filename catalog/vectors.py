"""The Chroma index: one collection per slot, in a folder named by what it holds.

A folder is built beside the others, closed, and swapped in by one rename; after that nobody writes
to it. So readers in any number of processes never meet a half-written index, an index of other
cards is simply another folder, and a missing, cut or damaged one is built again from the cards.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from catalog.embed import DIM, MODEL, minilm
from catalog.errors import Busy, CannotNow, Damaged
from catalog.garment import Garment

FORMAT = 1
"""Counts up when documents or folders are written differently."""
NEAREST = 400
"""Garments of one slot a text is compared with at most."""
_WAIT = 120.0
_BATCH = 1000


def document(card: Garment) -> str:
    """What of a card is embedded."""
    colors = card.color
    pattern = "" if card.pattern == "plain" else f" with {card.pattern}"
    wearers = " and ".join(card.wearers)
    extra = " Waterproof." if card.waterproof else ""
    return (
        f"{card.name}: {colors} {card.material} {card.category}{pattern}, for {wearers}. "
        f"For {', '.join(card.occasions)} in {', '.join(card.seasons)}.{extra} {card.description}"
    )


class Vectors:
    """Similarity of texts to garments, from Chroma under ``folder``. Safe to share by threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._lock = threading.RLock()
        self._open: tuple[str, Any, dict[str, Any]] | None = None  # name, client, collections
        self._named: tuple[int, str] | None = None

    def similar(
        self, text: str, cards: Mapping[str, Garment], wanted: Iterable[Garment], generation: int
    ) -> dict[str, float]:
        """Cosine similarity (-1 to 1) of ``text`` to the nearest of ``wanted``, by id.

        ``cards``: the whole catalog of ``generation``, which the index must hold exactly.
        Raises ``CannotNow`` when the index can neither be opened nor built.
        """
        by_slot: dict[str, list[str]] = defaultdict(list)
        for card in wanted:
            by_slot[card.slot].append(card.id)
        query = minilm()([text])[0]
        problem: BaseException | None = None
        for _ in range(3):
            try:
                collections = self._collections(cards, generation)
                found: dict[str, float] = {}
                for slot, ids in by_slot.items():
                    found |= _query(collections[slot], query, ids)
                return found
            except CannotNow:
                raise
            except BaseException as error:  # Chroma's Rust panics are no Exceptions
                if not _of_chroma(error):
                    raise
                problem = error
                self._discard()
        raise Damaged(
            "The search index cannot be read or built.", "Run `stylist catalog rebuild`."
        ) from problem

    def rebuild(self, cards: Mapping[str, Garment], generation: int) -> None:
        """Throw every index away and build the one of ``cards`` from nothing."""
        self.close()
        with self._building():
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
        self._collections(cards, generation)

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            if self._open is not None:
                _close(self._open[1])
            self._open = None
            self._named = None

    # ---------------------------------------------------------------- opening and building

    def _collections(self, cards: Mapping[str, Garment], generation: int) -> dict[str, Any]:
        with self._lock:
            if self._named is None or self._named[0] != generation or generation < 0:
                self._named = generation, _name(cards)
            name = self._named[1]
            place = self.folder / name
            if self._open is not None and self._open[0] == name and place.is_dir():
                return self._open[2]
            if self._open is not None:
                _close(self._open[1])
                self._open = None
            if not (place / "index.json").is_file():
                self._build(name, cards, generation)
            client = _client(place)
            try:
                collections = _checked(client, place)
            except BaseException:
                _close(client)
                raise
            self._open = name, client, collections
            return collections

    def _discard(self) -> None:
        """Close and delete the index in use: it is damaged."""
        with self._lock:
            name = self._named[1] if self._named else None
            self.close()
            if name:
                with self._building():
                    broken = self.folder / name
                    aside = self.folder / f".old-{secrets.token_hex(4)}"
                    if broken.exists():
                        os.rename(broken, aside)
                        shutil.rmtree(aside, ignore_errors=True)

    def _building(self) -> _Held:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / "lock", timeout=_WAIT, preserve_lock_file=True)
            lock.acquire()
        except filelock.Timeout as error:
            raise Busy(
                "Another process is building the search index.", "Try again in a minute."
            ) from error
        except OSError as error:
            raise CannotNow(
                f"The search index cannot be written ({error.strerror}).",
                "Free some space, or point STYLIST_HOME at a folder you may write to.",
            ) from error
        return _Held(lock)

    def _build(self, name: str, cards: Mapping[str, Garment], generation: int) -> None:
        with self._building():
            if (self.folder / name / "index.json").is_file():
                return  # another process was faster
            older = [p for p in self.folder.iterdir() if p.is_dir() and p.name[0] != "."]
            vectors = _vectors(cards, older)
            fresh = self.folder / f".new-{secrets.token_hex(8)}"
            fresh.mkdir()
            try:
                _fill(fresh, cards, vectors, generation)
                if (self.folder / name).exists():
                    shutil.rmtree(self.folder / name)
                os.rename(fresh, self.folder / name)
            except OSError as error:
                raise CannotNow(
                    f"The search index cannot be written ({error.strerror}).",
                    "Free some space on the disk.",
                ) from error
            for path in self.folder.iterdir():  # older ones, and what killed builds left
                if path.is_dir() and path.name != name:
                    shutil.rmtree(path, ignore_errors=True)


class _Held:
    """An acquired lock as a context manager."""

    def __init__(self, lock: filelock.BaseFileLock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _name(cards: Mapping[str, Garment]) -> str:
    """The folder name of the index that holds exactly ``cards``."""
    digest = hashlib.sha256(f"{FORMAT} {MODEL}".encode())
    for id in sorted(cards):
        digest.update(f"\n{id} {cards[id].slot} {_key(cards[id])}".encode())
    return digest.hexdigest()[:20]


def _key(card: Garment) -> str:
    return hashlib.sha256(f"{MODEL}\n{document(card)}".encode("utf-8", "replace")).hexdigest()


def _vectors(cards: Mapping[str, Garment], older: Sequence[Path]) -> dict[str, np.ndarray]:
    """Every card's vector, by document key; those an older index holds are not computed again."""
    known: dict[str, np.ndarray] = {}
    for folder in older:
        try:
            keys = json.loads((folder / "keys.json").read_bytes())
            rows = np.load(folder / "vectors.npy", allow_pickle=False)
            if rows.shape == (len(keys), DIM) and np.isfinite(rows).all():
                known |= dict(zip(keys, rows, strict=True))
        except (OSError, ValueError, EOFError, TypeError):
            continue
    texts = {_key(card): document(card) for card in cards.values()}
    missing = [key for key in texts if key not in known]
    known |= dict(zip(missing, minilm()([texts[key] for key in missing]), strict=True))
    return {key: known[key] for key in texts}


def _fill(
    folder: Path, cards: Mapping[str, Garment], vectors: dict[str, np.ndarray], generation: int
) -> None:
    client = _client(folder)
    counts: dict[str, int] = {}
    try:
        by_slot: dict[str, list[Garment]] = defaultdict(list)
        for card in cards.values():
            by_slot[card.slot].append(card)
        for slot, group in by_slot.items():
            collection = client.create_collection(
                slot,
                embedding_function=_embedding_function(),
                metadata={"generation": generation},
                configuration={"hnsw": {"space": "cosine", "ef_search": NEAREST}},
            )
            for start in range(0, len(group), _BATCH):
                part = group[start : start + _BATCH]
                collection.add(
                    ids=[card.id for card in part],
                    embeddings=[vectors[_key(card)] for card in part],
                    documents=[document(card) for card in part],
                    metadatas=[_metadata(card) for card in part],
                )
            counts[slot] = len(group)
    finally:
        _close(client)
    keys = list(vectors)
    np.save(folder / "vectors.npy", np.array([vectors[k] for k in keys], "f4").reshape(-1, DIM))
    (folder / "keys.json").write_text(json.dumps(keys))
    note = {"generation": generation, "counts": counts, "model": MODEL, "format": FORMAT}
    (folder / "index.json").write_text(json.dumps(note))
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())


def _metadata(card: Garment) -> dict[str, Any]:
    return {
        "category": card.category,
        "color": card.color,
        "pattern": card.pattern,
        "seasons": list(card.seasons),
        "formality": card.formality,
        "price": card.price,
    }


def _checked(client: Any, folder: Path) -> dict[str, Any]:
    """The collections of an opened index, if they hold what the note beside them says."""
    counts = json.loads((folder / "index.json").read_bytes())["counts"]
    collections = {
        slot: client.get_collection(slot, embedding_function=_embedding_function())
        for slot in counts
    }
    for slot, count in counts.items():
        if collections[slot].count() != count:
            raise ValueError(f"the index of {slot} is not complete")
    return collections


def _query(collection: Any, query: np.ndarray, ids: list[str]) -> dict[str, float]:
    """Similarity of the nearest of ``ids`` by id."""
    whole = collection.count()
    limited = len(ids) <= NEAREST and len(ids) < whole
    count = len(ids) if limited else min(NEAREST, whole)
    answer = collection.query(
        query_embeddings=[query],
        n_results=count,
        include=["distances"],
        **({"ids": ids} if limited else {}),
    )
    found = dict(zip(answer["ids"][0], answer["distances"][0], strict=True))
    if limited and len(found) < count:
        raise ValueError("the index does not hold every garment")
    allowed = set(ids)
    return {id: 1.0 - float(distance) for id, distance in found.items() if id in allowed}


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))


def _close(client: Any) -> None:
    try:
        client.close()
    except BaseException as error:
        if not _of_chroma(error):
            raise


def _of_chroma(error: BaseException) -> bool:
    """Whether ``error`` may be a broken index's (and not somebody's wish to stop)."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


@lru_cache(maxsize=1)
def _embedding_function() -> Any:
    """Our model as Chroma knows embedding functions, registered under its name."""
    from chromadb import EmbeddingFunction
    from chromadb.utils.embedding_functions import register_embedding_function

    @register_embedding_function
    class PackagedMiniLM(EmbeddingFunction):
        def __init__(self) -> None:
            pass

        def __call__(self, input):  # noqa: A002 - Chroma's name
            return list(minilm()(list(input)))

        @staticmethod
        def name() -> str:
            return "stylist-minilm-int8"

        @staticmethod
        def build_from_config(config):
            return PackagedMiniLM()

        def get_config(self):
            return {"model": MODEL}

        def default_space(self):
            return "cosine"

        def supported_spaces(self):
            return ["cosine"]

    return PackagedMiniLM()
