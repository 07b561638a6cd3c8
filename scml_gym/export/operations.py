"""What torch's networks are made of, in NumPy: a function for each ATen operation, under its name.

`scml_gym.export.networks` writes the code of a traced network as calls of these. Names that are Python's own end with
an underscore. Arguments are ATen's, in its order; arrays may be 0-dimensional where ATen takes a tensor.

Source: https://docs.pytorch.org/docs/stable/torch.compiler_ir.html (Core ATen IR).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray

mul = np.multiply
maximum = np.maximum
minimum = np.minimum
pow_ = np.power
neg = np.negative
abs_ = np.abs
exp = np.exp
log = np.log
sqrt = np.sqrt
reciprocal = np.reciprocal
sin = np.sin
cos = np.cos
tanh = np.tanh
remainder = np.remainder
round_ = np.round
floor = np.floor
ceil = np.ceil
sign = np.sign
eq = np.equal
ne = np.not_equal
lt = np.less
le = np.less_equal
gt = np.greater
ge = np.greater_equal
logical_not = np.logical_not
logical_and = np.logical_and
logical_or = np.logical_or
bitwise_not = np.bitwise_not
bitwise_and = np.bitwise_and
bitwise_or = np.bitwise_or
where = np.where
mm = np.matmul
bmm = np.matmul
view = np.reshape
permute = np.transpose
unsqueeze = np.expand_dims
full = np.full
full_like = np.full_like
repeat = np.tile
reshape = _unsafe_view = np.reshape


def add(a: Array, b: Any, alpha: float = 1) -> Array:
    """Sum."""
    return a + b if alpha == 1 else a + alpha * b


def sub(a: Any, b: Any, alpha: float = 1) -> Array:
    """Difference."""
    return a - b if alpha == 1 else a - alpha * b


def rsub(a: Array, b: Any, alpha: float = 1) -> Array:
    """Difference the other way round."""
    return b - a * alpha


def div(a: Array, b: Any, rounding_mode: str | None = None) -> Array:
    """Quotient."""
    quotient = np.true_divide(a, b)
    return {None: quotient, "floor": np.floor(quotient), "trunc": np.trunc(quotient)}[rounding_mode]


def rsqrt(a: Array) -> Array:
    """One by the square root."""
    return 1 / np.sqrt(a)


def sigmoid(a: Array) -> Array:
    """Logistic function."""
    return (0.5 * (1 + np.tanh(0.5 * a))).astype(a.dtype)


def relu(a: Array) -> Array:
    """What is above 0."""
    return np.maximum(a, 0)


def leaky_relu(a: Array, negative_slope: float = 0.01) -> Array:
    """What is above 0, and a part of what is below."""
    return np.where(a > 0, a, a * negative_slope)


def elu(a: Array, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Array:
    """Linear above 0, exponential below."""
    return np.where(a > 0, a * scale, alpha * scale * np.expm1(np.minimum(a, 0) * input_scale)).astype(a.dtype)


def gelu(a: Array, approximate: str = "none") -> Array:
    """Gaussian error linear unit."""
    if approximate == "tanh":
        return 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))
    return (0.5 * a * (1 + np.vectorize(math.erf, otypes=[a.dtype])(a / math.sqrt(2)))).astype(a.dtype)


def masked_fill(a: Array, mask: Array, value: Any) -> Array:
    """A value where the mask is."""
    return np.where(mask, np.asarray(value, dtype=a.dtype), a)


def _axes(dim: Any) -> Any:
    return tuple(dim) if isinstance(dim, list | tuple) and len(dim) else None if isinstance(dim, list | tuple) else dim


def clamp(a: Array, min: Any = None, max: Any = None) -> Array:
    """Within limits."""
    return np.clip(a, min, max)


def hardtanh(a: Array, min_val: float = -1, max_val: float = 1) -> Array:
    """Within limits."""
    return np.clip(a, min_val, max_val)


def sum_(a: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Sum over dimensions."""
    return np.sum(a, axis=_axes(dim), keepdims=keepdim, dtype=dtype)


def mean(a: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Mean over dimensions."""
    return np.mean(a, axis=_axes(dim), keepdims=keepdim, dtype=dtype)


def var(a: Array, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> Array:
    """Variance over dimensions."""
    return np.var(a, axis=_axes(dim), ddof=correction, keepdims=keepdim)


def amax(a: Array, dim: Any = (), keepdim: bool = False) -> Array:
    """Largest over dimensions."""
    return np.max(a, axis=_axes(dim), keepdims=keepdim)


def amin(a: Array, dim: Any = (), keepdim: bool = False) -> Array:
    """Smallest over dimensions."""
    return np.min(a, axis=_axes(dim), keepdims=keepdim)


def max_(a: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    """Largest over a dimension, and where the first of them is."""
    return np.max(a, axis=dim, keepdims=keepdim), np.argmax(a, axis=dim, keepdims=keepdim)


def min_(a: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    """Smallest over a dimension, and where the first of them is."""
    return np.min(a, axis=dim, keepdims=keepdim), np.argmin(a, axis=dim, keepdims=keepdim)


def any_(a: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Whether any is."""
    return np.any(a, axis=_axes(dim), keepdims=keepdim)


def all_(a: Array, dim: Any = None, keepdim: bool = False) -> Array:
    """Whether all are."""
    return np.all(a, axis=_axes(dim), keepdims=keepdim)


def argmax(a: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Where the first of the largest is."""
    return np.argmax(a, axis=dim, keepdims=keepdim)


def argmin(a: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Where the first of the smallest is."""
    return np.argmin(a, axis=dim, keepdims=keepdim)


def cumsum(a: Array, dim: int, dtype: Any = None) -> Array:
    """Running sums."""
    return np.cumsum(a, axis=dim, dtype=dtype)


def softmax(a: Array, dim: int, half_to_float: bool = False) -> Array:
    """Shares of exponentials."""
    shifted = np.exp(a - np.max(a, axis=dim, keepdims=True))
    return shifted / np.sum(shifted, axis=dim, keepdims=True)


def log_softmax(a: Array, dim: int, half_to_float: bool = False) -> Array:
    """Logarithms of shares of exponentials."""
    shifted = a - np.max(a, axis=dim, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=dim, keepdims=True))


def native_layer_norm(
    a: Array, shape: Sequence[int], weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """Mean 0 and variance 1 over the last dimensions, scaled and shifted."""
    axes = tuple(range(a.ndim - len(shape), a.ndim))
    center = np.mean(a, axis=axes, keepdims=True)
    scale = 1 / np.sqrt(np.var(a, axis=axes, keepdims=True) + np.float32(eps))
    out = (a - center) * scale
    out = out if weight is None else out * weight
    return out if bias is None else out + bias, center, scale


def addmm(bias: Array, a: Array, b: Array, beta: float = 1, alpha: float = 1) -> Array:
    """Matrix product plus a bias."""
    return beta * bias + alpha * (a @ b) if beta != 1 or alpha != 1 else a @ b + bias


def squeeze(a: Array, dim: Any) -> Array:
    """Without these dimensions, where they are of size 1."""
    dims = [d % a.ndim for d in (dim if isinstance(dim, list | tuple) else [dim])]
    return np.squeeze(a, axis=tuple(d for d in dims if a.shape[d] == 1))


def expand(a: Array, size: Sequence[int], implicit: bool = False) -> Array:
    """Repeated to a shape, in which -1 keeps a dimension."""
    lead = len(size) - a.ndim
    return np.broadcast_to(a, [a.shape[i - lead] if n == -1 else n for i, n in enumerate(size)])


def slice_(a: Array, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Array:
    """A range of a dimension."""
    return a[(slice(None),) * (dim % a.ndim) + (slice(start, end, step),)]


def select(a: Array, dim: int, index: int) -> Array:
    """One place of a dimension."""
    return np.take(a, index, axis=dim)


def split_with_sizes(a: Array, sizes: Sequence[int], dim: int = 0) -> list[Array]:
    """Parts of these sizes."""
    return np.split(a, np.cumsum(sizes)[:-1].tolist(), axis=dim)


def cat(arrays: Sequence[Array], dim: int = 0) -> Array:
    """One after the other."""
    return np.concatenate(arrays, axis=dim)


def gather(a: Array, dim: int, index: Array, sparse_grad: bool = False) -> Array:
    """The places of a dimension that an index names."""
    return np.take_along_axis(a, index, axis=dim)


def index(a: Array, indices: Sequence[Array | None]) -> Array:
    """By arrays of indices."""
    return a[tuple(slice(None) if i is None else i for i in indices)]


def index_select(a: Array, dim: int, index: Array) -> Array:
    """Places of a dimension."""
    return np.take(a, index, axis=dim)


def embedding(
    weight: Array, indices: Array, padding_idx: int = -1, scale_grad: bool = False, sparse: bool = False
) -> Array:
    """Rows of a table."""
    return weight[indices]


def constant_pad_nd(a: Array, pad: Sequence[int], value: float = 0) -> Array:
    """With a constant before and after; the last dimension comes first in ``pad``."""
    widths = [(0, 0)] * (a.ndim - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    return np.pad(a, widths, constant_values=value)


def scalar_tensor(value: Any, dtype: Any = None) -> Array:
    """One number."""
    return np.asarray(value, dtype=dtype)


def arange(start: Any, end: Any, step: Any = 1, dtype: Any = None) -> Array:
    """Numbers at equal distances."""
    return np.arange(start, end, step, dtype=dtype)


def _to_copy(a: Array, dtype: Any = None) -> Array:
    """As another type of number."""
    return np.array(a, dtype=dtype)


def clone(a: Array) -> Array:
    """A copy."""
    return a.copy()


def alias(a: Array) -> Array:
    """Itself."""
    return a


detach = lift_fresh_copy = alias
