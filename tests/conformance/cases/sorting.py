"""Sorting and what picks elements by their order."""
import math

import torch

DATABASE = "argsort msort topk kthvalue median nanmedian mode"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)


def more(d):
    ties = torch.tensor([2.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 3.0], dtype=d, requires_grad=True)
    nan = torch.tensor([[1.0, math.nan, 0.0, -math.inf], [math.inf, 2.0, -0.0, math.nan]], dtype=d, requires_grad=True)
    whole = torch.tensor([[3, -1, 2], [0, 7, -5]])
    for name in ("sort", "argsort"):
        for descending in (False, True):
            yield name, [ties], {"descending": descending, "stable": True}
            yield name, [nan, 1, descending], {}
            yield name, [whole, 0, descending], {}
        yield name, [r(3, 0, d=d)], {}
        yield name, [r(d=d)], {}
        yield name, [torch.tensor([True, False, True])], {"stable": True}
        yield name, [whole.to(torch.uint8) % 4, -2], {}
    yield "sort", [r(2, 3, 2, d=d), 1], {}
    yield "sort", [r(2, 3, 2, d=d), 0, True], {}
    yield "sort", [r(2, 3, d=d)], {"stable": True, "dim": 0, "descending": True}
    yield "msort", [nan], {}
    yield "msort", [whole], {}
    yield "topk", [nan, 2], {}
    yield "topk", [nan, 2, 1, False], {}
    yield "topk", [whole, 1, 0], {}
    yield "topk", [r(3, 0, d=d), 0], {}
    yield "topk", [r(3, 4, d=d), 0], {}
    yield "topk", [r(d=d), 1], {}
    yield "kthvalue", [nan, 1], {}
    yield "kthvalue", [r(3, 4, d=d), 2, 0, True], {}
    yield "kthvalue", [whole, 2], {}
    yield "kthvalue", [r(d=d), 1], {}
    for name in ("median", "nanmedian"):
        yield name, [ties], {}
        yield name, [r(6, d=d)], {}
        yield name, [nan], {}
        yield name, [r(0, d=d)], {}
        yield name, [r(d=d)], {}
        yield name, [whole], {}
        yield name, [whole, 1], {}
        yield name, [r(3, 4, d=d), 0, True], {}
        yield name, [r(0, 3, d=d), 1], {}
    yield "median", [torch.tensor([[1.0, math.nan, 3.0], [2.0, 5.0, 4.0]], dtype=d, requires_grad=True), 1], {}
    yield "nanmedian", [torch.tensor([[1.0, math.nan, 3.0, 2.0], [2.0, 5.0, 4.0, 1.0]], dtype=d, requires_grad=True), 1], {}
    yield "mode", [ties], {}
    yield "mode", [whole, 0, True], {}
    yield "mode", [nan], {}
    yield "mode", [r(d=d)], {}
    yield "mode", [torch.tensor([True, False])], {}
    sets = torch.tensor([[3.0, 1.0, 3.0, 2.0], [1.0, 1.0, 0.0, -0.0], [3.0, 1.0, 3.0, 2.0]], dtype=d)
    for x in (sets, sets.long(), sets.to(torch.uint8), sets > 1, torch.rand(40, dtype=d).mul(30).floor()):
        for flags in ((False, False), (True, True), (False, True)):
            yield "unique", [x], {"return_inverse": flags[0], "return_counts": flags[1]}
            yield "unique", [x, False, *flags], {}
            yield "unique", [x], {"return_inverse": flags[0], "return_counts": flags[1], "dim": 0}
            yield "unique_consecutive", [x], {"return_inverse": flags[0], "return_counts": flags[1]}
            yield "unique_consecutive", [x], {"return_inverse": flags[0], "return_counts": flags[1], "dim": -1}
    yield "unique", [sets], {"dim": 1}
    yield "unique", [torch.zeros(0, 3, dtype=d), True, True, True], {}
    yield "unique", [torch.zeros(0, 3, dtype=d), True, True, True, 0], {}
    yield "unique", [torch.tensor(2.0, dtype=d), True, True, True], {}
    yield "unique", [r(3, d=d)], {}
    yield "unique", [r(3, 2, d=d)], {"dim": 0}
    yield "unique_consecutive", [r(3, d=d)], {}
    edges = torch.tensor([1.0, 3.0, 3.0, 5.0], dtype=d)
    values = torch.tensor([[3.0, 0.0], [6.0, math.nan]], dtype=d)
    for kwargs in ({}, {"right": True}, {"out_int32": True}):
        yield "searchsorted", [edges, values], kwargs
        yield "bucketize", [values, edges], kwargs
        yield "bucketize", [4, edges], kwargs
        yield "bucketize", [whole, edges], kwargs
    yield "searchsorted", [edges, 3.5], {}
    yield "searchsorted", [edges, values], {"side": "right"}
    yield "searchsorted", [edges.flip(0), values], {"sorter": torch.tensor([3, 2, 1, 0])}
    yield "searchsorted", [torch.stack([edges, edges - 1]), values], {"side": "left"}
    yield "searchsorted", [torch.tensor([1, 3, 5]), torch.tensor([2, 3])], {}
