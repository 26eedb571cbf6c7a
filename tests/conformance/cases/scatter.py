"""Writing and taking at given places."""
import torch

DATABASE = "slice_scatter index_fill index_copy put take take_along_dim masked_scatter index_reduce"
VARIANTS = "sum prod mean amin amax"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)
i = lambda *v: torch.tensor(v)


def more(d):
    x = r(3, 3, d=d)
    yield "diagonal_scatter", [x, r(2, d=d), 1], {}
    yield "select_scatter", [x, r(3, d=d), -1, 1], {}
    yield "slice_scatter", [x, r(2, 3, d=d), 0, 0, 3, 2], {}
    yield "slice_scatter", [x, r(3, 1, d=d)], {"dim": 1, "start": 2}
    for name in ("index_fill", "index_fill_"):
        yield name, [x, 1, i(0, -1), 2.5], {}
        yield name, [x, 0, i(0, 0), r(d=d)], {}
    for name in ("index_copy", "index_copy_"):
        yield name, [x, 0, i(2, 0), r(2, 3, d=d)], {}
    index = torch.tensor([[0, 2, 1], [1, 0, 0]])
    for name in ("scatter", "scatter_"):
        yield name, [x, 0, index, r(2, 3, d=d)], {}
        yield name, [x, 1, torch.tensor([[2, 0], [0, 1]]), 1.5], {}
    yield "scatter", [r(d=d), 0, torch.tensor(0), r(d=d)], {}
    for name in ("put", "put_"):
        yield name, [x, i(0, -1, 4), r(3, d=d)], {}
        yield name, [x, i(0, 0, 4), r(3, d=d), True], {}
    yield "take", [x, torch.tensor([[0, -1], [4, 4]])], {}
    yield "take_along_dim", [x, torch.tensor([[0], [2], [1]]), 1], {}
    yield "take_along_dim", [x, i(0, 5)], {}
    mask = torch.tensor([[True, False, True], [False, True, False], [False, False, True]])
    for name in ("masked_scatter", "masked_scatter_"):
        yield name, [x, mask, r(5, d=d)], {}
    zeros = torch.tensor([[0.0, 2.0, 0.0], [0.0, -1.0, 3.0]], dtype=d, requires_grad=True)
    for how in ("sum", "prod", "mean", "amin", "amax"):
        for name in ("scatter_reduce", "scatter_reduce_"):
            yield name, [x, 0, index, r(2, 3, d=d), how], {}
        yield "scatter_reduce", [x, 0, index, zeros, how], {"include_self": False}
        yield "scatter_reduce", [i(7, 5), 0, i(0, 0, 1), i(2, 3, -4), how], {}
        if how != "sum":
            yield "index_reduce", [x, 0, i(0, 2, 0), r(3, 3, d=d), how], {}
            yield "index_reduce_", [x, 1, i(0, 0), zeros.detach().reshape(3, 2).requires_grad_(), how], {"include_self": False}
    yield "unfold", [r(5, d=d), 0, 3, 1], {}
    yield "unfold", [r(2, 5, d=d), 1, 2, 2], {}
    yield "unfold", [r(d=d), 0, 1, 1], {}
