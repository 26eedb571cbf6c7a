#!/usr/bin/env python3
"""Records PyTorch's random numbers for tests/unit/test_random.c.

    OMP_NUM_THREADS=1 python3 tests/unit/record_random.py > tests/unit/data/random_cases.txt

To be run on a machine with AVX2: without it PyTorch's float32 normals differ. A case is one line
"op dtype seed n check word…": `check` is the FNV-1a hash of the n numbers' little-endian bytes, the words are the first
numbers' bits in hexadecimal.
"""
import struct

import torch

DTYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64}
SIZES = list(range(0, 41)) + [624, 1000, 100003]


def fnv1a(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def show(op, dtype, seed, n, numbers):
    data = numbers.numpy().tobytes()
    form = "<I" if numbers.element_size() == 4 else "<Q"
    words = [format(struct.unpack_from(form, data, i * numbers.element_size())[0], "x") for i in range(min(n, 3))]
    print(op, dtype, seed, n, format(fnv1a(data), "x"), *words)


def draw(op, dtype, n):
    if op == "rand":
        return torch.rand(n, dtype=dtype)
    if op == "randn":
        return torch.randn(n, dtype=dtype)
    if op == "randint":
        return torch.randint(-3, 10, (n,))
    if op == "randint_wide":
        return torch.randint(0, 2**40, (n,))
    if op == "randperm":
        return torch.randperm(n)
    if op == "uniform_":
        return torch.zeros(n, dtype=dtype).uniform_(-1.5, 3.25)
    if op == "normal_":
        return torch.zeros(n, dtype=dtype).normal_(2.5, 0.3)
    return torch.zeros(n, dtype=dtype).bernoulli_(0.3)


torch.set_num_threads(1)
for seed in (0, 1, 3, 42, 67280421310721, -5):
    for n in SIZES:
        if n > 1000 and seed not in (0, 3):
            continue
        # each line goes on from where the one before left the generator
        torch.manual_seed(seed)
        for op in ("rand", "randn", "uniform_", "normal_", "bernoulli_"):
            for dtype in ("float32", "float64"):
                show(op, dtype, seed, n, draw(op, DTYPES[dtype], n))
        for op in ("randint", "randint_wide", "randperm"):
            show(op, "int64", seed, n, draw(op, torch.int64, n))
