# The implicit function theorem: the derivative of a fixed point without unrolling it.
import torch


def fixed_point(f, a, x):
    with torch.no_grad():
        for _ in range(200):
            x = f(x, a)
    return x


def f(x, a):
    return torch.cos(x * a)


a = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
x = fixed_point(f, a, torch.tensor(0.5, dtype=torch.float64)).requires_grad_()
y = f(x, a)
dfdx, dfda = torch.autograd.grad(y, [x, a])
implicit = dfda / (1 - dfdx)
print(f'{x.item():.8f} {implicit.item():.8f}')
x = torch.tensor(0.5, dtype=torch.float64)
for _ in range(200):
    x = f(x, a)
x.backward()
print(f'{a.grad.item():.8f}')
eps = 1e-6
up, down = (fixed_point(f, a.detach() + s * eps, torch.tensor(0.5, dtype=torch.float64)) for s in (1, -1))
print(f'{((up - down) / (2 * eps)).item():.5f}')
