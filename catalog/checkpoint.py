"""Checkpoints of a LoRA training: all that the next step depends on, in one safetensors file.

A training that goes on from its checkpoint ends with the very weights it would have had without
the interruption.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class Checkpoint:
    """Where a training leaves its state, and how often."""

    path: Path
    key: str
    """What the training depends on beside its state (photos, words, base); a file of another
    training is not gone on with."""
    every: int = 5
    """Steps between two files."""

    def resume(
        self, trained: Sequence[torch.nn.Parameter], optimizer: Any, rng: np.random.Generator
    ) -> tuple[int, list[float]]:
        """Put the last state into weights, optimizer and generators; the next step and losses.

        ``(0, [])`` when there is none, or one of another training.
        """
        import torch
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(self.path), "pt") as file:
                about = json.loads((file.metadata() or {}).get("state", "{}"))
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError):
            return 0, []  # disposable: the training starts anew
        shapes = [list(p.shape) for p in trained]
        if about.get("key") != self.key or about.get("shapes") != shapes:
            return 0, []
        with torch.no_grad():
            for i, parameter in enumerate(trained):
                parameter.copy_(tensors[f"{i}.weight"])
                moments = {m: tensors[f"{i}.{m}"] for m in _MOMENTS if f"{i}.{m}" in tensors}
                optimizer.state[parameter] = {
                    m: v.to(parameter.device) if m != "step" else v for m, v in moments.items()
                }
        rng.bit_generator.state = about["rng"]
        torch.set_rng_state(tensors["rng"])
        if "cuda" in tensors:
            torch.cuda.set_rng_state(tensors["cuda"])
        return about["next"], about["losses"]

    def keep(
        self,
        step: int,
        trained: Sequence[torch.nn.Parameter],
        optimizer: Any,
        rng: np.random.Generator,
        losses: Sequence[float],
    ) -> None:
        """Write the state before step number ``step``, when it is due."""
        import torch
        from safetensors.torch import save

        if step % self.every:
            return
        tensors = {"rng": torch.get_rng_state()}
        for i, parameter in enumerate(trained):
            tensors[f"{i}.weight"] = parameter.detach().cpu().contiguous()
            for moment, value in optimizer.state[parameter].items():
                tensors[f"{i}.{moment}"] = value.detach().cpu().contiguous()
            if parameter.is_cuda:
                tensors["cuda"] = torch.cuda.get_rng_state()
        about = {
            "key": self.key,
            "shapes": [list(p.shape) for p in trained],
            "next": step,
            "losses": list(losses),
            "rng": rng.bit_generator.state,
        }
        partial = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            partial.write_bytes(save(tensors, {"state": json.dumps(about)}))
            os.replace(partial, self.path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
