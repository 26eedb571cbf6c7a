"""What describes many elements by a few: quantiles, extremes, moments, counts, histograms."""
import math

import torch

DATABASE = "quantile nanquantile nanmean nansum count_nonzero histc"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)


def more(d):
    nan = torch.tensor([[1.0, math.nan, 0.0, 4.0], [2.0, 2.0, -0.0, math.nan]], dtype=d, requires_grad=True)
    whole = torch.tensor([[3, -1, 0], [0, 7, -5]])
    shares = torch.tensor([0.2, 0.9], dtype=d, requires_grad=True)
    for name in ("quantile", "nanquantile"):
        for kind in ("linear", "lower", "higher", "nearest", "midpoint"):
            yield name, [r(5, d=d), 0.3], {"interpolation": kind}
        yield name, [nan, 0.5, 1, True], {}
        yield name, [nan, shares, 0], {}
        yield name, [r(3, 4, d=d), shares], {"keepdim": True}
        yield name, [r(3, 4, d=d), torch.tensor(0.4, dtype=d), -1], {}
        yield name, [r(d=d), 0.5, 0], {}
    yield "aminmax", [nan.detach()], {}
    yield "aminmax", [nan.detach()], {"dim": 0, "keepdim": True}
    yield "aminmax", [whole], {"dim": 1}
    yield "aminmax", [whole], {}
    yield "aminmax", [r(3, d=d)], {}
    yield "aminmax", [r(d=d).detach()], {"dim": 0}
    for name in ("nansum", "nanmean"):
        yield name, [nan], {}
        yield name, [nan, 0], {}
        yield name, [nan, [0, 1], True], {}
        yield name, [r(0, 3, d=d)], {}
    yield "nansum", [whole], {}
    yield "nansum", [nan], {"dtype": torch.float64}
    yield "nansum", [whole, 1], {"dtype": d}
    for name in ("var_mean", "std_mean"):
        yield name, [r(3, 4, d=d)], {}
        yield name, [r(3, 4, d=d), False], {}
        yield name, [r(3, 4, d=d), 1], {}
        yield name, [r(3, 4, d=d), [0, 1], False, True], {}
        yield name, [r(3, 4, d=d), 0], {"correction": 2, "keepdim": True}
        yield name, [torch.full((3,), 2.0, dtype=d, requires_grad=True)], {}
        yield name, [nan], {}
    for x in (nan, whole, whole > 0, r(0, 2, d=d)):
        yield "count_nonzero", [x], {}
        yield "count_nonzero", [x, 0], {}
        yield "count_nonzero", [x, [0, -1]], {}
    points = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0, 2.5, 2.5, 3.0, -1.0], dtype=d)
    yield "histc", [points], {"bins": 5}
    yield "histc", [points, 4, 0, 1], {}
    yield "histc", [torch.tensor([1.0, 1.0], dtype=d), 3], {}
    yield "histc", [torch.zeros(0, dtype=d), 3], {}
    yield "histc", [nan.detach(), 3, 0, 2], {}
    weights = torch.arange(9, dtype=d)
    edges = torch.tensor([0.0, 0.1, 1.0, 2.5], dtype=d)
    for kwargs in ({}, {"weight": weights}, {"density": True}, {"weight": weights, "density": True}):
        yield "histogram", [points, 7], kwargs
        yield "histogram", [points, edges], kwargs
        yield "histogram", [points, 4], {"range": [0.0, 1.0], **kwargs}
    yield "histogram", [points.reshape(3, 3), 3], {"weight": weights.reshape(3, 3)}
    yield "histogram", [torch.zeros(0, dtype=d), 3], {}
    yield "histogram", [torch.full((2,), 5.0, dtype=d), 3], {}
    yield "histogram", [r(3, d=d), 2], {}
    grid = r(6, 2, d=d).detach()
    for kwargs in ({}, {"weight": weights[:6]}, {"density": True}, {"range": [0.0, 1.0, -1.0, 1.0]}):
        yield "histogramdd", [grid, [2, 3]], kwargs
        yield "histogramdd", [grid, 2], kwargs
    yield "histogramdd", [grid, [edges, edges - 1]], {}
    yield "histogramdd", [grid, [edges, edges - 1]], {"weight": weights[:6], "density": True}
    yield "histogramdd", [grid.reshape(2, 3, 2), [2, 2]], {}
    counted = torch.tensor([1, 3, 3, 0, 5])
    yield "bincount", [counted], {}
    yield "bincount", [counted, weights[:5]], {}
    yield "bincount", [counted, counted], {}
    yield "bincount", [counted.int()], {"minlength": 9}
    yield "bincount", [counted.to(torch.uint8), weights[:5] > 1], {"minlength": 2}
    yield "bincount", [torch.zeros(0, dtype=torch.int64)], {"minlength": 3}
