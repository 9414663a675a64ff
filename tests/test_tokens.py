"""The tokenizer of the croquis world: a word is a token, and phrases fit their row."""

import itertools

import numpy as np
import pytest

from catalog.croquis import cloth, drawing, figure, palette, scene, tokens
from catalog.garment import CATEGORIES
from catalog.regions import TOKENS
from catalog.starter import starter_garments

MATERIALS = tuple(dict.fromkeys(m for c in CATEGORIES.values() for m in c.materials))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tokens.build_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def length(tokenizer, phrase: str) -> int:
    """Tokens of a phrase, begin and end included."""
    return len(tokenizer(phrase).input_ids)


@pytest.mark.parametrize(
    "words",
    [
        tuple(CATEGORIES),
        tuple(palette.COLORS),
        cloth.PATTERNS,
        MATERIALS,
        scene.SCENES,
        tuple(itertools.chain(*tokens.PERSON_TRUTHS.values())),
    ],
    ids=["category", "color", "pattern", "material", "scene", "person"],
)
def test_every_word_of_the_world_is_one_token(tokenizer, words):
    for phrase in words:
        pieces = phrase.replace("-", " - ").split()
        assert tokenizer.tokenize(phrase) == [f"{piece}</w>" for piece in pieces]
        alone = [tokenizer.convert_tokens_to_ids(f"{piece}</w>") for piece in pieces]
        assert tokenizer(phrase).input_ids[1:-1] == alone


def test_a_built_tokenizer_is_the_one_loaded_again_and_begin_and_end_come_last(tokenizer, tmp_path):
    built = tokens.build_tokenizer(tmp_path)
    again = tokens.load_tokenizer(tmp_path)
    phrase = "vlomp navy and white stripes cotton t-shirt"
    assert built(phrase).input_ids == again(phrase).input_ids == tokenizer(phrase).input_ids
    begin, *_, end = again(phrase).input_ids
    assert (begin, end) == (len(again) - 2, len(again) - 1)


def test_words_the_world_does_not_know_go_by_letters_and_never_fail(tokenizer):
    for word in ("vlomp", "Ünïcode", "冬", "x" * 40, "!?", ""):
        ids = tokenizer(word).input_ids
        assert len(ids) >= 2 and max(ids) < len(tokenizer)
    assert tokenizer.tokenize("NAVY") == ["navy</w>"]


def test_every_garments_phrase_fits_its_row(tokenizer):
    longest = sorted(palette.COLORS, key=lambda c: length(tokenizer, c))[-2:]
    for kind in CATEGORIES.values():
        for material, pattern in itertools.product(kind.materials, cloth.PATTERNS):
            phrase = f"{longest[0]} and {longest[1]} {pattern} {material} {kind.name}"
            assert length(tokenizer, phrase) <= TOKENS, phrase


def test_every_starter_garments_phrase_fits_even_with_its_trigger(tokenizer):
    for garment in starter_garments():
        said = f"{garment.trigger} {drawing.garment_phrase(garment.shape, garment.cloth)}"
        assert length(tokenizer, garment.phrase) <= TOKENS, garment.phrase
        assert length(tokenizer, said) <= TOKENS, said


def test_every_person_fits_one_row(tokenizer):
    words = [max(truths, key=lambda w: length(tokenizer, w)) for truths in (
        figure.BODIES, tuple(figure.SKINS), figure.HAIR, tuple(figure.HAIR_COLORS),
        figure.PRESENTATIONS, figure.AGES,
    )]  # fmt: skip
    assert length(tokenizer, drawing.person_phrase(figure.Person(*words))) <= TOKENS


def test_a_thinned_phrase_keeps_its_kind_and_says_only_what_it_says():
    rng = np.random.default_rng(0)
    phrase = "navy and light blue stripes cotton tank top"
    truth = {
        "category": "tank top", "color": "navy", "second": "light blue", "pattern": "stripes",
        "material": "cotton",
    }  # fmt: skip
    seen = set()
    for _ in range(200):
        short, kept = tokens.thinned(phrase, truth, rng)
        assert short.endswith("tank top") and kept["category"] == "tank top"
        assert all(word in short for word in kept.values())
        seen.add(frozenset(truth.keys() - kept.keys()))
    assert {frozenset(), frozenset({"material"}), frozenset({"color", "second"})} <= seen
