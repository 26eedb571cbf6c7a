# Forward derivatives by hand: pairs of value and tangent, checked against jvp.
import torch
from torch.autograd.functional import jvp


def d_mul(a, b):
    return a[0] * b[0], a[0] * b[1] + a[1] * b[0]


def d_sin(a):
    return torch.sin(a[0]), torch.cos(a[0]) * a[1]


def d_exp(a):
    e = torch.exp(a[0])
    return e, e * a[1]


x = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
t = torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64)
value, tangent = d_mul(d_sin((x, t)), d_exp((x, t)))
reference, product = jvp(lambda v: v.sin() * v.exp(), x, t)
print(torch.allclose(value, reference), torch.allclose(tangent, product))
print([round(v, 8) for v in product.tolist()])
