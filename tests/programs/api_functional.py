# torch.autograd.functional over single inputs, tuples, outputs of several shapes, with and without a graph.
import torch
from torch.autograd.functional import vjp, jvp, vhp, hvp, jacobian, hessian

x = torch.tensor([1., 2.])
w = torch.tensor([[1., -1.], [0.5, 3.], [2., 2.]], requires_grad=True)


def square(a):
    return a * a


def both(a, b):
    return (a * b.sum(), (a + b).exp())


def scalar(a):
    return (a ** 3).sum()


def two(a, b):
    return (a * b * b).sum()


def flat(a):
    return torch.tensor(3.) * a[0] + 0 * a.sum()


v = torch.tensor([1., 0.5])
print(vjp(square, x, v))
print(vjp(both, (x, x + 1), (v, v * 2)))
print(vjp(scalar, x))
print(vjp(lambda a: w @ a, x, torch.ones(3)))
print(vjp(scalar, x, create_graph=True))
print(vjp(scalar, x.clone().requires_grad_(), create_graph=True))
print(jvp(square, x, v))
print(jvp(both, (x, x + 1), (v, v * 2)))
print(jvp(scalar, torch.tensor([2.])))
print(jvp(lambda a: w @ a, x, v))
print(jvp(square, x.clone().requires_grad_(), v, create_graph=True))
print(vhp(scalar, x, v))
print(hvp(scalar, x, v))
print(vhp(two, (x, x + 1), (v, v * 2)))
print(hvp(two, (x, x + 1), (v, v * 2)))
print(hvp(lambda a: a.sum(), x, v))
print(hvp(scalar, x.clone().requires_grad_(), v, create_graph=True))
print(vhp(scalar, x.clone().requires_grad_(), v, create_graph=True))
print(jacobian(square, x))
print(jacobian(both, (x, x + 1)))
print(jacobian(lambda a: w @ a, x))
print(jacobian(lambda a: (a.sum(), a), x))
print(jacobian(lambda a, b: a * 2, (x, x)))
print(jacobian(lambda a: a.sum(), torch.tensor([[1., 2.], [3., 4.]])))
print(jacobian(lambda a: a.exp(), torch.tensor(0.)))
print(jacobian(square, x, vectorize=True))
print(jacobian(square, x.clone().requires_grad_(), create_graph=True))
print(jacobian(lambda a: w * a, x).shape)
print(hessian(scalar, x))
print(hessian(two, (x, x + 1)))
print(hessian(scalar, (x,)))
print(hessian(lambda a: (a.sum() ** 2).view(1, 1), x))
print(hessian(scalar, x, vectorize=True))
print(hessian(scalar, x.clone().requires_grad_(), create_graph=True))
print(hessian(lambda a: a.sum(), x))
with torch.no_grad():
    print(jacobian(square, x))
    print(vjp(square, x, v))
    print(jvp(square, x, v))
    print(hvp(scalar, x, v))
print(torch.is_grad_enabled(), x.requires_grad)
big = torch.linspace(-1, 1, 6).view(2, 3)
print(jacobian(lambda a: a.t() @ a, big))
print(hessian(lambda a: a.sin().prod(), big))
