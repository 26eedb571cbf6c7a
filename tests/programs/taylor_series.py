# Taylor coefficients from repeated differentiation.
import torch
import math


def taylor(f, at, order):
    x = torch.tensor(float(at), dtype=torch.float64, requires_grad=True)
    y = f(x)
    coefficients = [y.item()]
    for k in range(1, order + 1):
        if not y.requires_grad:
            coefficients.append(0.0)
            continue
        y, = torch.autograd.grad(y, x, create_graph=True)
        coefficients.append(y.item() / math.factorial(k))
    return coefficients


def evaluate(c, x):
    total = 0.0
    for a in reversed(c):
        total = total * x + a
    return total


for name, f, ref in (('exp', torch.exp, math.exp), ('sin', torch.sin, math.sin), ('log1p', torch.log1p, math.log1p), ('square', lambda v: v * v, lambda v: v * v)):
    c = taylor(f, 0, 6)
    print(f'{name:7}', [f'{v:+.5f}' for v in c], f'{abs(evaluate(c, 0.1) - ref(0.1)):.0e}' if name != 'square' else evaluate(c, 3.0))
