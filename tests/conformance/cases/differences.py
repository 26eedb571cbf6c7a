"""Differences, slopes and areas of sampled values, covariances."""
import torch

DATABASE = "diff trapezoid cumulative_trapezoid cov corrcoef"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)
i = lambda *v: torch.tensor(v)


def more(d):
    for n in (0, 1, 2, 9):
        yield "diff", [r(2, 4, d=d), n], {}
    yield "diff", [r(2, 3, d=d)], {"dim": 0, "prepend": r(1, 3, d=d), "append": r(2, 3, d=d)}
    yield "diff", [torch.tensor([True, False, False])], {}
    yield "diff", [i(1, 4, 9)], {}
    x = r(4, 3, d=d)
    yield "gradient", [x], {}
    yield "gradient", [x], {"dim": 0, "edge_order": 2}
    yield "gradient", [x], {"spacing": 0.5, "dim": [0, 1]}
    yield "gradient", [x], {"spacing": [0.5, 2.0]}
    places = [torch.tensor([0.0, 1.0, 3.0, 4.5], dtype=d), torch.tensor([-1.0, 0.0, 2.0], dtype=d)]
    yield "gradient", [x], {"spacing": places}
    yield "gradient", [x], {"spacing": places, "edge_order": 2}
    for name in ("trapezoid", "cumulative_trapezoid", "trapz"):
        yield name, [x], {}
        if name != "trapz":
            yield name, [x], {"dx": 0.5, "dim": 0}
        yield name, [x, r(3, d=d)], {}
        yield name, [x, r(4, 3, d=d)], {"dim": 0}
    yield "cov", [r(3, 4, d=d)], {}
    yield "cov", [r(4, d=d)], {"correction": 0}
    yield "cov", [r(2, 3, d=d)], {"fweights": i(1, 2, 1), "aweights": torch.tensor([0.5, 1.0, 2.0], dtype=d, requires_grad=True)}
    yield "cov", [r(2, 1, d=d)], {"correction": 2}
    yield "corrcoef", [r(3, 4, d=d)], {}
    yield "corrcoef", [r(4, d=d)], {}
