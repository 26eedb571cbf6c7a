"""What broadcasts, stacks, tiles, turns and cuts tensors."""
import torch

DATABASE = """broadcast_to broadcast_tensors block_diag cartesian_prod combinations hsplit vsplit atleast_1d atleast_2d
atleast_3d column_stack hstack vstack dstack tile diagflat repeat_interleave narrow_copy sum_to_size"""
VARIANTS = "variadic_tensors list_of_tensors"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)
i = lambda *v: torch.tensor(v)


def more(d):
    x = r(3, 4, d=d)
    yield "fliplr", [x], {}
    yield "flipud", [r(3, d=d)], {}
    for k in (-5, 0, 1, 2, 7):
        yield "rot90", [x, k], {}
    yield "rot90", [r(2, 2, 3, d=d), 1, [2, 0]], {}
    yield "meshgrid", [[r(2, d=d), r(3, d=d), r(d=d)]], {"indexing": "xy"}
    yield "meshgrid", [r(2, d=d), i(1, 2).to(d)], {}
    yield "block_diag", [r(2, 2, d=d), r(3, d=d), r(d=d), i(5)], {}
    yield "combinations", [r(4, d=d)], {}
    yield "combinations", [i(1, 2, 3)], {"r": 3, "with_replacement": True}
    yield "combinations", [i(1, 2, 3), 0], {}
    yield "tensor_split", [r(7, d=d), 3], {}
    yield "tensor_split", [r(7, d=d), [2, 5]], {}
    yield "tensor_split", [r(2, 7, d=d), i(1, 4), 1], {}
    yield "tensor_split", [r(7, d=d), torch.tensor(2)], {}
    for name, t in (("hsplit", r(2, 4, d=d)), ("hsplit", r(4, d=d)), ("vsplit", r(4, 2, d=d)), ("dsplit", r(1, 2, 4, d=d))):
        yield name, [t, 2], {}
        yield name, [t, [1, 3]], {}
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        for t in (r(d=d), r(2, d=d), r(2, 3, d=d), r(1, 2, 3, d=d)):
            yield name, [t], {}
        yield name, [r(d=d), r(2, d=d)], {}
    for name in ("hstack", "vstack", "dstack", "column_stack", "row_stack"):
        yield name, [[r(2, d=d), r(2, d=d)]], {}
        yield name, [[r(2, 1, d=d), r(2, 1, d=d)]], {}
    for name in ("H", "mH"):
        yield name, [r(2, 3, d=d)], {}
        yield name, [r(d=d)], {}
    yield "mH", [r(2, 3, 1, d=d)], {}
    yield "adjoint", [r(2, 3, d=d)], {}
    yield "tile", [x, [2]], {}
    yield "tile", [x, [2, 1, 2]], {}
    yield "diagflat", [r(2, 2, d=d), -1], {}
    yield "diag_embed", [r(2, 3, d=d), 1, 0, 2], {}
    yield "repeat_interleave", [x, 2], {}
    yield "repeat_interleave", [x, i(1, 0, 2), 0], {}
    yield "repeat_interleave", [x, 2], {"dim": -1}
    yield "repeat_interleave", [i(1, 0, 2)], {}
    yield "ravel", [x], {}
    yield "narrow_copy", [r(2, 5, d=d).detach(), 1, 1, 2], {}
    yield "sum_to_size", [r(2, 3, 4, d=d), [3, 1]], {}
    yield "broadcast_to", [r(3, 1, d=d), [2, 3, 2]], {}
    yield "split_with_sizes", [r(5, d=d), [2, 3]], {}
    yield "movedim", [r(2, 3, 1, d=d), 0, 2], {}
