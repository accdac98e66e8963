"""Modules with every supported layer, and a few steps of training."""

import copy

import torch
from torch import nn

__all__ = ["EveryLayer", "batch", "mlp", "parameter_of", "train"]


class EveryLayer(nn.Module):
    """Convolutions, attention, recurrent layers and an MLP, one after the other."""

    def __init__(self, cell=nn.LSTM) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 8, 3, groups=2, padding=1, stride=2)
        self.conv1 = nn.Conv1d(8, 8, 3, dilation=2)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.rnn = cell(8, 6, 2, bidirectional=True, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.conv1(self.conv(x).flatten(2)).transpose(1, 2)
        h = self.norm(h + self.attention(h, h, h)[0])
        return self.mlp(self.rnn(h)[0].mean(1))


def mlp(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 3)).double()


def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(20, 10, generator=generator, dtype=torch.float64)
    return x, (x @ torch.linspace(-1, 1, 30, dtype=torch.float64).sin().reshape(10, 3)).argmax(1)


def loss_of(module: nn.Module, step: int) -> torch.Tensor:
    x, y = batch(step)
    return nn.functional.cross_entropy(module(x), y)


def train(module: nn.Module, optimizer: torch.optim.Optimizer, steps: range, watch=lambda _: None) -> None:
    for step in steps:
        optimizer.zero_grad()
        loss_of(module, step).backward()
        optimizer.step()
        watch(step)


def parameter_of(module: nn.Module, name: str) -> nn.Parameter:
    return dict(module.named_parameters())[name]


def all_gradients(module: nn.Module, step: int) -> dict[str, torch.Tensor]:
    """Return the gradients of everything in float64, without any hook."""
    clean = copy.deepcopy(module)
    loss = loss_of(clean, step)
    return dict(zip(dict(clean.named_parameters()), torch.autograd.grad(loss, list(clean.parameters())), strict=True))
