"""Normal numbers with tensors as parameters; the others that draw are in record.py."""
import torch

DATABASE = ""


def more(d):
    m = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    p = lambda *s: torch.rand(s, dtype=d).add_(0.5).requires_grad_()
    yield "normal", [m(3), 2.0], {}
    yield "normal", [m(2, 9)], {}
    yield "normal", [0.5, p(3)], {}
    yield "normal", [m(3), p(2, 3)], {}
    yield "normal", [m(2, 1), p(9).detach()], {}
