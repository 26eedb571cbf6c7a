# Finite differences against autograd, for a list of functions.
import torch


def numeric(f, x, eps=1e-6):
    g = torch.zeros_like(x)
    for i in range(x.numel()):
        up, down = x.clone(), x.clone()
        up.view(-1)[i] += eps
        down.view(-1)[i] -= eps
        g.view(-1)[i] = (f(up) - f(down)) / (2 * eps)
    return g


def analytic(f, x):
    x = x.clone().requires_grad_()
    f(x).backward()
    return x.grad


x = torch.tensor([[0.3, -0.7], [1.1, 0.2]], dtype=torch.float64)
functions = {
    'sum of squares': lambda v: (v * v).sum(), 'product': lambda v: v.prod(), 'softmax': lambda v: (v.softmax(0) * torch.arange(4.).view(2, 2)).sum(), 'matmul': lambda v: (v @ v @ v).sum(),
    'norm': lambda v: v.norm(), 'logsumexp': lambda v: v.logsumexp(1).sum(), 'max': lambda v: v.max(), 'std': lambda v: v.std(), 'trig': lambda v: (v.sin() * v.cos()).sum(), 'sigmoid tanh': lambda v: (v.sigmoid() * v.tanh()).sum(),
    'index': lambda v: v[0, 1] * v[1].sum(), 'cat': lambda v: torch.cat([v, v * 2]).pow(2).sum(), 'where': lambda v: torch.where(v > 0, v ** 2, v).sum(), 'cumsum': lambda v: v.cumsum(1).pow(2).sum(), 'trace': lambda v: (v @ v.t()).trace(), 'determinant': lambda v: v[0, 0] * v[1, 1] - v[0, 1] * v[1, 0],
    'atan': lambda v: v.atan().sum(), 'sqrt': lambda v: (v * v + 1).sqrt().sum(), 'var': lambda v: v.var(0).sum(), 'mean': lambda v: v.mean(1).pow(3).sum(), 'lerp': lambda v: torch.lerp(v, v.t(), 0.3).pow(2).sum(), 'inner': lambda v: torch.inner(v, v).sum(), 'addmm': lambda v: torch.addmm(v, v, v, beta=0.5, alpha=2.).sum(),
}
for name, f in functions.items():
    error = (numeric(f, x) - analytic(f, x)).abs().max().item()
    print(f'{name:16}', 'fine' if error < 1e-6 else error)
