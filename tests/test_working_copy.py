"""The bf16 copy that trains the UNet on a GPU: its gradients are the model's own."""

import torch

from catalog import regions
from catalog.croquis import train_base
from catalog.croquis.working_copy import WorkingCopy


def asked(names: tuple[str, ...]) -> tuple:
    torch.manual_seed(1)
    x = torch.randn(1, 24, 48, 32).contiguous(memory_format=torch.channels_last)
    words, share = torch.randn(1, 10 * regions.TOKENS, 192), torch.rand(1, 10, 48, 32)
    maps_ = {n: torch.rand(1, train_base.CONTROL_CHANNELS[n], 96, 64) for n in names}
    weights = {n: torch.full((1,), 0.5) for n in names}
    return x, torch.tensor([500]), words, regions.attention_bias(share), maps_, weights


def test_it_answers_and_learns_as_the_model_with_every_set_of_nets():
    torch.manual_seed(0)
    model = train_base.Denoiser()
    copy = WorkingCopy(model, train_base.ASKED, recorded=False)
    for names in train_base.ASKED:
        told, gradients, answers = asked(names), [], []
        for run in (model, copy):
            model.zero_grad(set_to_none=True)
            answer = run(*told).float()
            (answer - told[0]).square().mean().backward()
            if run is copy:
                assert all(p.grad is None for p in model.parameters())
                copy.hand_over()
            found = [p.grad for p in model.parameters() if p.grad is not None]
            gradients.append(torch.cat([g.flatten() for g in found]))
            answers.append(answer.detach())
        assert (answers[1] - answers[0]).norm() < 0.05 * answers[0].norm()
        assert torch.cosine_similarity(*gradients, dim=0) > 0.99, names
    assert all(p.grad is None for p in copy.copy.parameters())


def test_it_takes_the_weights_that_the_optimiser_changed():
    model = train_base.Denoiser()
    copy = WorkingCopy(model, train_base.ASKED, recorded=False)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.5)
    copy.renew()
    for own, copied in zip(model.parameters(), copy.copy.parameters(), strict=True):
        assert torch.allclose(own, copied.float(), rtol=1e-2, atol=1e-2)
