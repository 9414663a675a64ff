"""A bf16 copy of a model that does the forward and backward passes of its training on a GPU.

Autocast casts every weight anew at each step and norms in fp32, thousands of small kernels that
cost a small network more than its arithmetic. The copy holds bf16 weights, its passes are recorded
once as CUDA graphs and replayed, and the optimiser works on the fp32 model (Micikevicius and
others, 2018).
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class WorkingCopy:
    """Called as the ``Denoiser`` it copies; then ``hand_over`` and, after the optimiser, ``renew``.

    ``asked``: the sets of ControlNets that calls will name. ``recorded``: replay recorded passes;
    every batch must then be of one size.
    """

    def __init__(
        self, model: nn.Module, asked: tuple[tuple[str, ...], ...], recorded: bool
    ) -> None:
        self.model, self.asked, self.recorded = model, asked, recorded
        self.copy = copy.deepcopy(model).to(torch.bfloat16)
        self.passes: dict[tuple[str, ...], nn.Module] = {}

    def __call__(
        self,
        x: Tensor,
        t: Tensor,
        words: Tensor,
        bias: dict[int, Tensor],
        maps_: dict[str, Tensor],
        weights: dict[str, Tensor],
    ) -> Tensor:
        names = next(n for n in self.asked if set(n) == set(maps_))
        shared = (t, *(v.to(torch.bfloat16) for v in (x, words, *bias.values())))

        def told(names: tuple[str, ...], maps_: dict[str, Tensor]) -> tuple[Tensor, ...]:
            own = (*(maps_[n] for n in names), *(weights.get(n, t) for n in names))
            return *shared, *(v.to(torch.bfloat16) for v in own)

        with torch.autocast(x.device.type, enabled=False):
            if not self.passes:
                self._prepare([told(n, self._any(n, maps_)) for n in self.asked])
            return self.passes[names](*told(names, maps_))

    def hand_over(self) -> None:
        """The copy's gradients become the model's."""
        for own, copied in zip(self.model.parameters(), self.copy.parameters(), strict=True):
            own.grad = None if copied.grad is None else copied.grad.float()
            copied.grad = None

    @torch.no_grad()
    def renew(self) -> None:
        """The copy takes the model's weights."""
        torch._foreach_copy_(list(self.copy.parameters()), list(self.model.parameters()))

    def _any(self, names: tuple[str, ...], maps_: dict[str, Tensor]) -> dict[str, Tensor]:
        """Maps of the right shape, to record with."""
        some = next(iter(maps_.values()))
        nets = {n: self.model.control[n].config.conditioning_channels for n in names}
        return {n: some.new_zeros(len(some), count, *some.shape[2:]) for n, count in nets.items()}

    def _prepare(self, examples: list[tuple[Tensor, ...]]) -> None:
        """All passes are recorded before the first is used: the recording asks for that."""
        passes: tuple[nn.Module, ...] = tuple(Flat(self.copy, names) for names in self.asked)
        if self.recorded:
            passes = torch.cuda.make_graphed_callables(
                passes, tuple(examples), allow_unused_input=True
            )
        self.passes = dict(zip(self.asked, passes, strict=True))


class Flat(nn.Module):
    """A ``Denoiser`` that takes tensors alone, asked with the ControlNets of ``names``."""

    def __init__(self, denoiser: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.denoiser, self.names = denoiser, names

    def forward(self, t: Tensor, x: Tensor, words: Tensor, *rest: Tensor) -> Tensor:
        count = len(self.names)
        bias = {b.shape[1]: b for b in rest[: -2 * count]}
        maps_ = dict(zip(self.names, rest[-2 * count : -count], strict=True))
        weights = dict(zip(self.names, rest[-count:], strict=True))
        return self.denoiser(x, t, words, bias, maps_, weights)
