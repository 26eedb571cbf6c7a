"""Recording cases for rows that reduce bags and runs of rows."""
import torch


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    T = torch.tensor
    bag, i = "nn.functional.embedding_bag", T([0, 2, 2, 3, 1, 2])
    for mode in ("sum", "mean", "max"):
        yield bag, [i, r(4, 2), T([0, 2, 2, 5])], {"mode": mode}
        yield bag, [i, r(4, 2).detach(), T([0, 4, 6])], {"mode": mode, "include_last_offset": True}  # its gradient reads beyond memory
        yield bag, [i.reshape(2, 3), r(4, 2)], {"mode": mode, "padding_idx": -2}
        yield bag, [T([1, 1]), r(4, 2), T([0, 1])], {"mode": mode, "padding_idx": 1}
        yield bag, [T([], dtype=torch.int64), r(4, 2), T([0, 0])], {"mode": mode}
    for mode in ("sum", "mean"):
        yield bag, [i, r(4, 2), T([0, 4])], {"mode": mode, "scale_grad_by_freq": True}
    yield bag, [i, r(4, 2), T([0, 4])], {"mode": "sum", "per_sample_weights": r(6)}
    yield bag, [i.reshape(3, 2), r(4, 2)], {"mode": "sum", "per_sample_weights": r(3, 2), "padding_idx": 2}
    yield bag, [i, r(4, 2), T([0, 4])], {"mode": "sum", "per_sample_weights": r(6), "scale_grad_by_freq": True}
    yield bag, [r(4, 2), i, T([0, 4])], {}
    yield bag, [i.int(), r(4, 2), T([0, 4])], {}
    yield bag, [i, r(4, 2).detach(), T([0, 4])], {"max_norm": 1.0}
    for reduce in ("sum", "mean", "max", "min", "prod"):
        x = T([1.0, 5.0, 5.0, 0.0, 2.0, 2.0, 0.0], dtype=d, requires_grad=True)
        yield "segment_reduce", [x, reduce], {"lengths": T([3, 2, 0, 2])}
        yield "segment_reduce", [x, reduce], {"offsets": T([0, 3, 5, 5, 7]), "initial": 2}
        yield "segment_reduce", [r(2, 3, 2), reduce], {"lengths": T([[1, 2], [3, 0]]), "axis": 1, "initial": 0.5}
        yield "segment_reduce", [T([1.0, float("nan"), 3.0], dtype=d, requires_grad=True), reduce], {"lengths": T([1, 2], dtype=torch.int32)}
    yield "segment_reduce", [r(4), "sum"], {"lengths": T([1, 2]), "unsafe": True}
