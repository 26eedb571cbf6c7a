"""Cases for record.py: conversions to and from the narrow dtypes (int8, int16, float16, bfloat16). What ops make of them is
in tests/programs/narrow_*.py."""
import torch


def more(d):
    x = torch.tensor([0.1, -1.5, 1e-5, 300.7, 65519.0, 0.0], dtype=d)
    for name in ("half", "bfloat16"):
        yield name, [x.clone().requires_grad_()], {}
        yield name, [torch.tensor([1, -300, 2049, 2**40])], {}
    for name in ("short", "char"):
        yield name, [torch.tensor([1.9, -1.9, 100.0], dtype=d)], {}
        yield name, [torch.tensor([1, -1, 300, 70000])], {}
        yield name, [torch.tensor([True, False])], {}
