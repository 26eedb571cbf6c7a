#!/usr/bin/env python3
"""Records torch.result_type for every pair of operands, for tests/unit/test_bind.c.

    python3 tests/unit/record_promote.py > tests/unit/data/promote_cases.txt

A case is one line "kind dtype kind dtype result"; a kind is dim (has dimensions), zero (0-dim tensor) or number
(a Python number, whose dtype is that of the tensor it becomes). Then, after "cast", "from to yes|no" of torch.can_cast.
"""
import torch

DTYPES = ["uint8", "int32", "int64", "float32", "float64", "bool", "int8", "int16", "float16", "bfloat16"]
NUMBERS = {"bool": True, "int64": 1, "float64": 1.5}


def name(dtype):
    return str(dtype).replace("torch.", "")


def operands():
    for dtype in DTYPES:
        yield "dim", dtype, torch.ones(2, dtype=getattr(torch, dtype))
        yield "zero", dtype, torch.ones((), dtype=getattr(torch, dtype))
    for dtype, number in NUMBERS.items():
        yield "number", dtype, number


for kind1, dtype1, a in operands():
    for kind2, dtype2, b in operands():
        print(kind1, dtype1, kind2, dtype2, name(torch.result_type(a, b)))
print("cast")
for source in DTYPES:
    for target in DTYPES:
        print(source, target, "yes" if torch.can_cast(getattr(torch, source), getattr(torch, target)) else "no")
