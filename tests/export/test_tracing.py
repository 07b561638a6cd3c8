"""Torch modules as NumPy code."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn
from torch.nn import functional

from scml_gym.agents.sb3.deep_sets import DeepSets
from scml_gym.agents.sb3.partners import PartnerBody, SetFeatures
from scml_gym.core.calls import Code
from scml_gym.core.errors import InputError
from scml_gym.export.tracing import OPERATIONS, trace

ROWS = spaces.Box(0, 1, (9, 16), np.float32)


class All(nn.Module):
    """Every operation, by its name: ``x`` is (4, 6), in (0, 1)."""

    def __init__(self):
        super().__init__()
        self.table, self.norm = nn.Embedding(5, 3), nn.LayerNorm(6)
        self.register_buffer("places", torch.tensor([[0, 2], [1, 3], [5, 4], [0, 0]]))

    def results(self, x):
        """By ATen's name, some of them under several."""
        y, half, at = x - 0.5, x > 0.5, self.places
        return {
            "add": torch.add(x, y, alpha=2) + y,
            "sub": torch.sub(x, y, alpha=2) - y,
            "rsub": torch.rsub(x, y),
            "mul": x * y,
            "div": torch.div(y, x, rounding_mode="floor") + y / x,
            "remainder": y % 0.3,
            "maximum": torch.maximum(x, y),
            "minimum": torch.minimum(x, y + 0.2),
            "pow": x**2.5,
            "neg": -x,
            "abs": y.abs(),
            "exp": y.exp(),
            "log": x.log(),
            "sqrt": x.sqrt(),
            "rsqrt": x.rsqrt(),
            "reciprocal": x.reciprocal(),
            "sin": x.sin(),
            "cos": x.cos(),
            "tanh": y.tanh(),
            "sigmoid": y.sigmoid(),
            "relu": y.relu(),
            "leaky_relu": functional.leaky_relu(y, 0.2),
            "elu": functional.elu(y, 0.7),
            "gelu": functional.gelu(y) + functional.gelu(y, approximate="tanh"),
            "clamp": y.clamp(min=0.1),
            "hardtanh": functional.hardtanh(y, -0.2, 0.2),
            "round": (10 * y).round(),
            "floor": (10 * y).floor(),
            "ceil": (10 * y).ceil(),
            "sign": y.sign(),
            "eq": x == x.round(),
            "ne": x != x.round(),
            "lt": x < y.abs(),
            "le": x <= y.abs(),
            "gt": x > y.abs(),
            "ge": x >= y.abs(),
            "logical_not": torch.logical_not(half),
            "logical_and": torch.logical_and(half, x < 0.7),
            "logical_or": torch.logical_or(half, x < 0.2),
            "bitwise_not": ~half,
            "bitwise_and": half & (x < 0.7),
            "bitwise_or": half | (x < 0.2),
            "where": torch.where(half, x, y),
            "masked_fill": x.masked_fill(half, -1e3),
            "sum": x.sum(dim=1, keepdim=True) + x.sum(),
            "mean": x.mean(dim=(0, 1), keepdim=True),
            "var": x.var(dim=1),
            "amax": x.amax(dim=1),
            "amin": x.amin(dim=(0, 1)),
            "max": x.max(dim=1)[0] + x.max(dim=1)[1],
            "min": x.min(dim=1)[0] + x.min(dim=1)[1],
            "any": half.any(dim=1),
            "all": (x > 0.1).all(dim=1, keepdim=True),
            "argmax": x.argmax(dim=1, keepdim=True),
            "argmin": x.argmin(dim=1),
            "cumsum": x.cumsum(dim=1),
            "softmax": y.softmax(dim=-1),
            "log_softmax": y.log_softmax(dim=-1),
            "native_layer_norm": self.norm(x),
            "mm": x @ y.T,
            "bmm": torch.bmm(x[None], y.T[None]),
            "addmm": torch.addmm(x[0, 0] * torch.ones(4), x, y.T, beta=0.5, alpha=2),
            "view": x.reshape(2, 12).flatten(),
            "permute": x.permute(1, 0),
            "unsqueeze": x.unsqueeze(1),
            "squeeze": x[None, :, None].squeeze((0, 2)),
            "expand": x[:, None].expand(-1, 3, 6),
            "repeat": x.repeat(2, 1),
            "slice": x[:, 1:5:2],
            "select": x[:, -1],
            "split_with_sizes": torch.cat(torch.split(x, [1, 2, 3], dim=1)[::-1], dim=1),
            "cat": torch.cat([x, y], dim=1),
            "gather": x.gather(1, at),
            "index": x[at[:, 0] % 4],
            "index_select": x.index_select(1, at[0]),
            "embedding": self.table(at % 5),
            "constant_pad_nd": functional.pad(x, (1, 2), value=3.0),
            "full": torch.full((2, 3), 1.5),
            "full_like": torch.full_like(x, 2.0),
            "scalar_tensor": x * torch.scalar_tensor(3.0),
            "arange": x[0] * torch.arange(6),
            "_to_copy": x.double().int(),
            "clone": x.clone(),
        }

    def forward(self, x):
        return tuple(self.results(x).values())


def numbers(rng, *shape):
    return rng.uniform(0.01, 0.99, shape).astype(np.float32)


def test_every_operation_gives_what_torch_gives():
    module = All().eval()
    x = numbers(np.random.default_rng(0), 4, 6)
    traced = trace(module, [x])
    ours = Code("network", traced.text, "forward").load()(traced.weights, x)
    with torch.no_grad():
        theirs = module(torch.as_tensor(x))
    names = list(module.results(torch.as_tensor(x)))
    aliases = {"_softmax", "_log_softmax", "reshape", "_unsafe_view", "alias", "detach", "lift_fresh_copy"}
    assert set(names) == set(OPERATIONS) - aliases
    for name, mine, other in zip(names, ours, theirs, strict=True):
        assert mine.shape == tuple(other.shape), name
        assert mine.dtype.kind == other.numpy().dtype.kind, name  # torch adds float32 and int64 to float32
        np.testing.assert_allclose(mine, other.numpy(), atol=2e-6, rtol=2e-6, err_msg=name)


class Networks(nn.Module):
    """Those of this package, and one with attention, of a row each."""

    def __init__(self):
        super().__init__()
        self.partners, self.sets, self.deep_sets = PartnerBody(8), SetFeatures(ROWS), DeepSets(ROWS)
        self.attention = nn.TransformerEncoderLayer(16, 2, 8, batch_first=True)

    def forward(self, x):
        return self.partners.forward_actor(x.flatten(1)), self.sets(x), self.deep_sets(x), self.attention(x)


def test_networks_give_what_torch_gives():
    module = Networks().eval()
    traced = trace(module, [ROWS.sample()[None]])
    forward = Code("network", traced.text, "forward").load()
    for seed in range(20):
        x = numbers(np.random.default_rng(seed), 1, 9, 16)
        with torch.no_grad():
            theirs = module(torch.as_tensor(x))
        for mine, other in zip(forward(traced.weights, x), theirs, strict=True):
            np.testing.assert_allclose(mine, other.numpy(), atol=5e-6)


class Branching(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (nn.Conv1d(3, 4, 2), "'convolution' has no NumPy code"),
        (Branching(), "torch does not trace it"),
    ],
)
def test_what_has_no_code_is_named(module, told):
    with pytest.raises(InputError, match=told) as error:
        trace(module, [np.ones((1, 3, 9), dtype=np.float32)], "my network")
    assert str(error.value).startswith("my network cannot be exported") and "\n" not in str(error.value)
