"""Recording cases for ctc_loss."""
import torch


def more(d):
    x = lambda *s: torch.randn(s, dtype=d).log_softmax(-1).requires_grad_()
    T, name = torch.tensor, "nn.functional.ctc_loss"
    targets = T([[1, 2, 3], [1, 1, 2]])
    for reduction in ("none", "mean", "sum"):
        yield name, [x(5, 2, 4), targets, T([5, 4]), T([3, 2])], {"reduction": reduction}
        yield name, [x(5, 2, 4), targets, [2, 4], [3, 2]], {"reduction": reduction, "zero_infinity": True}
    yield name, [x(5, 2, 4), targets, [2, 4], [3, 2], 0, "none"], {}
    yield name, [x(5, 2, 4), T([0, 2, 3, 2]), (5, 5), (3, 1)], {"blank": 1, "reduction": "none"}
    yield name, [x(5, 2, 4), targets, (5, 5), (0, 3)], {"reduction": "none"}
    yield name, [x(5, 4), T([1, 2]), T(5), T(2)], {"reduction": "none"}
    yield name, [x(5, 2, 4), targets.int(), T([5, 4]).int(), T([3, 2]).int()], {}
