"""The croquis tokenizer, and how training thins out the words of a phrase."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np

from catalog.croquis import cloth, figure, palette, scene
from catalog.garment import CATEGORIES

PERSON_TRUTHS: dict[str, tuple[str, ...]] = {
    "body": figure.BODIES,
    "skin": tuple(figure.SKINS),
    "hair": figure.HAIR,
    "hair_color": tuple(figure.HAIR_COLORS),
    "presentation": figure.PRESENTATIONS,
    "age": figure.AGES,
}


def build_tokenizer(folder: Path):
    """A CLIP tokenizer in which every word of the world is one token; others go by letters."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = list(bytes_to_unicode().values())
    vocabulary = letters + [c + "</w>" for c in letters]
    # byte-pair training to the end: each merge is applied to every word before the next is chosen,
    # so the tokenizer, which applies them in this order, ends with whole words as well
    merges: list[tuple[str, str]] = []
    words = [[*word[:-1], word[-1] + "</w>"] for word in _words()]
    while pairs := Counter(pair for word in words for pair in pairwise(word)):
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        if "".join(best) not in vocabulary:
            vocabulary.append("".join(best))
        words = [_merged(word, best) for word in words]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(vocabulary)}))
    lines = ["#version: 0.2", *(" ".join(m) for m in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
    return load_tokenizer(folder)


def _merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    """``word`` with every ``pair`` of neighbours joined, from the left."""
    out: list[str] = []
    for part in word:
        if out and (out[-1], part) == pair:
            out[-1] = "".join(pair)
        else:
            out.append(part)
    return out


def load_tokenizer(folder: Path):
    from transformers import CLIPTokenizer

    return CLIPTokenizer(
        vocab=str(folder / "vocab.json"),
        merges=str(folder / "merges.txt"),
        model_max_length=32,
    )


def thinned(
    phrase: str, truth: dict[str, str], rng: np.random.Generator
) -> tuple[str, dict[str, str]]:
    """A garment's phrase with some attribute words left out, as people leave them out.

    Also puts an unknown word in front now and then: a trigger before its LoRA is loaded. Returns
    the phrase and what of ``truth`` it still says.
    """
    drop = rng.random(3) < 0.12
    words = phrase.split()
    category = next(c for c in sorted(CATEGORIES, key=len, reverse=True) if phrase.endswith(c))
    head = words[: len(words) - len(category.split())]
    material, colors = head[-1:], head[:-1]
    pattern: list[str] = []
    if colors and colors[-1] in cloth.PATTERNS:
        colors, pattern = colors[:-1], colors[-1:]
    kept = dict(truth)
    if drop[0]:
        colors = []
        kept.pop("color", None)
        kept.pop("second", None)
    if drop[1]:
        material = []
        kept.pop("material", None)
    if drop[2] and pattern:
        pattern = []
        kept.pop("pattern", None)
    elif not pattern:
        pass
    trigger = [_invented(rng)] if rng.random() < 0.15 else []
    return " ".join([*trigger, *colors, *pattern, *material, category]), kept


def _invented(rng: np.random.Generator) -> str:
    parts = [
        "bcdfghjklmnprstvz"[rng.integers(17)] + "aeiou"[rng.integers(5)]
        for _ in range(rng.integers(2, 4))
    ]
    return "".join(parts)


def _words() -> list[str]:
    phrases = [
        *CATEGORIES,
        *palette.COLORS,
        *cloth.PATTERNS,
        *scene.SCENES,
        *(m for c in CATEGORIES.values() for m in c.materials),
        *(w for words in PERSON_TRUTHS.values() for w in words),
        "product photo skin hair and with in on a the open closed worn short long sleeves slim "
        "regular loose print pattern trim spring autumn summer winter",
    ]
    pieces = [w for phrase in phrases for w in phrase.replace("-", " - ").split()]
    return list(dict.fromkeys(pieces))
