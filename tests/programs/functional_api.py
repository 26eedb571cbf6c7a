# torch.autograd.functional (semantics 41).
import torch
from torch.autograd.functional import vjp, jvp, vhp, hvp, jacobian, hessian


def f(x):
    return x ** 2 + x.sum()


def s(x):
    return (x ** 3).sum()


x = torch.tensor([1., 2.])
v = torch.tensor([1., 10.])
print(vjp(f, x, v))
print(jvp(f, x, v))
print(hvp(s, x, v))
print(vhp(s, x, v))
print(vjp(s, x), jacobian(f, x), hessian(s, x))
print(jacobian(s, x), jacobian(lambda a: a.exp().sum(1), torch.zeros(2, 3)).shape)
two = lambda a, b: (a * b).sum()
print(jacobian(two, (x, v)))
print(hessian(two, (x, v)))
print(jacobian(lambda a, b: a * 2, (x, v)))
print(vjp(lambda a, b: a * b, (x, v), torch.ones(2)))
print(jacobian(lambda a: (a * 2, a.sum()), x))
print(hvp(two, (x, v), (v, x)))


def attempt(g):
    try:
        print(g())
    except (RuntimeError, TypeError) as e:
        print(type(e).__name__, e)


attempt(lambda: vjp(f, x))
attempt(lambda: jvp(f, x))
attempt(lambda: vjp(f, x, torch.ones(1)))
attempt(lambda: hvp(f, x, v))
attempt(lambda: hessian(f, x))
attempt(lambda: jacobian(lambda a, b: a * 2, (x, v), strict=True))
attempt(lambda: jacobian(lambda a: 5, x))
j = jacobian(f, x.clone().requires_grad_(), create_graph=True)
print(j.requires_grad, jacobian(f, x).requires_grad)
print(jacobian(f, x, vectorize=True))
