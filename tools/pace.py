"""Pace: how long a look takes on this machine, learned from the looks drawn here."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path

KEPT = 0.7
"""Share of the earlier experience that stays when another look was drawn."""


class Pace:
    """Seconds an evaluation of the UNet, and for all beside them, by base.

    Kept in ``<home>/pace.json``.
    """

    def __init__(self, home: Path) -> None:
        self._path = Path(home) / "pace.json"
        self._lock = threading.Lock()
        self._known = self._read()

    def expect(self, base: str, evaluations: int, *, loaded: bool) -> float | None:
        """Seconds a look of so many evaluations takes; None before the first was drawn here.

        ``loaded``: the base is in memory already.
        """
        with self._lock:
            known = self._known.get(base)
        if known is None:
            return None
        return round(
            known["step"] * evaluations + known["beside"] + (0.0 if loaded else known["load"]), 1
        )

    def learn(self, base: str, evaluations: int, seconds: Mapping[str, float]) -> None:
        """Remember what a look took: ``seconds`` as ``Look.seconds`` tells them."""
        seen = {
            "step": seconds["denoise"] / max(evaluations, 1),
            "beside": seconds["total"] - seconds["denoise"] - seconds["load"],
            "load": seconds["load"],
        }
        with self._lock:
            known = self._known.get(base)
            if known is not None:
                seen = {k: KEPT * known[k] + (1 - KEPT) * seen[k] for k in seen}
                seen["load"] = max(known["load"], seconds["load"])
            self._known[base] = {k: round(v, 4) for k, v in seen.items()}
            self._write()

    def _read(self) -> dict[str, dict[str, float]]:
        try:
            known = json.loads(self._path.read_bytes())
            return {
                str(base): {k: float(v[k]) for k in ("step", "beside", "load")}
                for base, v in known.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # an estimate: the next look teaches it again

    def _write(self) -> None:
        partial = self._path.with_name(f".pace.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(self._known), "utf-8")
            os.replace(partial, self._path)
        except OSError:
            partial.unlink(missing_ok=True)  # a look is not lost for want of an estimate
