"""One door for LoRA files: safetensors only, checked byte by byte, nothing in them ever runs.

A file is looked at with ``json`` and numpy alone. What is asked of it: a sane header whose tensors
tile the data exactly; names of LoRA weights (peft, diffusers or kohya); a down and an up matrix of
one rank for every module; float types; only finite numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from catalog.errors import BadValue, Damaged, clip

MAX_FILE_BYTES = 256 << 20
"""SD 1.5 LoRAs are 37 MB at rank 32; nothing sensible is above this."""
MAX_HEADER_BYTES = 8 << 20
MAX_TENSORS = 8192
MAX_RANK = 512

_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_DOWN = re.compile(r"^(?P<module>.+)\.(lora_A(\.[A-Za-z0-9_-]+)?|lora_down|lora\.down)\.weight$")
_UP = re.compile(r"^(?P<module>.+)\.(lora_B(\.[A-Za-z0-9_-]+)?|lora_up|lora\.up)\.weight$")
_EXTRA = re.compile(r"^.+\.(alpha|dora_scale|lora_magnitude_vector(\.[A-Za-z0-9_.-]+)?)$")
_NAME = re.compile(r"^[A-Za-z0-9_.\-]{1,300}$")


@dataclass(frozen=True)
class LoraFile:
    """What a checked LoRA file is."""

    sha256: str
    size: int
    """Bytes."""
    rank: int
    """The largest rank of its modules."""
    modules: tuple[str, ...]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The base it says it was trained for; "" when it does not say."""
        return self.metadata.get("base", "")


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def check_lora_file(
    source: Path | str | bytes, *, sha256: str | None = None, base: str | None = None
) -> LoraFile:
    """Check a LoRA file (a path, or its bytes) and say what it is.

    ``sha256``: what its content must be; anything else raises ``Damaged``.
    ``base``: the base it must not contradict in its metadata.
    Raises ``BadValue`` when it is not a sound LoRA in safetensors format, ``Damaged`` when a path
    cannot be read or its content is not what ``sha256`` says.
    """
    name = "The LoRA file"
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    else:
        name = f"The LoRA file {Path(source).name}"
        data = read_lora(Path(source))
    found = sha256_of(data)
    if sha256 is not None and found != sha256:
        raise Damaged(
            f"{name} is not what its card says: its content hash is {found[:12]}, "
            f"the card wants {sha256[:12]}.",
            "It was changed or cut short on disk; fetch or train it again.",
        )
    header, start = _header(data, name)
    metadata = _metadata(header.pop("__metadata__", {}), name)
    arrays = _tensors(header, data, start, name)
    modules, rank = _pairs(arrays, name)
    if base is not None and metadata.get("base") not in (None, "", base):
        raise BadValue(
            f"{name} was trained for the base “{clip(metadata['base'])}”, not for “{base}”.",
            "Give one trained for this base.",
        )
    return LoraFile(found, len(data), rank, modules, metadata)


def read_lora(path: Path) -> bytes:
    """The bytes of a LoRA file, with its size checked first. Raises ``Damaged``, ``BadValue``."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise BadValue(
                f"The LoRA file {path.name} has {size >> 20} MB; at most "
                f"{MAX_FILE_BYTES >> 20} MB are taken.",
                "Save it in half precision or with a lower rank.",
            )
        return path.read_bytes()
    except OSError as error:
        raise Damaged(
            f"The LoRA file {path.name} cannot be read ({error.strerror or 'input error'}).",
            "Fetch or train it again.",
        ) from error


_PICKLE = re.compile(rb"\x80[\x02-\x05](?!.{6}\{)", re.DOTALL)
"""How pickles begin; so does a header's length in a safetensors file, whose table follows it."""


def _bad(name: str, what: str, hint: str = "Save the LoRA again as safetensors.") -> BadValue:
    return BadValue(f"{name} {what}.", hint)


def _header(data: bytes, name: str) -> tuple[dict, int]:
    if len(data) > MAX_FILE_BYTES:
        raise _bad(name, f"is larger than {MAX_FILE_BYTES >> 20} MB")
    if data[:4] == b"PK\x03\x04" or _PICKLE.match(data):
        raise _bad(
            name,
            "is a Python pickle, whatever its name says; pickles can run code and are never opened",
            "Convert it to safetensors and give that file.",
        )
    if len(data) < 10:
        raise _bad(name, "is empty or cut short")
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise _bad(name, "is not a safetensors file (its header length makes no sense)")
    if 8 + length > len(data):
        raise _bad(name, "is cut short: its header is not complete")
    try:
        header = json.loads(data[8 : 8 + length].decode("utf-8"), object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise _bad(name, "is not a safetensors file (its header cannot be read)") from error
    if not isinstance(header, dict):
        raise _bad(name, "is not a safetensors file (its header is not a table)")
    return header, 8 + length


def _no_twins(pairs: list[tuple[str, object]]) -> dict:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands twice")
    return table


def _metadata(metadata: object, name: str) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _bad(name, "has metadata that are not plain words")
    return metadata


def _tensors(header: dict, data: bytes, start: int, name: str) -> dict[str, tuple[int, ...]]:
    """Every tensor's shape, after its type, place and numbers were checked."""
    if not header:
        raise _bad(name, "holds no weights")
    if len(header) > MAX_TENSORS:
        raise _bad(name, f"holds more than {MAX_TENSORS} tensors")
    shapes: dict[str, tuple[int, ...]] = {}
    spans: list[tuple[int, int]] = []
    for key, entry in header.items():
        if not _NAME.match(key):
            raise _bad(name, f"has a tensor with the odd name “{clip(key)}”")
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise _bad(name, f"describes the tensor {clip(key)} in an unknown way")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _BYTES:
            raise _bad(name, f"holds {clip(key)} as {clip(dtype)}; weights must be float numbers")
        if not _whole(shape) or len(shape) > 5 or not _whole(offsets) or len(offsets) != 2:
            raise _bad(name, f"gives {clip(key)} an impossible shape or place")
        begin, end = offsets
        if end - begin != math.prod(shape) * _BYTES[dtype] or start + end > len(data):
            raise _bad(name, f"is cut short: {clip(key)} is not complete")
        if not _finite(data[start + begin : start + end], dtype):
            raise _bad(
                name, f"holds numbers in {clip(key)} that are not finite", "Train the LoRA again."
            )
        shapes[key] = tuple(shape)
        spans.append((begin, end))
    spans.sort()
    if [b for b, _ in spans] != [0, *(e for _, e in spans[:-1])] or spans[-1][1] != (
        len(data) - start
    ):
        raise _bad(name, "has gaps, overlaps or left-over bytes between its tensors")
    return shapes


def _whole(values: object) -> bool:
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 1 << 40 for v in values)


def _finite(raw: bytes, dtype: str) -> bool:
    if dtype == "BF16":
        exponent = np.frombuffer(raw, "<u2") & 0x7F80
        return not bool((exponent == 0x7F80).any())
    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]
    return bool(np.isfinite(np.frombuffer(raw, kind)).all())


def _pairs(shapes: dict[str, tuple[int, ...]], name: str) -> tuple[tuple[str, ...], int]:
    """The modules that have both halves, and the largest rank."""
    down: dict[str, tuple[int, ...]] = {}
    up: dict[str, tuple[int, ...]] = {}
    strange: list[str] = []
    for key, shape in shapes.items():
        if match := _DOWN.match(key):
            down[match["module"]] = shape
        elif match := _UP.match(key):
            up[match["module"]] = shape
        elif not _EXTRA.match(key):
            strange.append(key)
    if strange:
        raise _bad(name, f"holds what is no LoRA weight: {_listed(strange)}")
    if not down or set(down) != set(up):
        lonely = sorted(set(down) ^ set(up))
        raise _bad(
            name, f"lacks one half of {_listed(lonely)}" if lonely else "holds no LoRA weights"
        )
    top = 0
    for module, shape in down.items():
        rank = shape[0] if len(shape) >= 2 else 0
        if not 1 <= rank <= MAX_RANK or len(up[module]) < 2 or up[module][1] != rank:
            raise _bad(name, f"has halves that do not fit together in {clip(module)}")
        top = max(top, rank)
    return tuple(sorted(down)), top


def _listed(names: list[str]) -> str:
    """Every name, as far as a message can be read."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(clip(n, 120) for n in sorted(names)[:20]) + more
