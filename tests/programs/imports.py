# Every form of import that programs may use.
import torch
import torch as t
import torch.nn.functional as F
import torch.nn as nn
import torch.autograd
import math
from torch import tensor, no_grad, ones as make_ones
from torch.autograd import grad
from torch.autograd.functional import jacobian, hessian as hess
from torch import nn as n2, optim
import torch.optim as o
from math import (sin,
                  cos)
print(t is torch, n2 is nn, o is optim, torch.nn.functional is F, torch.nn is nn)
x = tensor([1., 2.], requires_grad=True)
print(make_ones(2), F.relu(tensor([-1., 1.])), grad((x * x).sum(), x), jacobian(lambda v: v * 2, make_ones(2)), hess(lambda v: (v ** 2).sum(), make_ones(2)))
with no_grad():
    print((x * 2).requires_grad)
print(torch.nn.functional.softmax(make_ones(4), dim=0), torch.autograd.grad(x.sum(), x), round(sin(0) + cos(0), 3))


def inner():
    import math as mm
    from torch import zeros
    return zeros(int(mm.sqrt(4)))


print(inner())
for name in ('absent',):
    try:
        torch.absent
    except AttributeError as e:
        print(e)
try:
    from torch import absent_name
except ImportError as e:
    print(type(e).__name__, str(e)[:40])
try:
    F.absent
except AttributeError as e:
    print(e)
