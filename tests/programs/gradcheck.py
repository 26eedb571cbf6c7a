# gradcheck and gradgradcheck (semantics 45).
import torch
from torch.autograd import gradcheck, gradgradcheck
x = torch.tensor([0.3, -0.7, 1.2], dtype=torch.float64, requires_grad=True)
w = torch.tensor([[1.0, 2.0, 0.5], [0.1, -1.0, 0.7]], dtype=torch.float64, requires_grad=True)
print(gradcheck(torch.sin, (x,)), gradcheck(lambda a, b: torch.tanh(b @ a), (x, w)), gradgradcheck(torch.exp, x), gradgradcheck(lambda a, b: (b @ a) ** 2, (x, w)))
for f in (torch.exp, torch.sigmoid, torch.tanh, torch.cos, lambda v: v ** 3, lambda v: v.softmax(0), lambda v: v.logsumexp(0), lambda v: v.cumsum(0), lambda v: v.norm(), lambda v: v.var(), lambda v: (v * v).sum() / v.abs().sum()):
    print(gradcheck(f, (x,)), end=' ')
print()


def wrong(v):
    return v.detach() * v


print(gradcheck(wrong, (x,), raise_exception=False))
try:
    gradcheck(wrong, (x,))
except RuntimeError as e:
    print(str(e).split('\n')[0])
try:
    gradcheck(torch.sin, (torch.ones(2, dtype=torch.float64),))
except ValueError as e:
    print(e)
print(gradcheck(torch.sin, (x,), eps=1e-5, atol=1e-4, rtol=1e-2))
