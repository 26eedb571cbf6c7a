#!/usr/bin/env python3
"""Records how PyTorch prints tensors, for tests/unit/test_repr.c.

    python3 tests/unit/record_repr.py [seed [random cases]] > tests/unit/data/repr_cases.txt

A case is one line "dtype flags shape data" and then PyTorch's text, each line after a bar.
  flags  -; g: requires grad; m: multiplied by ones, so it has a grad_fn; t: dimensions reversed
  shape  sizes before the reversal, "3,4"; "-" for a 0-dim tensor
  data   hex:<row-major little-endian bytes>, or ramp:<start>:<step>, element i being start + i * step
"""
import random
import sys

import numpy
import torch

DTYPES = ["uint8", "int32", "int64", "float32", "float64", "bool"]
FLOATS = ["float32", "float64"]


def emit(array, dtype, flags, shape, data):
    t = torch.from_numpy(array).to(getattr(torch, dtype)).reshape(shape)
    if "g" in flags or "m" in flags:
        t.requires_grad_()
    if "m" in flags:
        t = t * torch.ones_like(t)
    print(dtype, flags, ",".join(map(str, shape)) or "-", data)
    # A transposed tensor that requires grad is a leaf here, as if it had been made so.
    shown = t.detach().permute(tuple(reversed(range(t.dim())))).requires_grad_(t.requires_grad) if "t" in flags else t
    for line in str(shown).split("\n"):
        print("|" + line)


def exact(values, dtype, shape=None, flags="-"):
    array = numpy.array(values, dtype=dtype)
    emit(array, dtype, flags, array.shape if shape is None else shape, "hex:" + array.tobytes().hex())


def ramp(start, step, dtype, shape, flags="-"):
    count = int(numpy.prod(shape, dtype=numpy.int64))
    array = start + numpy.arange(count, dtype=numpy.float64) * step
    if dtype not in FLOATS:
        array = array.astype("int64")
    emit(array.astype(dtype), dtype, flags, shape, f"ramp:{start!r}:{step!r}")


def chosen_cases():
    inf, nan = float("inf"), float("nan")
    lists = [
        [0.0], [-0.0], [1.0], [4.2], [1.0, 1e5], [1e-5], [1e-4, 1.0], [9.9e-5, 1.0], [1e8], [1.1e8], [1e8, 1.5], [1e9, 2e9],
        [nan], [-nan], [inf], [-inf, 1.0], [nan, 1.0], [nan, 1.5, -inf], [inf, 1e10], [nan, 1e-10, 0.0], [-1.5, 0.0, -0.0],
        [1000.0, 1.0], [1001.0, 1.0], [1000.5, 1.0], [0.5, 500.0], [0.5, 500.1], [1e38, 1e-38], [0.00005], [0.00015, 0.00025],
        [0.125, 0.0625, 0.03125], [2.00005, 2.00015, 2.00025], [0.99995, 9.99995, 99.99995], [123456.78125, 99999.99999],
        [5e-324, 1.0], [1.7976931348623157e308], [3.4028234663852886e38], [1e100, -1e-100], [2.5, -3.5, 1e-4], [99999999.0],
        [12345678.0, 20000.0], [1.5] * 9, [-1.25] * 40, [1e-7] * 17, [100.0] * 30, [0.5, nan, inf, -inf] * 6,
    ]
    for values in lists:
        for dtype in FLOATS:
            with numpy.errstate(over="ignore"):
                exact(values, dtype)
    for dtype in DTYPES:
        for flags in ["-", "g", "m"] if dtype in FLOATS else ["-"]:
            for shape in [(0,), (0, 3), (3, 0), (2, 0, 4), (1, 1, 1, 0)]:
                exact([], dtype, shape, flags)
            for shape in [(), (1,), (1, 1), (1, 1, 1), (2, 3), (2, 2, 2), (2, 1, 2, 2), (13, 2), (1, 30), (1,) * 9, (1,) * 64]:
                ramp(0.0, 1.0, dtype, shape, flags)
        for shape in [(1000,), (1001,), (7, 143), (8, 143), (2, 501), (101, 10), (10, 101), (6, 200), (200, 6), (11, 10, 10),
                      (3, 4, 100), (2, 8, 1, 8, 8), (2, 2, 300), (300, 2, 2), (1, 1, 1200)]:
            ramp(-5.0 if dtype != "uint8" else 0.0, 1.0, dtype, shape, "m" if dtype in FLOATS else "-")
    for dtype in FLOATS:
        for flags in ["-", "g", "m", "t", "gt"]:
            ramp(-1.5, 0.37, dtype, (3, 7), flags)
            ramp(-1.5e-6, 0.037, dtype, (4, 3, 2), flags)
            ramp(0.0, 0.001, dtype, (40, 40), flags)
        for n in range(1, 24):
            ramp(0.25, 1.0, dtype, (n,), "g")
            ramp(1.0, 1.0, dtype, (n,), "m")
            ramp(1e-6, 1.0, dtype, (n,), "m")
    exact([-9223372036854775808, 9223372036854775807, 0], "int64")
    exact([-2147483648, 2147483647], "int32")
    ramp(-3.0, 7919.0, "int64", (5, 9), "t")
    ramp(0.0, 1.0, "uint8", (300, 5), "t")


def random_cases(seed, count):
    draw = random.Random(seed)
    for _ in range(count):
        dtype = draw.choice(DTYPES + FLOATS * 3)
        shape = tuple(draw.choice([1, 2, 2, 3, 5, 9]) for _ in range(draw.randrange(4)))
        number = int(numpy.prod(shape, dtype=numpy.int64))
        scale = 10.0 ** draw.uniform(-9, 12)
        spread = draw.choice([0.0, 1.0, 4.0])
        values = [draw.uniform(-1, 1) * scale * 10 ** draw.uniform(-spread, spread) for _ in range(number)]
        kind = draw.randrange(4)
        if kind == 1:
            values = [float(round(v)) for v in values]
        if kind == 2:
            values = [draw.choice([v, v, 0.0, -0.0, float("nan"), float("inf"), -float("inf")]) for v in values]
        if kind == 3:
            values = [round(v, 4) + 0.00005 for v in values]
        if dtype == "bool":
            values = [v > 0 for v in values]
        elif dtype not in FLOATS:
            top = 256 if dtype == "uint8" else 2 ** draw.randrange(1, 31)
            values = [draw.randrange(0 if dtype == "uint8" else -top, top) for _ in values]
        flags = draw.choice(["-", "-", "t"] + (["g", "m", "gt"] if dtype in FLOATS else []))
        exact(values, dtype, shape, flags)


if __name__ == "__main__":
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    chosen_cases()
    random_cases(seed, int(sys.argv[2]) if len(sys.argv) > 2 else 150)
