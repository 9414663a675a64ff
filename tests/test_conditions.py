"""ControlNets are heard from where to where they are asked to be, however few the steps."""

import pytest

from tools.conditions import at_steps
from tools.look import Control


def heard_in(control: Control, steps: int, left: int) -> list[int]:
    """The steps of a whole drawing in which diffusers hears a net, as its pipeline has it."""
    (weight,), (start,), (end,) = at_steps([control], steps, left)
    if not weight:
        return []
    return [steps - left + i for i in range(left) if not (i / left < start or (i + 1) / left > end)]


@pytest.mark.parametrize(
    "control, steps, left, expected",
    [
        (Control(), 8, 8, range(8)),
        (Control(end=0.5), 8, 8, range(4)),
        (Control(start=0.25, end=0.75), 8, 8, range(2, 6)),
        (Control(end=0.4), 2, 2, [0]),  # a draft
        (Control(start=0.6), 2, 2, [1]),
        (Control(end=0.1), 8, 8, [0]),
        (Control(start=0.3, end=0.35), 8, 8, [2]),
        (Control(end=0.5), 8, 7, [1, 2, 3]),  # a touch-up begins at its second step
        (Control(end=0.5), 8, 2, []),
        (Control(start=0.5), 8, 2, [6, 7]),
        (Control(start=0.2), 7, 5, range(2, 7)),
        (Control(weight=0.0), 8, 8, []),
    ],
)
def test_a_net_is_heard_in_every_step_it_has_a_part_in(control, steps, left, expected):
    assert heard_in(control, steps, left) == list(expected)
