# Gradient descent with a backtracking line search, functions as arguments.
import torch


def minimise(f, x, steps=30, tol=1e-8):
    history = []
    for step in range(steps):
        x = x.detach().requires_grad_()
        y = f(x)
        g, = torch.autograd.grad(y, x)
        size = g.norm().item()
        history.append((step, round(y.item(), 6)))
        if size < tol:
            break
        t = 1.0
        with torch.no_grad():
            while f(x - t * g) > y - 0.5 * t * size ** 2:
                t /= 2
                assert t > 1e-12, 'step too small'
            x = x - t * g
    return x.detach(), history


A = torch.tensor([[3., 1.], [1., 2.]], dtype=torch.float64)
b = torch.tensor([1., -1.], dtype=torch.float64)
x, h = minimise(lambda v: 0.5 * v @ A @ v - b @ v, torch.zeros(2, dtype=torch.float64))
print([round(v, 6) for v in x.tolist()], [round(v, 6) for v in (A @ x).tolist()], h[:4])
x, h = minimise(lambda v: (v.exp() - v * 2).sum(), torch.zeros(3, dtype=torch.float64))
print([round(v, 6) for v in x.tolist()], h[0], h[-1][1])
x, h = minimise(lambda v: (v ** 4).sum() + v.sum(), torch.ones(1, dtype=torch.float64))
print(round(x.item(), 4))
