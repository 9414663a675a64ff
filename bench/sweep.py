"""What a number of the plan does to the pictures, on outfits that no figure is measured on.

    python -m bench.sweep guidance 1.5 2.2 3 [--outfits 10]
    python -m bench.sweep guidance none 3
    python -m bench.sweep steps 4 8 12

``none`` leaves the number open, as a plan does.

Garments are found by the true masks, so that what the segmenter makes of a render does not choose
the number; the last two columns are the judges' word all the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from bench import measure, renders
from bench.outfits import Outfit, outfits
from bench.pictures import Seen, card_delta_e, color_right, pattern_right, see

GROUP = 1
"""Group of outfits; the figures are measured on group 0."""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__)
    parser.add_argument("field", choices=("guidance", "steps", "season_strength"))
    parser.add_argument("values", nargs="+", type=lambda v: None if v == "none" else float(v))
    parser.add_argument("--outfits", type=int, default=10)
    o = parser.parse_args(argv)
    from bench.__main__ import quiet

    quiet()
    print(f"{o.field:>10}  ΔE  plain  patterned  family  figure ΔE  pattern  silhouette")
    for value in o.values:
        number = int(value) if o.field == "steps" and value is not None else value
        rows = [_drawn(outfit, o.field, number) for outfit in outfits(GROUP)[: o.outfits]]
        print(f"{number!s:>10}  {_summary(rows)}", flush=True)


def _drawn(outfit: Outfit, field: str, value: float | None) -> tuple[Outfit, Seen, Seen]:
    """The outfit, its render with the true classes, and with those that the segmenter sees."""
    picture = renders.render(outfit.plan.model_copy(update={field: value}))
    return outfit, Seen(picture, outfit.classes), see(picture)


def _summary(rows: list[tuple[Outfit, Seen, Seen]]) -> str:
    pairs = [(true, seen, o.garments[i]) for o, true, seen in rows for i in o.visible]
    delta = np.array([card_delta_e(true, g) for true, _, g in pairs])
    plain = np.array([g.pattern == "plain" for _, _, g in pairs])
    family = np.mean([color_right(true, g) for true, _, g in pairs])
    pattern = np.array([pattern_right(true, g) for true, _, g in pairs])
    pattern_mean = (pattern[plain].mean() + pattern[~plain].mean()) / 2
    figure = np.median([
        np.median(measure.pixel_delta_e(true.picture, o.picture, o.classes > 0))
        for o, true, _ in rows
    ])  # fmt: skip
    shape = np.mean([measure.iou(seen.classes > 0, o.classes > 0) for o, _, seen in rows])
    return (
        f"{np.median(delta):.1f}  {np.median(delta[plain]):.1f}  {np.median(delta[~plain]):.1f}  "
        f"{family:.0%}  {figure:.1f}  {pattern_mean:.0%}  {shape:.3f}"
    )


if __name__ == "__main__":
    main()
