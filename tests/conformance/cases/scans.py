"""What runs along a dimension and keeps every step."""
import math

import torch

DATABASE = "cummax cummin cumprod logcumsumexp"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)


def more(d):
    ties = torch.tensor([[2.0, 1.0, 2.0, 3.0], [1.0, 3.0, 3.0, 0.0]], dtype=d, requires_grad=True)
    nan = torch.tensor([1.0, math.nan, 0.0, math.nan, 5.0], dtype=d, requires_grad=True)
    whole = torch.tensor([[3, -1, 2], [3, 7, -5]])
    for name in ("cummax", "cummin"):
        for x in (ties, nan, whole, torch.tensor([False, True, False]), whole.int()):
            yield name, [x, 0], {}
        yield name, [ties, -1], {}
        yield name, [r(d=d), 0], {}
        yield name, [r(3, 0, d=d), 1], {}
    zeros = torch.tensor([[2.0, 0.0, 3.0, 4.0], [0.0, 5.0, 0.0, -1.0]], dtype=d, requires_grad=True)
    yield "cumprod", [zeros, 1], {}
    yield "cumprod", [zeros, 0], {}
    yield "cumprod", [nan, 0], {}
    yield "cumprod", [whole, 1], {}
    yield "cumprod", [whole.int(), 0], {"dtype": torch.int32}
    yield "cumprod", [whole, 0], {"dtype": d}
    yield "cumprod", [torch.tensor([True, False]), 0], {}
    yield "cumprod", [r(d=d), -1], {}
    yield "cumprod", [r(3, 0, d=d), 1], {}
    yield "cumprod_", [r(3, 2, d=d), 0], {}
    yield "cumprod_", [zeros, 1], {}
    yield "cumprod_", [whole, 1], {}
    yield "logcumsumexp", [r(3, 4, d=d), 1], {}
    yield "logcumsumexp", [torch.tensor([-math.inf, -math.inf, 1.0, 800.0, math.inf], dtype=d), 0], {}
    yield "logcumsumexp", [torch.tensor([1.0, math.nan, 2.0], dtype=d), 0], {}
    yield "logcumsumexp", [r(d=d), 0], {}
    yield "logcumsumexp", [r(0, 3, d=d), 0], {}
