"""Masks on anybody's module: random structure, pruning by every score, exchange with torch, and reports."""

import copy
import io
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from module_cases import EveryLayer, batch, loss_of, mlp, parameter_of
from torch import nn
from torch.nn.utils import prune as torch_prune

from nas.errors import InputError
from nas.sparsity import bake, export_masks, import_masks, masks_of, prune, report, sparsify
from nas.sparsity.allocation import allocate
from nas.sparsity.modules.targets import layers_in, targets_of
from nas.sparsity.scores import SCORES
from priors import Layered, WattsStrogatz, Wiring

NEARLY = 1 - 1e-9


def images(n: int = 5) -> torch.Tensor:
    return torch.randn(n, 2, 8, 8, generator=torch.Generator().manual_seed(3))


# Structure


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("allocation", ["uniform", "er", "erk"])
def test_a_random_structure_has_the_counts_of_its_allocation_in_every_layer(cell, allocation: str):
    module = EveryLayer(cell)
    layers = layers_in(targets_of(module))
    total = round(0.3 * sum(layer.size for layer in layers))
    found = sparsify(module, 0.3, allocation=allocation, rng=1)
    assert [each.live for each in found.layers] == allocate(allocation, layers, total).tolist()
    assert found.live == total
    masks = masks_of(module)
    assert sum(int(mask.sum()) for mask in masks.values()) == total
    named = {name for name, each in module.named_parameters() if each.ndim > 1}
    assert set(masks) == named
    for name, mask in masks.items():
        assert not parameter_of(module, name)[~mask].any()
        assert parameter_of(module, name)[mask].all()


def test_names_and_gates_of_layers():
    names = {layer.name: layer for layer in layers_in(targets_of(EveryLayer()))}
    assert names["attention.in_proj_weight[key]"].shape == (8, 8)
    assert names["rnn.weight_hh_l1_reverse"].shape == (24, 6)
    assert names["rnn.weight_hh_l1_reverse"].gates == 4
    assert names["conv.weight"].kernel == (3, 3)
    assert names["conv1.weight"].shape == (8, 24)
    apart = nn.MultiheadAttention(8, 2, kdim=4, vdim=6)
    assert [target.name for target in targets_of(apart)] == [
        "q_proj_weight",
        "k_proj_weight",
        "v_proj_weight",
        "out_proj.weight",
    ]
    assert [layer.gates for layer in layers_in(targets_of(nn.GRUCell(3, 4)))] == [3, 3]
    assert [each.name for each in targets_of(nn.LSTM(3, 8, proj_size=2))][-1] == "weight_hr_l0"
    assert layers_in(targets_of(nn.LSTM(3, 8, proj_size=2)))[-1].gates == 1


def test_weights_that_are_shared_have_one_mask():
    module = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6))
    module[2].weight = module[0].weight
    assert sparsify(module, 0.5, rng=0).live == 18


@pytest.mark.parametrize("rescale", [True, False])
def test_initial_weights_have_the_variance_of_their_new_fan_in(rescale: bool):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(400, 300))
    before = module[0].weight.detach().clone()
    sparsify(module, 0.1, rng=0, rescale=rescale)
    mask = masks_of(module)["0.weight"]
    fan_in = mask.sum(1, keepdim=True).double()
    factor = (400 / fan_in).sqrt() if rescale else torch.ones_like(fan_in)
    expected = torch.where(mask, before.double() * factor, 0)
    assert torch.allclose(module[0].weight.double(), expected, rtol=1e-6, atol=0)
    if rescale:
        assert (module[0].weight.double() ** 2).sum(1).mean().item() == pytest.approx(1 / 3, rel=0.05)


def test_sparsity_can_be_raised_among_what_lives():
    module = mlp()
    sparsify(module, 0.5, rng=0)
    before = masks_of(module)["0.weight"].clone()
    sparsify(module, weights=60, allocation="class-uniform", rng=1)
    assert report(module).live == 60
    assert not (masks_of(module)["0.weight"] & ~before).any()


def test_one_seed_gives_one_structure():
    one, other = mlp(0), mlp(1)
    sparsify(one, 0.2, rng=7)
    sparsify(other, 0.2, rng=7)
    assert all(torch.equal(mask, masks_of(other)[name]) for name, mask in masks_of(one).items())


def test_chosen_layers_and_dense_ones():
    module = mlp()
    sparsify(module, 0.5, layers=["0", "2.weight"], rng=0)
    assert set(masks_of(module)) == {"0.weight", "2.weight"}
    other = mlp()
    sparsify(other, 0.5, dense=["4.weight"], rng=0)
    assert masks_of(other)["4.weight"].all()
    assert report(other).live == round(0.5 * (160 + 192 + 36))


@pytest.mark.parametrize("name", ["2", "2.weight"])
def test_layers_are_called_by_submodules_or_parameters(name: str):
    for names in (name, [name], (name,)):
        one, other, third = mlp(), mlp(), mlp()
        sparsify(one, 0.6, dense=names, rng=0)
        assert masks_of(one)["2.weight"].all()
        assert not masks_of(one)["0.weight"].all()
        prune(other, density=0.6, dense=names)
        assert masks_of(other)["2.weight"].all()
        sparsify(third, 0.6, layers=names, rng=0)
        assert set(masks_of(third)) == {"2.weight"}
    attention = nn.MultiheadAttention(8, 2)
    sparsify(attention, 0.5, dense="in_proj_weight[key]", rng=0)
    assert [each.density == 1 for each in report(attention).layers] == [False, True, False, False]


@pytest.mark.parametrize("density", [np.float32(0.5), np.float64(0.5), 1])
def test_densities_may_be_any_number(density):
    module = mlp()
    assert sparsify(module, density, rng=0).live == round(density * 388)
    assert prune(module, density=density).live == round(density * 388)
    if density < 1:
        assert prune(module, amount=density).live == 97


NORMS = [torch.nn.utils.parametrizations.weight_norm, torch.nn.utils.parametrizations.spectral_norm,
         torch.nn.utils.weight_norm, torch.nn.utils.spectral_norm]  # fmt: skip


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("norm", NORMS)
def test_weights_that_are_computed_are_not_passed_over_in_silence(norm):
    module = nn.Sequential(norm(nn.Linear(8, 16)), nn.Linear(16, 4))
    for change in (lambda: sparsify(module, 0.5), lambda: prune(module, density=0.5, layers=["0", "1"])):
        with pytest.raises(InputError, match=r"layer '0.weight' is computed from other parameters"):
            change()
    assert masks_of(module) == {}
    assert sparsify(module, 0.5, layers=["1"], rng=0).live == 32
    assert [each.layer for each in report(module).layers] == ["1.weight"]
    with pytest.raises(InputError, match=r"layer '0.weight' is computed from other parameters"):
        report(module, ["0"])
    bake(module)
    sparsify(module, {"1.weight": torch.ones(4, 16)})


def test_masks_may_be_arrays_and_lists():
    module, mask = mlp(), np.zeros((16, 10), bool)
    mask[2, 3] = True
    sparsify(module, {"0.weight": mask, "4.weight": [[1.0] * 6 + [0.0] * 6] * 3})
    assert np.array_equal(masks_of(module)["0.weight"].numpy(), mask)
    assert masks_of(module)["4.weight"].sum() == 18


def test_masks_can_be_given():
    module = mlp()
    mask = torch.zeros(16, 10)
    mask[3, 4] = mask[5, 6] = 1
    before = module[0].weight.detach().clone()
    sparsify(module, {"0.weight": mask}, rescale=False)
    assert torch.equal(module[0].weight, before * mask)
    assert not hasattr(module[2], "weight_mask")


def test_wirings_and_priors_give_the_masks_of_linear_layers():
    prior = Layered((10, 16, 12, 3), density=(0.2, 0.3, 0.5))
    wiring = prior.sample(5)
    for each in (wiring, prior, Layered(prior.sizes, prior.density, inputs=True, outputs=True)):
        module = mlp()
        assert sparsify(module, each, rng=5).live == wiring.n_edges
        assert all(
            np.array_equal(mask.numpy(), expected)
            for mask, expected in zip(masks_of(module).values(), wiring.masks(), strict=True)
        )
    module = EveryLayer()
    sparsify(module, Layered((12, 20, 3), density=0.2), rng=0)
    assert set(masks_of(module)) == {"mlp.0.weight", "mlp.2.weight"}
    assert report(module, ["mlp"]).live == round(0.2 * 240) + round(0.2 * 60)
    sparsify(module, {"conv.weight": Layered((9, 8), density=0.25), "rnn.weight_hh_l0": Layered((6, 24), edges=9)},
             rng=0)  # fmt: skip
    counts = {each.layer: each.live for each in report(module).layers}
    assert (counts["conv.weight"], counts["rnn.weight_hh_l0"]) == (18, 9)


# Masks stay in force


def test_masked_weights_are_zero_in_every_call_whatever_an_optimizer_does():
    module = mlp()
    sparsify(module, 0.3, rng=0)
    optimizer = torch.optim.Adam(module.parameters(), 0.1, weight_decay=0.1)
    reference = None
    for step in range(5):
        optimizer.zero_grad()
        loss_of(module, step).backward()
        optimizer.step()
        x, _ = batch(step)
        reference = x
        for index in (0, 2, 4):
            weight = module[index].weight.detach() * module[index].weight_mask
            reference = reference @ weight.T + module[index].bias.detach()
            reference = reference.tanh() if index < 4 else reference
        assert torch.allclose(module(x), reference, rtol=1e-12)
    optimizer.step()
    for name, mask in masks_of(module).items():
        assert not module.state_dict()[name][~mask].any()


def test_an_attention_and_an_encoder_compute_with_masked_weights():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    sparsify(layer, 0.4, rng=0)
    x = torch.randn(3, 5, 8)
    expected = layer(x)
    with torch.no_grad():
        for name, mask in masks_of(layer).items():
            parameter_of(layer, name)[~mask] = 9.0
    assert torch.equal(layer(x), expected)
    with torch.no_grad():
        for name, mask in masks_of(layer).items():
            parameter_of(layer, name)[~mask] = 9.0
    layer.eval()
    with torch.inference_mode():
        assert torch.allclose(layer(x), expected, atol=1e-6)


def test_a_module_can_be_called_twice_before_it_is_differentiated():
    module = mlp()
    sparsify(module, 0.3, rng=0)
    (loss_of(module, 0) + loss_of(module, 1)).backward()
    assert module[0].weight.grad[~masks_of(module)["0.weight"]].any()


def dirty(module: nn.Module) -> None:
    """Give what does not live a value, as an optimizer might."""
    with torch.no_grad():
        for name, mask in masks_of(module).items():
            parameter_of(module, name)[~mask] = 9.0


@pytest.mark.parametrize("make", [mlp, lambda: nn.LSTM(10, 6).double()])
def test_transforms_of_functions_see_live_weights_alone(make):
    module = make()
    sparsify(module, 0.4, rng=0)
    baked = copy.deepcopy(module)
    bake(baked)
    names, buffers = dict(module.named_parameters()), dict(module.named_buffers())
    x = batch(0)[0]

    def total(each: nn.Module, parameters: dict, inputs: torch.Tensor) -> torch.Tensor:
        found = torch.func.functional_call(each, parameters, (inputs,))
        return (found[0] if isinstance(found, tuple) else found).square().sum()

    dirty(module)
    given = {name: each.detach().clone() for name, each in names.items()}
    assert total(module, given, x) == total(baked, dict(baked.named_parameters()), x)
    assert torch.func.functional_call(module, (given, buffers), (x,)) is not None
    found = torch.func.grad(lambda each: total(module, (each, buffers), x))(given)
    expected = torch.func.grad(lambda each: total(baked, each, x))(dict(baked.named_parameters()))
    masks = masks_of(module)
    for name, each in found.items():
        assert torch.allclose(each, expected[name] * masks[name] if name in masks else expected[name])
        assert (given[name] == names[name]).all()
    if make is mlp:
        of_row = torch.func.grad(lambda each, row: total(module, each, row[None]))
        apart = torch.func.vmap(of_row, (None, 0))(given, x)
        assert torch.allclose(apart["0.weight"].sum(0), found["0.weight"])
        assert torch.allclose(torch.func.jacrev(module)(x), torch.func.jacrev(baked)(x))
    assert all(each is names[name] for name, each in module.named_parameters())
    assert not any(each._forward_hooks for each in module.modules())
    with pytest.raises(RuntimeError):
        torch.func.functional_call(module, given, (x[:, :3],))
    assert all(each is names[name] for name, each in module.named_parameters())
    assert not any(each._forward_hooks for each in module.modules())


@pytest.mark.skipif(not hasattr(torch.compiler, "is_exporting"), reason="torch before 2.7 does not say that it exports")
def test_an_exported_module_computes_with_live_weights_alone():
    module = mlp()
    sparsify(module, 0.4, rng=0)
    x = batch(0)[0]
    expected = module(x)
    dirty(module)
    exported = torch.export.export(module, (x,), strict=False).module()
    assert torch.allclose(exported(x), expected)
    assert torch.equal(module(x), expected)


def test_copies_pickles_and_files():
    module = EveryLayer().eval()
    sparsify(module, 0.3, rng=0)
    x = images()
    expected = module(x)
    buffer = io.BytesIO()
    torch.save(module, buffer)
    buffer.seek(0)
    saved = torch.load(buffer, weights_only=False)
    loaded = EveryLayer().eval()
    sparsify(loaded, 0.5, rng=5)
    loaded.load_state_dict(module.state_dict())
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), saved, loaded):
        assert torch.equal(other(x), expected)
        assert all(torch.equal(mask, masks_of(module)[name]) for name, mask in masks_of(other).items())
        with torch.no_grad():
            parameter_of(other, "mlp.0.weight").fill_(1)
        assert not torch.equal(other(x), expected)
        assert not other.mlp[0].weight[~masks_of(module)["mlp.0.weight"]].any()


def test_baking_leaves_a_plain_module():
    module, plain = EveryLayer(), EveryLayer()
    sparsify(module, 0.3, rng=0)
    masks = masks_of(module)
    bake(module)
    assert list(module.state_dict()) == list(plain.state_dict())
    assert masks_of(module) == {}
    assert report(module).density == 1
    for each in module.modules():
        assert not each._forward_pre_hooks
        assert not each._state_dict_pre_hooks
    for name, mask in masks.items():
        assert torch.equal(parameter_of(module, name) != 0, mask)
    bake(module)


def test_masks_go_to_torch_and_come_back():
    module = EveryLayer()
    parameters = dict(module.named_parameters())
    torch_prune.l1_unstructured(module.mlp[0], "weight", amount=100)
    torch_prune.random_unstructured(module.rnn, "weight_hh_l0", amount=0.5)
    masks = {"mlp.0.weight": module.mlp[0].weight_mask.bool(), "rnn.weight_hh_l0": module.rnn.weight_hh_l0_mask.bool()}
    with pytest.raises(InputError, match=r"layer 'rnn.weight_hh_l0' .* import_masks"):
        report(module)
    import_masks(module)
    assert all(torch.equal(mask, masks_of(module)[name]) for name, mask in masks.items())
    assert set(masks_of(module)) == set(masks)
    assert all(parameter_of(module, name) is each for name, each in parameters.items())
    assert not module.mlp[0].weight[~masks["mlp.0.weight"]].any()
    export_masks(module)
    assert torch_prune.is_pruned(module)
    assert torch.equal(module.mlp[0].weight_mask.bool(), masks["mlp.0.weight"])
    assert module.mlp[0].weight_orig is parameters["mlp.0.weight"]
    import_masks(module)
    assert all(torch.equal(mask, masks_of(module)[name]) for name, mask in masks.items())


# Pruning


def test_magnitude_pruning_keeps_the_largest_weights_of_all_layers():
    module = mlp()
    everything = torch.cat([module[index].weight.detach().abs().reshape(-1) for index in (0, 2, 4)])
    border = everything.sort(descending=True).values[99]
    found = prune(module, weights=100)
    assert found.live == 100
    for index in (0, 2, 4):
        assert torch.equal(module[index].weight_mask, (module[index].weight != 0))
    kept = torch.cat([module[index].weight.detach().abs().reshape(-1) for index in (0, 2, 4)])
    assert torch.equal(kept >= border, kept > 0)


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 388), st.sampled_from(["class-blinded", "class-uniform", "uniform", "erk", "class-distributed"]))
def test_exactly_as_many_stay_as_are_asked_for(total: int, allocation: str):
    module = mlp()
    prune(module, weights=total, allocation=allocation)
    assert sum(int(mask.sum()) for mask in masks_of(module).values()) == total
    if total > 10:
        prune(module, amount=5, allocation="class-blinded")
        assert report(module).live == total - 5


def test_shares_and_numbers_of_what_lives():
    module = mlp()
    prune(module, density=0.5)
    assert report(module).live == 194
    prune(module, amount=0.5)
    assert report(module).live == 97
    prune(module, amount=7)
    assert report(module).live == 90


def reference(score: str, module: nn.Sequential) -> dict[str, torch.Tensor]:
    """Return scores of an MLP's weights, computed one by one."""
    x, values, found = batch(0)[0], {}, {}
    for index in (0, 2, 4):
        values[index] = x
        x = module[index](x).detach()
        x = x.tanh() if index < 4 else x
    for index in (0, 2, 4):
        weight = module[index].weight.detach()
        gradient = torch.autograd.grad(loss_of(module, 0), module[index].weight)[0]
        read = values[index]
        found[f"{index}.weight"] = {
            "magnitude": weight.abs(),
            "activation": weight.abs() * read.std(0, correction=0),
            "wanda": weight.abs() * read.norm(dim=0),
            "snip": (weight * gradient).abs(),
            "sensitivity": gradient.abs() / (weight.abs() + 1e-8),
            "reciprocal-sensitivity": weight.abs() / (gradient.abs() + 1e-8),
            "mest": weight.abs() + gradient.abs(),
            "taylor": (weight * gradient) ** 2,
        }[score]
    return found


@pytest.mark.parametrize(
    "score",
    ["magnitude", "activation", "wanda", "snip", "sensitivity", "reciprocal-sensitivity", "mest", "taylor"],
)
@pytest.mark.parametrize("allocation", ["class-blinded", "uniform"])
def test_every_score_keeps_what_its_formula_says(score: str, allocation: str):
    module = mlp()
    scores = reference(score, module)
    share = 0.25 if allocation == "uniform" else 0.75
    prune(module, score, density=share, allocation=allocation, loss=lambda: loss_of(module, 0), examples=batch(0)[0])
    if allocation == "uniform":
        for name, values in scores.items():
            count = values.numel() // 4
            assert torch.equal(masks_of(module)[name], values >= NEARLY * values.reshape(-1).sort().values[-count])
    else:
        border = torch.cat([values.reshape(-1) for values in scores.values()]).sort().values[-291]
        assert all(torch.equal(masks_of(module)[name], values >= border * NEARLY) for name, values in scores.items())


def test_gradients_are_those_that_are_there():
    one, other = mlp(), mlp()
    loss_of(one, 0).backward()
    prune(one, "snip", density=0.2)
    prune(other, "snip", density=0.2, loss=lambda: loss_of(other, 0))
    assert other[0].weight.grad is None
    assert all(torch.equal(mask, masks_of(other)[name]) for name, mask in masks_of(one).items())


@pytest.mark.parametrize("score", [each for each in SCORES if each not in ("obd", "obs", "synflow", "set-released")])
@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
def test_every_layer_can_be_judged_by_every_score(score: str, cell):
    module = EveryLayer(cell)
    modes = [each.training for each in module.modules()]
    found = prune(module, score, density=0.2, loss=lambda: module(images()).square().sum(), examples=images(), rng=0)
    assert found.live == round(0.2 * found.places)
    assert [each.training for each in module.modules()] == modes
    assert module(images()).isfinite().all()


def test_what_convolutions_and_attention_read_is_what_their_products_see():
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False, padding_mode="circular").double()
    x = torch.randn(7, 4, 9, 9, dtype=torch.float64)
    read = torch.zeros(6, 18, dtype=torch.float64)
    for row in range(6):
        for column in range(18):
            with torch.no_grad():
                conv.weight.zero_()
                conv.weight.view(6, 18)[row, column] = 1
                read[row, column] = conv(x)[:, row].std(correction=0)
    with torch.no_grad():
        conv.weight.copy_(torch.rand(6, 2, 3, 3) + 0.5)
    scores = (conv.weight.detach().view(6, 18) * read).reshape(-1)
    prune(conv, "activation", weights=30, examples=x)
    assert torch.equal(conv.weight_mask.reshape(-1), scores >= NEARLY * scores.sort().values[-30])

    attention = nn.MultiheadAttention(6, 2, batch_first=True).double()
    query, key = torch.randn(3, 4, 6, dtype=torch.float64), torch.randn(3, 5, 6, dtype=torch.float64)
    seen = []
    with torch.no_grad():
        q, k, v = (
            (each @ weight.T + bias).reshape(3, -1, 2, 3).transpose(1, 2)
            for each, weight, bias in zip(
                (query, key, key), attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3), strict=True
            )
        )
        mixed = (torch.softmax(q @ k.transpose(2, 3) / 3**0.5, -1) @ v).transpose(1, 2).reshape(-1, 6)
        scores = (attention.out_proj.weight.abs() * mixed.norm(dim=0)).reshape(-1)
        seen.append(attention.in_proj_weight[:6].abs() * query.reshape(-1, 6).norm(dim=0))
    prune(attention, "wanda", density=0.5, allocation="uniform", examples=(query, key, key))
    assert torch.equal(attention.out_proj.weight_mask.reshape(-1), scores >= NEARLY * scores.sort().values[-18])
    assert torch.equal(attention.in_proj_weight_mask[:6], seen[0] >= NEARLY * seen[0].reshape(-1).sort().values[-18])


def test_what_recurrent_layers_read():
    torch.manual_seed(0)
    rnn = nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True).double()
    x = torch.randn(6, 5, 3, dtype=torch.float64)
    first = nn.LSTM(3, 4, bidirectional=True, batch_first=True).double()
    first.load_state_dict({name: value for name, value in rnn.state_dict().items() if "_l0" in name})
    with torch.no_grad():
        inner, outer = first(x)[0], rnn(x)[0]
    expected = {
        "weight_ih_l0": x,
        "weight_hh_l0": inner[..., :4],
        "weight_hh_l0_reverse": inner[..., 4:],
        "weight_ih_l1": inner,
        "weight_ih_l1_reverse": inner,
        "weight_hh_l1_reverse": outer[..., 4:],
    }
    scores = {
        name: getattr(rnn, name).detach().abs() * read.reshape(-1, read.shape[-1]).std(0, correction=0)
        for name, read in expected.items()
    }
    prune(rnn, "activation", density=0.5, allocation="uniform", examples=x)
    for name, values in scores.items():
        assert torch.equal(
            masks_of(rnn)[name], values >= NEARLY * values.reshape(-1).sort().values[-(values.numel() // 2)]
        )


def test_whole_edges_go_with_the_weights_of_all_gates():
    torch.manual_seed(0)
    module = nn.GRU(5, 7)
    norms = [getattr(module, name).detach().abs().reshape(3, 7, -1).sum(0) for name in ("weight_ih_l0", "weight_hh_l0")]
    prune(module, density=0.25, granularity="edge")
    border = torch.cat([each.reshape(-1) for each in norms]).sort().values[-21]
    for norm, name in zip(norms, ("weight_ih_l0", "weight_hh_l0"), strict=True):
        for gate in masks_of(module)[name].reshape(3, 7, -1):
            assert torch.equal(gate, norm >= border)


def test_whole_edges_can_be_drawn():
    module = nn.Sequential(nn.GRU(5, 7), nn.Linear(7, 3))
    found = sparsify(module, 0.25, granularity="edge", rng=0)
    n_edges = 0
    for name, mask in masks_of(module).items():
        gates = mask.reshape(1 if name == "1.weight" else 3, -1, mask.shape[1])
        assert torch.equal(gates.all(0), gates.any(0))
        n_edges += int(gates[0].sum())
    assert n_edges == round(0.25 * (35 + 49 + 21))
    assert found.live == sum(int(mask.sum()) for mask in masks_of(module).values())
    sparsify(module, 0.1, granularity="edge", rng=0)
    assert report(module).live == 3 * round(0.1 * 105) - 2 * report(module).layers[-1].live


# Reports


def test_a_report_counts_dead_neurons_where_layers_follow_each_other():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.1), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    first, second, third = torch.zeros(4, 3), torch.zeros(4, 4), torch.zeros(2, 4)
    first[0, 0] = first[1, 1] = 1  # 2 and 3 read nothing.
    second[0, 0] = second[1, 2] = second[2, 1] = 1  # 1 reads a dead one, 3 nothing.
    third[0, 0] = third[1, 1] = 1  # Nothing reads 2, so that 1 before it is dead, too, as is output 1.
    sparsify(module, {"0.weight": first, "3.weight": second, "5.weight": third})
    found = report(module)
    assert [each.live for each in found.layers] == [2, 3, 2]
    assert [each.dead for each in found.layers] == [3, 3, 1]
    assert [each.unread for each in found.layers] == [1, 1, 2]
    assert found.parameters == 7 + 10
    text = str(found)
    assert text.splitlines()[0].split() == ["layer", "shape", "density", "live", "dead", "unread"]
    assert text.splitlines()[2].split() == ["0.weight", "4", "x", "3", "0.1667", "2", "3", "1"]
    assert "17 parameters live" in text
    read = json.loads(found.to_json())
    assert read["layers"][1] == {
        "layer": "3.weight",
        "shape": [4, 4],
        "places": 16,
        "live": 3,
        "density": 3 / 16,
        "dead": 3,
        "unread": 1,
    }
    assert read["density"] == 7 / 36


def test_a_report_of_other_layers_counts_rows_and_columns():
    module = nn.GRU(3, 4)
    mask = torch.zeros(12, 3)
    mask[1, 0] = mask[5, 0] = mask[6, 1] = 1  # Gates of neurons 1 and 2.
    sparsify(module, {"weight_ih_l0": mask})
    row = report(module).layers[0]
    assert (row.dead, row.unread) == (2, 1)
    assert report(EveryLayer()).density == 1


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]):
    page = Path(__file__).resolve().parents[3] / "docs" / "sparsity.md"
    block = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[-1]
    names: dict = {}
    exec(block, names)
    assert names["rewirer"].updates == 8
    assert "740" in capsys.readouterr().out
    assert masks_of(names["module"]) == {}


# Bad input


@pytest.mark.parametrize("density", [0, -0.1, 1.5, float("nan"), "half", True, None])
def test_densities_outside_their_range(density):
    module = mlp()
    for change in (sparsify, lambda each, value: prune(each, density=value)):
        with pytest.raises(InputError, match=r"density=") as error:
            change(module, density)
        assert "\n" not in str(error.value)
    assert masks_of(module) == {}


def test_bad_input_is_named_in_one_line_and_changes_nothing():
    module = mlp()
    norm = nn.Sequential(nn.BatchNorm1d(3), nn.ReLU())
    pruned = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    torch_prune.l1_unstructured(pruned[1], "weight", amount=1)
    lstm = nn.LSTM(3, 8, proj_size=2)
    frozen = mlp()
    frozen[2].weight.requires_grad_(False)
    for call, message in (
        (lambda: sparsify(module), "exactly one of them"),
        (lambda: sparsify(module, weights=389), "389 weights were to live where 388 do"),
        (lambda: sparsify(module, weights=2), "weights"),
        (lambda: sparsify(module, {"0.weight": torch.ones(10, 16)}), r"shape \(10, 16\): \(16, 10\) is needed"),
        (lambda: sparsify(module, {"1.weight": torch.ones(1)}), "layer '1.weight' is not known"),
        (lambda: sparsify(module, {"0.weight": torch.zeros(16, 10)}), "lets none of its 160 weights live"),
        (lambda: sparsify(module, {"0.weight": torch.ones(16, 10)}, weights=3), "leave it out"),
        (lambda: sparsify(module, 0.5, layers=["1"]), "layer '1' is a Tanh: supported are Linear"),
        (lambda: sparsify(module, 0.5, layers=["7"]), "layers='7': the module has no such layer; it has 0.weight"),
        (lambda: sparsify(module, 0.5, allocation="class-blinded"), "shares out by the scores"),
        (lambda: sparsify(module, 0.5, dense=["x"]), "layer 'x' is not known"),
        (lambda: sparsify(module, weights=50, granularity="edge"), "give density"),
        (lambda: sparsify(module, 0.5, granularity="neuron"), "granularity 'neuron' is not known"),
        (lambda: sparsify("x", 0.5), "module is a str: a torch.nn.Module is needed"),
        (lambda: import_masks("x"), "module is a str"),
        (lambda: sparsify(nn.Linear(5, 5, device="meta"), 0.5), "'weight' is on the meta device"),
        (lambda: sparsify(module, 0.5, rng=-1), "rng=-1: it must be a whole number of at least 0"),
        (lambda: sparsify(module, 0.5, rng="a"), "rng='a'"),
        (lambda: sparsify(module, {}), "they name no layer"),
        (
            lambda: sparsify(module, WattsStrogatz(41, 4, 0.1)),
            "a wiring of WattsStrogatz has one layer of 41 .* priors.Layered",
        ),
        (
            lambda: sparsify(module, Layered((10, 16, 3), density=0.5)),
            "layers of 10-16-3 neurons, and the Linear layers are 10-16 .0.weight., 16-12 .2.weight., 12-3",
        ),
        (
            lambda: sparsify(module, Wiring((10, 16, 12, 3), [[0, 10], [10, 26], [26, 38], [0, 40]])),
            "1 of the wiring's 4",
        ),
        (lambda: sparsify(module, Wiring((10, 16, 12, 3), [[0, 10], [10, 26]])), "'4.weight' lets none of its 36"),
        (lambda: sparsify(module, Layered((10, 16, 12, 3), density=0.5), weights=9), "leave it out"),
        (lambda: sparsify(lstm, Layered((10, 16), density=0.5)), "Linear layers are none"),
        (lambda: sparsify(module, {"0.weight": Layered((16, 10), density=0.5)}), "16-10 neurons: 10-16 is needed"),
        (lambda: sparsify(module, Layered), "density="),
        (lambda: sparsify(module, {"0.weight": [[1], [2, 3]]}), "the mask of '0.weight' is a list: numbers are needed"),
        (lambda: sparsify(module, {"0.weight": "1"}), "the mask of '0.weight' is a str"),
        (lambda: sparsify(module, {"0.weight": np.ones(3)}), r"has shape \(3,\): \(16, 10\)"),
        (lambda: sparsify(module, {"0.weight": torch.full((16, 10), torch.nan)}), "the mask of '0.weight' has NaN"),
        (lambda: sparsify(module, 0.5, layers=[0]), "0 is no layer"),
        (lambda: sparsify(module, 0.5, layers=3), "3 is no layer"),
        (lambda: sparsify(module, 0.5, layers=[]), "name at least one; the module has 0.weight"),
        (lambda: sparsify(module, 0.5, dense=["1"]), "layer '1' is not known; known: 0.weight"),
        (lambda: prune(module, 0.5), "score 0.5 is not known; known: random"),
        (lambda: prune(module, weights=10, std="live"), "'class-blinded' does not know the options std"),
        (lambda: prune(module, weights=10, allocation="erk", power="2"), "power='2': it must be a finite number"),
        (lambda: prune(module, weights=10, at_least=1.5), "at_least=1.5: it must be a whole number"),
        (lambda: prune(module, weights=10, at_least=-1), "at_least=-1"),
        (lambda: prune(module, "snip", weights=10, loss=3), "loss=3: it must be a function"),
        (lambda: prune(module, "mest", weights=10, loss=lambda: loss_of(module, 0), gamma="2"), "gamma='2'"),
        (lambda: prune(frozen, "snip", weights=10, loss=lambda: loss_of(frozen, 0)), "2.weight are frozen"),
        (lambda: sparsify(norm, 0.5), "Sequential has no layer whose weights may be masked"),
        (lambda: report(nn.Sequential(nn.LazyLinear(3))), "has no weights yet"),
        (lambda: import_masks(module), "no masks of torch.nn.utils.prune"),
        (lambda: import_masks(pruned), "'1.weight' of a BatchNorm1d"),
        (lambda: prune(module, amount=388), "there are 388 live weights"),
        (lambda: prune(module, amount=1.0), "amount=1.0"),
        (lambda: prune(module, weights=1000), "1000 weights"),
        (lambda: prune(module, weights=10, density=0.5), "exactly one"),
        (lambda: prune(module, "snip", density=0.5), "needs gradients, and 0.weight"),
        (lambda: prune(module, "snip", density=0.5, loss=lambda: 3.0), "loss: it must return"),
        (lambda: prune(module, "wanda", density=0.5), "give examples="),
        (lambda: prune(module, "wanda", density=0.5, examples=batch(0)[0] * torch.nan), "'wanda' of 160 .* is nan"),
        (lambda: prune(module, "snip", density=0.5, loss=lambda: loss_of(module, 0) * torch.inf), "must be finite"),
        (lambda: prune(module, "activation", density=0.5, examples=batch(0)[0][:1]), "'0.weight' read 1 example"),
        (lambda: prune(module, "activation", density=0.5, examples=torch.ones(5, 10).double()), "does not vary"),
        (lambda: prune(module, "obd", density=0.5), "second derivatives"),
        (lambda: prune(module, "set-released", density=0.5), "for rewiring"),
        (lambda: prune(module, "size", density=0.5), "score 'size' is not known"),
        (lambda: prune(module, density=0.5, gamma=2), "gamma"),
        (lambda: prune(module, density=0.5, granularity="neuron"), "granularity"),
        (lambda: prune(module, weights=50, granularity="edge"), "give density or amount"),
        (lambda: prune(lstm, "activation", density=0.5, examples=torch.zeros(2, 1, 3)), "proj_size"),
    ):
        with pytest.raises(InputError, match=message) as error:
            call()
        assert "\n" not in str(error.value)
    assert masks_of(module) == {}
    assert not any(each._forward_pre_hooks for each in module.modules())
    sparsify(module, 0.1, rng=0)
    with pytest.raises(InputError, match="194 weights"):
        prune(module, density=0.5)
    assert report(module).live == 39
