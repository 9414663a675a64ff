import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from segment_anything.modeling import MaskDecoder, TwoWayTransformer

from catalog import base as bases
from catalog.croquis import drawing, rendered, train_sam
from catalog.croquis.autoencoder import CroquisAutoencoder
from catalog.croquis.parts import PartsNet
from catalog.croquis.sam import DETAIL, load_sam, new_sam
from catalog.croquis.sam_answers import (
    ADD,
    CORNERS,
    NOBODY,
    ROUNDS,
    TAKE,
    answers,
    corrections,
    prompt_tokens,
)

EMBEDDED = 64 + 16 * DETAIL
"""Channels of an embedding: what each cell is, and the detail folded into it."""


@pytest.fixture(scope="module")
def sam():
    torch.manual_seed(3)
    return new_sam().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def scenes():
    vae = CroquisAutoencoder.from_pretrained(bases.weights_folder() / "vae")
    stream = iter(train_sam.Scenes(0, vae))
    return [next(stream) for _ in range(3)]


@pytest.mark.parametrize("again", [True, False], ids=["with a mask", "at first"])
def test_masks_of_many_pictures_are_answered_as_of_each(sam, again):
    torch.manual_seed(5)
    embeddings, of = torch.randn(2, EMBEDDED, 48, 48), torch.tensor([0, 0, 1])
    masks = torch.randn(3, 1, 384, 384) if again else None
    click, box = torch.tensor([[70.0, 90], [0, 0]]), torch.tensor([[20.0, 30], [90, 200]])
    points, kinds = torch.stack([click, box, click]), torch.tensor(
        [[ADD, NOBODY], CORNERS, [TAKE, NOBODY]]
    )  # fmt: skip
    asked = {"image_pe": sam.prompt_encoder.get_dense_pe(), "multimask_output": True}
    _, dense = sam.prompt_encoder(None, None, masks)
    logits, quality = sam.mask_decoder(
        image_embeddings=embeddings[of],
        sparse_prompt_embeddings=prompt_tokens(sam.prompt_encoder, points, kinds),
        dense_prompt_embeddings=dense,
        **asked,
    )
    assert logits.shape == (3, 3, 384, 384)
    for i in range(3):
        clicks = (points[i : i + 1, :1], kinds[i : i + 1, :1]) if i != 1 else None
        boxes = box.reshape(1, 4) if i == 1 else None
        sparse, dense = sam.prompt_encoder(clicks, boxes, None if masks is None else masks[[i]])
        alone = sam.mask_decoder(
            image_embeddings=embeddings[of[i]][None],
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            **asked,
        )
        assert torch.allclose(logits[i], alone[0][0], atol=1e-4)
        assert torch.allclose(quality[i], alone[1][0], atol=1e-5)


def test_before_it_has_learned_to_be_finer_it_answers_as_segment_anything_does(sam):
    torch.manual_seed(5)
    decoder = sam.mask_decoder
    coarse = MaskDecoder(
        transformer_dim=64,
        transformer=TwoWayTransformer(depth=2, embedding_dim=64, num_heads=4, mlp_dim=256),
        iou_head_hidden_dim=64,
    )
    coarse.load_state_dict({k: v for k, v in decoder.state_dict().items() if "fine." not in k})
    embeddings = torch.randn(1, EMBEDDED, 48, 48)
    sparse, dense = sam.prompt_encoder(None, torch.tensor([[20.0, 30, 90, 200]]), None)
    asked = {
        "image_pe": sam.prompt_encoder.get_dense_pe(),
        "sparse_prompt_embeddings": sparse,
        "dense_prompt_embeddings": dense,
        "multimask_output": True,
    }
    logits, quality = decoder(image_embeddings=embeddings, **asked)
    theirs = coarse.eval()(image_embeddings=embeddings[:, :64], **asked)
    twice = F.interpolate(theirs[0], scale_factor=2.0, mode="bilinear")
    assert torch.allclose(logits, twice, atol=1e-4)
    assert torch.allclose(quality, theirs[1], atol=1e-5)


def test_a_border_between_cells_is_drawn_where_the_picture_has_it(scenes):
    """Detail moves the border by less than a cell: its channels reach the mask's own pixels."""
    torch.manual_seed(7)
    model = new_sam().eval()
    torch.nn.init.normal_(model.mask_decoder.fine.weight)
    picture = torch.zeros(1, 3, 384, 384)
    moved = picture.clone()
    moved[:, :, 200, 100] = 1.0
    sparse, dense = model.prompt_encoder(None, torch.tensor([[20.0, 30, 190, 300]]), None)
    cells = model.image_encoder(picture)[:, :64]
    answered = []
    for seen in (picture, moved):
        embeddings = torch.cat([cells, model.image_encoder(seen)[:, 64:]], 1)
        answered.append(
            model.mask_decoder(
                image_embeddings=embeddings,
                image_pe=model.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=True,
            )[0]
        )
    change = (answered[1] - answered[0]).abs().amax((0, 1))
    y, x = divmod(int(change.argmax()), 384)
    assert abs(y - 200) <= 4 and abs(x - 100) <= 4


def test_the_first_prompt_and_the_mask_speak_of_the_same_place(scenes):
    batch = train_sam.together(scenes)
    assert batch["pictures"].shape == (3, 384, 256, 3) and batch["pictures"].dtype == np.uint8
    for of, (low, high), points, kinds in zip(
        batch["of"], batch["wanted"], batch["points"], batch["kinds"], strict=True
    ):
        mask = (batch["regions"][of] >= low) & (batch["regions"][of] <= high)
        if tuple(kinds) == CORNERS:
            assert (points[0] < points[1]).all()
        else:
            x, y = points[0].astype(int)
            assert mask[y, x] and tuple(kinds) == (ADD, NOBODY)


def test_renders_are_kept_with_their_regions_and_make_half_of_the_scenes(tmp_path, monkeypatch):
    into = rendered.folder(tmp_path)
    monkeypatch.setattr(rendered, "STEPS", 1)
    rendered.render(into, range(2), 1, "cpu")
    paths = sorted(into.glob("*.png"))
    assert [int(p.stem) for p in paths] == [rendered.FIRST_SEED, rendered.FIRST_SEED + 1]
    drawn = drawing.draw(drawing.sample_worn(rendered.FIRST_SEED))
    picture, regions = rendered.read(paths[0])
    assert picture.shape == (384, 256, 3) and (regions == drawn.regions).mean() > 0.97
    worn = regions > 0  # after one step the person stands where they should, in their colours
    assert np.abs(picture[worn].mean(0) - drawn.picture[worn].mean(0)).max() < 60

    written = paths[0].stat().st_mtime_ns
    paths[1].unlink()
    rendered.render(into, range(2), 1, "cpu")
    assert paths[1].exists() and paths[0].stat().st_mtime_ns == written

    vae = CroquisAutoencoder.from_pretrained(bases.weights_folder() / "vae")
    known = [rendered.read(p)[1] for p in paths]
    known += [r[:, ::-1] for r in known]
    stream = iter(train_sam.Scenes(0, vae, paths))
    seen = [next(stream).regions for _ in range(12)]
    assert 1 < sum(any(np.array_equal(s, r) for r in known) for s in seen) < 11


def test_a_correction_lies_on_the_larger_mistake():
    truth = torch.zeros(3, 192, 192, dtype=torch.bool)
    truth[:, 40:80, 40:80] = True
    found = truth.clone()
    found[0, 60:80] = False
    found[1, 100:150, 100:150] = True
    points, kinds = corrections(found, truth, np.random.default_rng(0))
    assert kinds[:, 0].tolist() == [ADD, TAKE, ADD]
    x, y = points[:, 0].long().T
    assert 60 <= y[0] < 80 and 100 <= x[1] < 150 and truth[2, y[2], x[2]]


def test_every_weight_learns(scenes):
    model = new_sam().train()
    batch = {k: torch.from_numpy(v) for k, v in train_sam.together(scenes[:1]).items()}
    loss, overlaps = answers(model, batch, np.random.default_rng(0), "cpu")
    loss.backward()
    assert torch.isfinite(loss) and len(overlaps) == ROUNDS
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_training_runs_keeps_its_weights_and_goes_on(tmp_path, capsys):
    asked = ["--run", str(tmp_path), "--minutes", "0.01", "--batch", "1", "--workers", "0",
             "--held-out", "1", "--device", "cpu"]  # fmt: skip
    train_sam.main(asked)
    load_sam(tmp_path / "sam")
    assert (tmp_path / "sam.csv").read_text().count("\n") == 2
    train_sam.main(asked)
    assert "going on from step" in capsys.readouterr().out


def test_a_fresh_sam_may_begin_with_a_net_that_knows_parts(tmp_path, monkeypatch):
    known = PartsNet()
    save_file(known.state_dict(), tmp_path / "parts.safetensors")
    begun = []

    def first_answers(model, *_):
        begun.append({k: v.clone() for k, v in model.image_encoder.parts.state_dict().items()})
        raise StopIteration

    monkeypatch.setattr(train_sam, "answers", first_answers)
    run = ["--run", str(tmp_path), "--fresh", "--batch", "1", "--workers", "0"]
    with pytest.raises(StopIteration):
        train_sam.main([*run, "--parts", str(tmp_path / "parts.safetensors")])
    assert all(torch.equal(v, known.state_dict()[k]) for k, v in begun[0].items())
