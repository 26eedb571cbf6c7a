# What torch.autograd.functional refuses, and strict mode.
import torch
from torch.autograd.functional import vjp, jvp, vhp, hvp, jacobian, hessian

x = torch.tensor([1., 2.])


def said(f):
    try:
        print('fine', f())
    except Exception as e:
        print(type(e).__name__, '|', e)


def square(a):
    return a * a


def total(a):
    return a.sum()


def cube(a):
    return (a ** 3).sum()


def first(a, b):
    return a * 2


for f in [vjp, jvp, vhp, hvp]:
    said(lambda: f(square, x))
    said(lambda: f(square, [x]))
    said(lambda: f(square, 3))
    said(lambda: f(square, (x, 1)))
    said(lambda: f(lambda a: 3, x, x))
    said(lambda: f(lambda a: (a, 3), x, x))
    said(lambda: f(square, x, torch.ones(1)))
    said(lambda: f(square, x, torch.ones(1, 2)))
    said(lambda: f(square, x, (x, x)))
    said(lambda: f(square, (x,), (x, x)))
    said(lambda: f(square, (x,), (torch.ones(3),)))
    said(lambda: f(square, x, 3))
    said(lambda: f(square, x, x))
    said(lambda: f(total, x, torch.ones(())))
    said(lambda: f(cube, x, x, strict=True))
    said(lambda: f(total, x, x, strict=True))
    said(lambda: f(lambda a: torch.ones(2), x, x))
    said(lambda: f(lambda a: torch.ones(2), x, x, strict=True))
    said(lambda: f(lambda a, b: (a * a).sum(), (x, x), (x, x), strict=True))
    said(lambda: f(lambda a, b: (a * a).sum(), (x, x), (x, x)))
    said(lambda: f(lambda a, b: (a * a).sum() + b.sum(), (x, x), (x, x), strict=True))
    said(lambda: f(lambda a: a * 2, x, x, create_graph=True, strict=True))
    said(lambda: f(torch.tensor([1, 2]), x))
    said(lambda: f(square, torch.tensor([1, 2]), x))
    said(lambda: f())
    said(lambda: f(square, x, x, True, False, 1))
    said(lambda: f(square, x, w=1))

for f in [jacobian, hessian]:
    said(lambda: f(square, [x]))
    said(lambda: f(square, 3))
    said(lambda: f(square, (x, 1)))
    said(lambda: f(lambda a: 3, x))
    said(lambda: f(lambda a: [a], x))
    said(lambda: f(square, x))
    said(lambda: f(lambda a: (a.sum(), a.sum()), x))
    said(lambda: f(lambda a: torch.ones(1), x))
    said(lambda: f(lambda a: torch.ones(1), x, strict=True))
    said(lambda: f(lambda a, b: (a * a).sum(), (x, x), strict=True))
    said(lambda: f(lambda a, b: (a * a).sum() + b.sum(), (x, x), strict=True))
    said(lambda: f(total, x, strict=True))
    said(lambda: f(total, x, create_graph=True, strict=True))
    said(lambda: f(lambda a: (a * a).sum(), x, create_graph=True, strict=True))
    said(lambda: f(cube, x, strict=True, vectorize=True))
    said(lambda: f(square))
    said(lambda: f(torch.ones, x, nothing=2))
said(lambda: jacobian(square, x, strategy='sideways'))
said(lambda: jacobian(square, x, strategy='forward-mode'))
said(lambda: jacobian(square, x, strategy='forward-mode', create_graph=True))
said(lambda: jacobian(square, x, strategy='forward-mode', strict=True))
said(lambda: jacobian(square, x, strategy='forward-mode', vectorize=True))
said(lambda: hessian(cube, x, outer_jacobian_strategy='sideways'))
said(lambda: hessian(cube, x, outer_jacobian_strategy='forward-mode'))


def fails(a):
    raise KeyError('mine')


said(lambda: jacobian(fails, x))
said(lambda: hessian(fails, x))
said(lambda: hvp(fails, x, x))
print(torch.is_grad_enabled())
