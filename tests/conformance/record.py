#!/usr/bin/env python3
"""Records what PyTorch computes for every op of gradd's table: samples/<op>.jsonl.

One line is one sample, in the words of the wire: the tensors to upload, the request, the outputs PyTorch gives,
and, for fixed random cotangents, the first and second gradients. The test (run_samples.c) needs no PyTorch.

    record.py            records every op again
    record.py add mul    records these

Samples come from PyTorch's own operator database (OpInfo) where it has the op, and from the table MORE below
for methods, properties, in-place forms, factories and random ops. Needs torch 1.13 (Debian: python3-torch).
"""
import importlib
import json
import math
import os
import random
import sys
import types
import unittest
import warnings

warnings.simplefilter("ignore")
try:
    import expecttest  # noqa: F401
except ImportError:  # PyTorch's database imports it and uses nothing of it here
    stand_in = types.ModuleType("expecttest")
    stand_in.TestCase, stand_in.ACCEPT = unittest.TestCase, False
    sys.modules["expecttest"] = stand_in
import torch
from torch.testing._internal.common_methods_invocations import op_db

HERE = os.path.dirname(os.path.abspath(__file__))
MAX_SAMPLES, MAX_NUMEL = 5, 150
FIRST_SWAPPED = {"where": (1, 0, 2), "nn.functional.embedding": (1, 0), "einsum": (1, 0)}

FROM_DATABASE = """add sub rsub mul div pow neg abs exp log log1p expm1 sqrt rsqrt reciprocal square sin cos tan asin acos atan
sinh cosh tanh sigmoid nn.functional.relu floor ceil round trunc sign clamp minimum maximum where lerp addcmul addcdiv remainder fmod
floor_divide eq ne lt le gt ge logical_and logical_or logical_xor logical_not isnan isinf isfinite bitwise_and bitwise_or bitwise_xor bitwise_not
sum mean prod amin amax argmax argmin var std norm logsumexp softmax log_softmax cumsum all any max min
matmul mm bmm mv dot addmm outer reshape view transpose t permute squeeze unsqueeze expand repeat flatten cat stack split
chunk unbind select narrow __getitem__ index_select gather flip clone contiguous allclose masked_fill masked_select index_add
scatter_add as_strided tril triu roll diagonal movedim view_as reshape_as expand_as zeros_like ones_like full_like empty_like""".split()

VARIANTS = set(["", *"""reduction_with_dim binary no_rounding_mode trunc_rounding floor_rounding with_dtype inf fro decimals_0
decimals_3 decimals_neg_3""".split()])

# A family of ops may have a file of its own: cases/FAMILY.py with DATABASE, VARIANTS and more(d) as here.
FAMILIES = [importlib.import_module("cases." + name[:-3]) for name in sorted(os.listdir(os.path.join(HERE, "cases"))) if name.endswith(".py")]
for family in FAMILIES:
    FROM_DATABASE += getattr(family, "DATABASE", "").split()
    VARIANTS |= set(getattr(family, "VARIANTS", "").split())

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)
p = lambda *s, d=torch.float64: torch.rand(s, dtype=d).add_(0.5).requires_grad_()
T = torch.tensor


def more(d):
    """(op, args, kwargs) by hand; `d` is the floating dtype. In-place ops get a clone of args[0] first."""
    i = lambda *v: T(list(v))
    unary = "neg abs exp log log1p expm1 sqrt rsqrt reciprocal square sin cos tan asin acos atan sinh cosh tanh sigmoid relu floor ceil round trunc sign"
    for name in unary.split():
        x = p(3, 2, d=d)
        if name in ("asin", "acos"):
            x = (x.detach() * 0.5).requires_grad_()
        yield name + "_", [x], {}
        yield name, [x.detach().requires_grad_()], {}
        yield name, [i(0, 1)], {}
        yield name, [T([0.0, 0.5, 1.0, -0.25, -0.0], dtype=d, requires_grad=True)], {}
        yield name, [T([math.nan, math.inf, -math.inf], dtype=d)], {}
    for name in ("isnan", "isinf", "isfinite"):
        yield name, [T([math.nan, math.inf, -math.inf, 1.0], dtype=d)], {}
        yield name, [i(0, 1)], {}
    yield "bmm", [r(2, 2, 3, d=d), r(2, 3, 2, d=d)], {}
    for name in ("sub", "mul", "div", "remainder", "fmod", "pow"):
        yield name + "_", [p(3, 2, d=d), p(2, d=d)], {}
        yield name + "_", [p(3, 2, d=d), 2.5], {}
    yield "add_", [r(3, 2, d=d), r(2, d=d)], {"alpha": 2}
    yield "add_", [r(3, d=d), 1], {}
    yield "clamp_", [r(5, d=d)], {"min": -0.5, "max": 0.5}
    yield "clamp", [r(5, d=d), r(5, d=d), r(5, d=d)], {}
    yield "clamp", [r(5, d=d)], {"min": -0.25}
    yield "clamp", [T([-1.0, 0.0, 1.0], dtype=d, requires_grad=True), -1, 1], {}
    yield "lerp_", [r(3, d=d), r(3, d=d), 0.25], {}
    yield "addcmul_", [r(3, d=d), r(3, d=d), r(3, d=d)], {"value": 0.5}
    yield "addcdiv_", [r(3, d=d), r(3, d=d), p(3, d=d)], {"value": 0.5}
    for name in ("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or"):
        yield name + "_", [r(3, d=d).detach(), r(3, d=d).detach()], {}
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        yield name + "_", [r(3, d=d), r(3, d=d).detach()], {}
    yield "logical_not_", [T([0.0, 1.0, 2.0], dtype=d)], {}
    yield "relu", [T([-1.0, 0.0, 2.0], dtype=d, requires_grad=True)], {}
    yield "sigmoid_", [r(4, d=d)], {}
    yield "pow", [2, r(3, d=d)], {}
    yield "pow", [p(3, d=d), 2], {}
    yield "pow", [p(3, d=d), 0.5], {}
    yield "pow", [T([0.0, 1.0, 2.0], dtype=d, requires_grad=True), T([0.0, 2.0, 0.0], dtype=d, requires_grad=True)], {}
    yield "pow", [i(2, 3, 4), 2], {}
    yield "abs", [T([-1.0, 0.0, 2.0, math.nan], dtype=d, requires_grad=True)], {}
    yield "add", [r(3, 1, d=d), r(4, d=d)], {"alpha": 2}
    yield "add", [i(1, 2), 1.5], {}
    yield "add", [T([True, False]), 1], {}
    yield "mul", [i(1, 2), r(2, d=d)], {}
    yield "div", [i(1, 2), 2], {}
    yield "div", [p(4, d=d), p(4, d=d)], {"rounding_mode": "floor"}
    yield "div", [p(4, d=d), p(4, d=d)], {"rounding_mode": "trunc"}
    yield "rsub", [r(3, d=d), 1], {}
    yield "where", [T([True, False, True]), r(3, d=d), 0.0], {}
    yield "maximum", [T([1.0, 2.0, 3.0], dtype=d, requires_grad=True), T([1.0, 5.0, 0.0], dtype=d, requires_grad=True)], {}
    yield "max", [T([1.0, 3.0, 3.0], dtype=d, requires_grad=True)], {}
    yield "max", [r(3, 4, d=d), 1], {}
    yield "max", [r(3, 4, d=d), 0, True], {}
    yield "max", [r(3, d=d), r(3, d=d)], {}
    yield "min", [T([1.0, 1.0, 3.0], dtype=d, requires_grad=True)], {}
    yield "min", [r(3, 4, d=d), 1], {}
    yield "min", [r(3, d=d), r(3, d=d)], {}
    yield "mean", [r(3, 4, d=d)], {}
    yield "mean", [r(3, 4, d=d), 0], {}
    yield "sum", [r(3, 4, d=d), [0, 1], True], {}
    yield "sum", [T([True, True, False])], {}
    yield "prod", [T([0.0, 2.0, 3.0], dtype=d, requires_grad=True)], {}
    yield "prod", [r(3, 4, d=d), 1], {}
    yield "all", [T([True, True, False])], {}
    yield "all", [T([[1, 0], [1, 1]]), 1], {}
    yield "any", [T([[1, 0], [0, 0]]), 1, True], {}
    yield "var", [r(4, 3, d=d)], {"dim": [0], "unbiased": False}
    yield "std", [r(4, 3, d=d), [1]], {"correction": 0, "keepdim": True}
    yield "std", [r(4, 3, d=d), [1], True, True], {}
    yield "var", [r(4, 3, d=d), [1], False], {}
    yield "isclose", [T([1.0, 2.0, math.nan], dtype=d), T([1.0, 2.0 + 1e-9, math.nan], dtype=d)], {}
    yield "isclose", [T([1.0, math.nan], dtype=d), T([1.1, math.nan], dtype=d)], {"rtol": 0.2, "equal_nan": True}
    for q in (1, 2, 3, math.inf, -math.inf, 0):
        yield "norm", [r(3, 2, d=d), q], {}
        yield "norm", [r(3, 2, d=d), q, [1], True], {}
    yield "cumsum_", [r(3, 2, d=d), 0], {}
    yield "softmax", [r(3, 2, d=d)], {"dim": -1}
    yield "nn.functional.softmax", [r(3, 2, d=d)], {"dim": 0}
    yield "nn.functional.log_softmax", [r(3, 2, d=d)], {"dim": 1}
    yield "matmul", [r(2, 3, d=d), r(3, 4, d=d)], {}
    yield "matmul", [r(5, 2, 3, d=d), r(3, d=d)], {}
    yield "matmul", [r(3, d=d), r(5, 3, 2, d=d)], {}
    yield "matmul", [T([[1, 2], [3, 4]]), T([[1, 0], [2, 1]])], {}
    yield "addmm", [r(2, 4, d=d), r(2, 3, d=d), r(3, 4, d=d)], {"beta": 0.5, "alpha": 2}
    yield "T", [r(2, 3, d=d)], {}
    yield "view", [r(2, 3, d=d), [3, -1]], {}
    yield "view", [r(2, 3, d=d), 6], {}
    yield "squeeze", [r(2, 1, 3, d=d), 1], {}
    yield "squeeze", [r(2, 1, 3, 1, d=d)], {}
    yield "flatten", [r(2, 3, 2, d=d), 1], {}
    yield "reshape", [r(2, 3, d=d).t(), [6]], {}
    yield "split", [r(7, 2, d=d), [3, 4]], {}
    yield "split", [r(7, 2, d=d), 3], {"dim": 0}
    yield "chunk", [r(7, 2, d=d), 3], {}
    yield "unbind", [r(3, 2, d=d), 1], {}
    yield "cat", [[r(2, 3, d=d), r(1, 3, d=d)]], {}
    yield "stack", [[r(2, 3, d=d), r(2, 3, d=d)]], {"dim": 1}
    yield "__getitem__", [r(4, 3, d=d), [0]], {}
    yield "__getitem__", [r(4, 3, d=d), [slice(1, None, 2), -1]], {}
    yield "__getitem__", [r(4, 3, d=d), [Ellipsis, None, 1]], {}
    yield "__getitem__", [r(4, 3, d=d), [i(0, 2, 2)]], {}
    yield "__getitem__", [r(2, 3, d=d), [T([[True, False, True], [False, True, False]])]], {}
    yield "__getitem__", [r(4, 3, d=d), [i(0, 1), i(2, 2)]], {}
    yield "__setitem__", [r(4, 3, d=d), [0], 1.5], {}
    yield "__setitem__", [r(4, 3, d=d), [slice(1, 3)], r(2, 3, d=d)], {}
    yield "__setitem__", [r(4, 3, d=d), [i(0, 2)], r(2, 3, d=d)], {}
    yield "__setitem__", [r(3, d=d), [T([True, False, True])], 0.0], {}
    yield "index_put_", [r(4, d=d), [i(0, 0, 2)], r(3, d=d)], {"accumulate": True}
    yield "index_put", [r(4, d=d), [i(1, 2)], r(2, d=d)], {}
    yield "masked_fill_", [r(3, d=d), T([True, False, True]), 2.0], {}
    yield "masked_fill", [r(3, d=d), T([True, False, True]), r(d=d)], {}
    yield "index_add_", [r(4, 2, d=d), 0, i(0, 2), r(2, 2, d=d)], {"alpha": 2}
    yield "scatter_add_", [r(4, d=d), 0, i(0, 0, 2), r(3, d=d)], {}
    for name in ("float", "double", "long", "int", "bool", "byte"):
        yield name, [r(3, d=d)], {}
        yield name, [i(0, 1, 2)], {}
    yield "to", [r(3, d=d), torch.float64], {}
    yield "to", [r(3, d=d), torch.float32], {}
    yield "to", [i(1, 2), r(1, d=d)], {}
    yield "type_as", [i(1, 2), r(1, d=d)], {}
    yield "detach", [r(3, d=d)], {}
    yield "detach_", [r(3, d=d)], {}
    yield "clone", [r(2, 3, d=d).t()], {}
    yield "contiguous", [r(2, 3, d=d).t()], {}
    yield "fill_", [r(3, d=d), 2.0], {}
    yield "fill_", [r(3, d=d), r(d=d)], {}
    yield "zero_", [r(3, d=d)], {}
    yield "copy_", [r(3, 2, d=d), r(2, d=d)], {}
    yield "copy_", [r(3, 2, d=d), i(1, 2)], {}
    yield "requires_grad_", [r(3, d=d).detach()], {}
    yield "item", [T(2.5, dtype=d)], {}
    yield "item", [i(7)], {}
    yield "equal", [i(1, 2), i(1, 2)], {}
    yield "equal", [i(1, 2), i(1, 3)], {}
    yield "allclose", [T([1.0, 2.0], dtype=d), T([1.0, 2.0 + 1e-9], dtype=d)], {}
    yield "allclose", [T([math.nan], dtype=d), T([math.nan], dtype=d)], {"equal_nan": True}
    for name in ("zeros", "ones", "empty"):
        yield name, [[2, 3]], {"dtype": d}
        yield name, [[0]], {}
    yield "full", [[2, 2], 1.5], {"dtype": d}
    yield "full", [[2], 3], {}
    yield "full", [[2], True], {}
    yield "arange", [5], {}
    yield "arange", [2, 7], {}
    yield "arange", [2.5, 5], {"dtype": d}
    yield "arange", [1, 2.5, 0.5], {}
    yield "arange", [3, 0, -1], {"dtype": d}
    yield "linspace", [0, 1, 5], {"dtype": d}
    yield "linspace", [-3, 10, 7], {}
    yield "eye", [3], {"dtype": d}
    yield "eye", [2, 3], {}
    yield "zeros_like", [r(2, d=d)], {}
    yield "full_like", [r(2, d=d), 3], {}
    yield "rand", [[3, 2]], {"dtype": d}
    yield "randn", [[3, 2]], {"dtype": d}
    yield "randn", [[20]], {"dtype": d}
    yield "randint", [10, [4]], {}
    yield "randint", [-5, 5, [4]], {"dtype": d}
    yield "randperm", [6], {}
    yield "rand_like", [r(3, d=d)], {}
    yield "randn_like", [r(17, d=d)], {}
    yield "uniform_", [r(3, d=d).detach(), -1, 1], {}
    yield "normal_", [r(17, d=d).detach(), 1.0, 2.0], {}
    yield "bernoulli", [torch.full((6,), 0.5, dtype=d)], {}
    yield "bernoulli_", [r(6, d=d).detach(), 0.5], {}
    yield "new_zeros", [r(3, d=d), [2]], {}
    yield "new_ones", [r(3, d=d), [2]], {}
    yield "new_empty", [r(3, d=d), [2, 2]], {}
    yield "new_full", [r(3, d=d), [2], 4], {}
    yield "is_floating_point", [r(3, d=d)], {}
    yield "numel", [r(3, 2, d=d)], {}
    yield "size", [r(3, 2, d=d)], {}
    yield "size", [r(3, 2, d=d), -1], {}
    yield "normal", [1.0, 2.0, [3]], {"dtype": d}
    yield "dim", [r(3, 2, d=d)], {}
    yield "manual_seed", [7], {}
    yield "zeros", [2, 3], {}
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        yield name, [i(12, 10), i(10, 6)], {}
        yield name + "_", [i(12, 10), 6], {}
    yield "bitwise_not", [i(12, -1)], {}
    yield "bitwise_not_", [T([True, False])], {}
    yield "floor_divide_", [i(7, -7), 2], {}
    yield "tril_", [r(3, 3, d=d)], {}
    yield "triu_", [r(3, 3, d=d)], {"diagonal": 1}
    yield "t_", [r(2, 3, d=d)], {}
    yield "unflatten", [r(6, d=d), 0, [2, 3]], {}
    yield "slice", [r(5, d=d), 0, 1, 4, 2], {}
    yield "diag", [r(3, d=d)], {}
    yield "diag", [r(3, 3, d=d)], {}
    yield "trace", [r(3, 3, d=d)], {}
    yield "clamp_min", [r(4, d=d), 0.0], {}
    yield "clamp_max", [r(4, d=d), 0.0], {}
    yield "clamp_min", [r(4, d=d), r(4, d=d)], {}
    yield "clamp_max", [r(4, d=d), r(4, d=d)], {}
    yield "clamp_min_", [r(4, d=d), 0.0], {}
    yield "clamp_max_", [r(4, d=d), 0.0], {}
    yield "logical_xor_", [i(1, 0), i(1, 1)], {}
    yield "index", [r(4, d=d), [i(0, 2)]], {}
    yield "addmv", [r(2, d=d), r(2, 3, d=d), r(3, d=d)], {}
    yield "baddbmm", [r(2, 2, 2, d=d), r(2, 2, 3, d=d), r(2, 3, 2, d=d)], {}
    yield "inner", [r(3, d=d), r(3, d=d)], {}
    yield "addmm_", [r(2, 2, d=d), r(2, 3, d=d), r(3, 2, d=d)], {}
    yield "permute", [r(2, 3, 4, d=d), [2, 0, 1]], {}
    yield "transpose", [r(2, 3, 4, d=d), 0, -1], {}
    yield "mT", [r(2, 3, d=d)], {}
    yield from networks(d)
    for family in FAMILIES:
        yield from family.more(d)


def networks(d):
    """Layers and losses of torch.nn.functional."""
    F, i = "nn.functional.", lambda *v: T(list(v))
    yield F + "linear", [r(4, 3, d=d), r(2, 3, d=d), r(2, d=d)], {}
    yield F + "linear", [r(4, 3, d=d), r(2, 3, d=d)], {}
    yield F + "linear", [r(2, 2, 3, d=d), r(2, 3, d=d), r(2, d=d)], {}
    yield F + "linear", [r(3, d=d), r(2, 3, d=d), r(2, d=d)], {}
    yield F + "linear", [r(2, 1, 2, 3, d=d), r(2, 3, d=d)], {"bias": r(2, d=d)}
    yield F + "dropout", [r(20, d=d)], {"p": 0.3}
    yield F + "dropout", [r(4, d=d), 1.0], {}
    yield F + "dropout", [r(4, d=d), 0.5, False], {}
    yield F + "softplus", [T([-30.0, -1.0, 0.0, 2.0, 30.0], dtype=d, requires_grad=True)], {}
    yield F + "softplus", [r(5, d=d), 2, 1.5], {}
    yield F + "leaky_relu", [T([-1.5, 0.0, 2.0], dtype=d, requires_grad=True)], {}
    yield F + "leaky_relu", [r(5, d=d), 0.2], {}
    yield F + "one_hot", [i(0, 2, 1)], {}
    yield F + "one_hot", [T([[1], [0]]), 4], {}
    for name in ("mse_loss", "l1_loss"):
        yield F + name, [r(3, 2, d=d), r(3, 2, d=d)], {}
        yield F + name, [r(3, 2, d=d), r(2, d=d)], {"reduction": "sum"}
        yield F + name, [r(3, d=d), r(3, d=d).detach()], {"reduction": "none"}
    yield F + "mse_loss", [r(3, d=d), r(3, d=d), True, False], {}
    weights = p(3, d=d).detach()
    for name in ("nll_loss", "cross_entropy"):
        yield F + name, [r(4, 3, d=d), i(0, 2, 1, 1)], {}
        yield F + name, [r(4, 3, d=d), i(0, 2, 1, 1), weights], {}
        yield F + name, [r(4, 3, d=d), i(0, -100, 1, 1), weights], {"reduction": "sum"}
        yield F + name, [r(4, 3, d=d), i(0, 2, 1, 1)], {"reduction": "none", "ignore_index": 2}
        yield F + name, [r(3, d=d), T(1)], {}
    yield F + "cross_entropy", [r(2, 3, d=d), p(2, 3, d=d)], {}
    yield F + "cross_entropy", [r(2, 3, d=d), p(2, 3, d=d).detach(), weights], {"reduction": "sum"}
    yield F + "cross_entropy", [r(2, 3, d=d), p(2, 3, d=d).detach()], {"reduction": "none"}
    inner = lambda *s: torch.rand(s, dtype=d).mul_(0.8).add_(0.1).requires_grad_()
    yield F + "binary_cross_entropy", [inner(3, 2), inner(3, 2)], {}
    yield F + "binary_cross_entropy", [inner(3, 2), inner(3, 2).detach(), p(2, d=d).detach()], {"reduction": "sum"}
    yield F + "binary_cross_entropy", [T([0.0, 0.5, 1.0], dtype=d), T([1.0, 1.0, 1.0], dtype=d)], {"reduction": "none"}
    name = F + "binary_cross_entropy_with_logits"
    yield name, [r(3, 2, d=d), inner(3, 2)], {}
    yield name, [r(3, 2, d=d), inner(3, 2).detach()], {"weight": p(2, d=d).detach(), "reduction": "sum"}
    yield name, [r(3, 2, d=d), inner(3, 2)], {"pos_weight": p(2, d=d).detach(), "reduction": "none"}


def number(v):
    if isinstance(v, list):
        return [number(x) for x in v]
    if isinstance(v, float) and not math.isfinite(v):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    return v


def plain(t):
    if t._is_zerotensor():  # PyTorch's storage-less zeros, from forward-mode formulas
        t = torch.zeros(t.shape, dtype=t.dtype)
    return {"dtype": str(t.dtype)[6:], "shape": list(t.shape), "data": number(t.detach().tolist())}


class Unwirable(Exception):
    pass


class Wire:
    def __init__(self):
        self.tensors, self.seen, self.leaves = {}, {}, []

    def tensor(self, t):
        if id(t) not in self.seen:
            if t.layout != torch.strided or str(t.dtype)[6:] not in ("float32", "float64", "int64", "int32", "uint8", "bool", "int8", "int16", "float16", "bfloat16"):
                raise Unwirable("dtype")
            name = f"t{len(self.tensors)}"
            self.tensors[name] = dict(plain(t), requires_grad=t.requires_grad)
            self.seen[id(t)] = (name, t)
            if t.requires_grad:
                self.leaves.append((name, t))
        return self.seen[id(t)][0]

    def value(self, v):
        if isinstance(v, torch.Tensor):
            return self.tensor(v)
        if v is Ellipsis:
            return "..."
        if isinstance(v, slice):
            return {"slice": [v.start, v.stop, v.step]}
        if isinstance(v, (list, tuple)):
            return [self.value(x) for x in v]
        if isinstance(v, torch.dtype):
            return str(v)[6:]
        if v is None or isinstance(v, (bool, int, str)):
            return v
        if isinstance(v, float):
            return number(v)
        raise Unwirable(type(v).__name__)


def function_of(name):
    """PyTorch's callable for a wire name; in-place ones and methods take the tensor first."""
    if name == "__setitem__":
        def setitem(x, index, value):
            x[tuple(index)] = value
            return x
        return setitem
    if name == "__getitem__":
        return lambda x, index: x[tuple(index) if isinstance(index, (list, tuple)) else index]
    if name == "slice":
        return lambda x, dim, start, end, step: torch.ops.aten.slice(x, dim, start, end, step)
    if name == "index":
        return lambda x, index: torch.ops.aten.index(x, index)
    if name == "unflatten":
        return lambda x, dim, sizes: x.unflatten(dim, sizes)
    if name in ("T", "mT", "H", "mH"):
        return lambda x: getattr(x, name)
    if name in ("view", "to", "float", "double", "long", "int", "bool", "byte", "half", "bfloat16", "short", "char", "size", "contiguous", "repeat", "expand", "type_as", "item", "numel", "dim"):
        return getattr(torch.Tensor, name)
    where = torch
    for part in name.split("."):
        where = getattr(where, part, None)
    if where is not None and not isinstance(where, torch.dtype):
        return where
    return getattr(torch.Tensor, name)


def flat(v):
    return [y for x in v for y in flat(x)] if isinstance(v, (list, tuple)) else [v]


def leaf_copy(v):
    """The sample's tensors as fresh leaves, so that the recorded graph begins where the wire's does."""
    if isinstance(v, torch.Tensor):
        return v.detach().clone().contiguous().requires_grad_(v.requires_grad) if v.layout == torch.strided else v
    if isinstance(v, (list, tuple)) and not isinstance(v, torch.Size):
        return type(v)(leaf_copy(x) for x in v) if not hasattr(v, "_fields") else v
    return v


def record(name, args, kwargs, second=True):
    """One sample as a dict; None when the wire cannot say it."""
    args, kwargs = [leaf_copy(a) for a in args], {k: leaf_copy(v) for k, v in kwargs.items()}
    wire = Wire()
    try:
        line = {"op": name, "args": [wire.value(a) for a in args], "kwargs": {k: wire.value(v) for k, v in kwargs.items()}}
        if name == "__getitem__" and not isinstance(args[1], (list, tuple)):
            line["args"][1] = [line["args"][1]]
    except Unwirable:
        return None
    if sum(t.numel() for _, t in wire.seen.values()) > MAX_NUMEL:
        return None
    line["tensors"] = wire.tensors
    function, call_args = function_of(name), list(args)
    if name.endswith("_") and not name.startswith("__") and name != "requires_grad_" or name == "__setitem__":
        line["clone_first"] = True
        call_args[0] = call_args[0] * 1 if call_args[0].requires_grad else call_args[0].clone()
    torch.manual_seed(42)
    result = function(*call_args, **kwargs)
    if name == "manual_seed":
        return dict(line, value=None)
    outputs = flat(result)
    if not all(isinstance(o, torch.Tensor) for o in outputs):
        return dict(line, value=number(list(result) if isinstance(result, torch.Size) else result))
    if sum(o.numel() for o in outputs) > MAX_NUMEL * 2:
        return None
    line["outputs"] = [dict(plain(o), requires_grad=o.requires_grad, grad_fn=type(o.grad_fn).__name__ if o.grad_fn else None) for o in outputs]
    if name in ("empty", "empty_like", "new_empty"):
        line["outputs"] = [dict(o, data=number(torch.zeros(o["shape"], dtype=getattr(torch, o["dtype"])).tolist())) for o in line["outputs"]]
    gradients(line, wire, [o for o in outputs], second)
    return line


def gradients(line, wire, outputs, second):
    chosen = [k for k, o in enumerate(outputs) if o.requires_grad and o.grad_fn is not None]
    if not chosen or not wire.leaves or any(o.numel() == 0 for o in outputs):
        return
    leaves = [t for _, t in wire.leaves]
    seeds = [torch.randn(outputs[k].shape, dtype=outputs[k].dtype) for k in chosen]
    try:
        grads = torch.autograd.grad([outputs[k] for k in chosen], leaves, seeds, allow_unused=True, create_graph=second)
    except RuntimeError as e:
        line["backward_error"] = str(e)
        return
    line["grad"] = {"outputs": chosen, "seeds": [number(s.tolist()) for s in seeds], "inputs": [n for n, _ in wire.leaves],
                    "grads": [None if g is None else plain(g) for g in grads]}
    again = [k for k, g in enumerate(grads) if g is not None and g.requires_grad and g.numel()]
    if not again:
        return
    seeds = [torch.randn(grads[k].shape, dtype=grads[k].dtype) for k in again]
    try:
        twice = torch.autograd.grad([grads[k] for k in again], leaves, seeds, allow_unused=True)
    except RuntimeError:
        return
    line["second"] = {"outputs": again, "seeds": [number(s.tolist()) for s in seeds], "grads": [None if g is None else plain(g) for g in twice]}


def database_samples(name, dtype):
    for op in op_db:
        if op.name != name or op.variant_test_name not in VARIANTS:
            continue
        if not op.supports_dtype(dtype, "cpu"):
            continue
        torch.manual_seed(0)
        random.seed(0)
        samples = list(op.sample_inputs("cpu", dtype, requires_grad=op.supports_autograd and dtype.is_floating_point))
        random.Random(1).shuffle(samples)
        kept = 0
        for s in samples:
            args = [s.input] + list(s.args)
            if name in FIRST_SWAPPED:
                args = [args[k] for k in FIRST_SWAPPED[name]]
            line = None
            try:
                line = record(name, args, s.kwargs, op.supports_gradgrad)
            except (RuntimeError, TypeError, AttributeError, IndexError):
                continue
            if line:
                kept += 1
                yield line
            if kept == MAX_SAMPLES:
                break


def main():
    only = set(sys.argv[1:])
    lines = {}
    for dtype in (torch.float64, torch.float32):
        for name in FROM_DATABASE:
            if not only or name in only:
                lines.setdefault(name, []).extend(database_samples(name, dtype))
        torch.manual_seed(1)
        for name, args, kwargs in more(dtype):
            if not only or name in only:
                try:
                    line = record(name, args, kwargs)
                except Exception as e:
                    print(f"{name}{[a.shape if isinstance(a, torch.Tensor) else a for a in args]} {kwargs}: {e}", file=sys.stderr)
                    raise
                if line:
                    lines.setdefault(name, []).append(line)
    for dtype in (torch.int64,):
        for name in FROM_DATABASE:
            if not only or name in only:
                lines.setdefault(name, []).extend(list(database_samples(name, dtype))[:3])
    os.makedirs(os.path.join(HERE, "samples"), exist_ok=True)
    for name, rows in lines.items():
        with open(os.path.join(HERE, "samples", name + ".jsonl"), "w") as f:
            f.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    print(f"{len(lines)} ops, {sum(map(len, lines.values()))} samples")


main()
