"""The base's own LoRAs that spare evaluations: which one a plan is drawn with, frozen by hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from catalog.base import few_steps_lora
from catalog.errors import Damaged
from tools.look import AdapterUse, Plan


def adapter(plan: Plan, base: str) -> AdapterUse | None:
    """The LoRA that stands in for guidance in this plan; None where guidance itself does."""
    path = plan.few_steps_lora(base)
    if path is None:
        return None
    return AdapterUse(name=path.stem, kind="sampler", sha256=_sha256(path), weight=1.0, region=None)


def checked_file(use: AdapterUse, base: str) -> Path:
    """The file of such a LoRA. Raises Damaged: it is not what its hash says."""
    path = few_steps_lora(base, "draft" if use.name == "draft" else "final")
    if path is None or _sha256(path) != use.sha256:
        raise Damaged(
            f"The base's LoRA {use.name} is missing or not the one that was used.",
            "Restore it from the repository: git checkout -- catalog/croquis/weights.",
        )
    return path


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
