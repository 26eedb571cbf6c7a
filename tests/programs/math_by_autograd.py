# Identities of calculus, checked at random points.
import torch
_ = torch.manual_seed(6)


def D(f):
    '''The derivative of f as a function, which can be derived again.'''
    def df(x):
        x = x if x.requires_grad else x.clone().requires_grad_()
        return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]
    return df


x = torch.rand(50, dtype=torch.float64) * 2 + 0.1
close = lambda a, b: torch.allclose(a.detach(), b.detach(), rtol=1e-9, atol=1e-9)
print('sin cos', close(D(torch.sin)(x), x.cos()), close(D(D(torch.sin))(x), -x.sin()), close(D(D(D(D(torch.sin))))(x), x.sin()))
print('exp', close(D(torch.exp)(x), x.exp()), 'log', close(D(torch.log)(x), 1 / x), 'power', close(D(lambda v: v ** 4.5)(x), 4.5 * x ** 3.5))
f, g = torch.sin, torch.exp
print('product rule', close(D(lambda v: f(v) * g(v))(x), D(f)(x) * g(x) + f(x) * D(g)(x)))
print('chain rule', close(D(lambda v: f(g(v)))(x), D(f)(g(x)) * D(g)(x)))
print('quotient rule', close(D(lambda v: f(v) / g(v))(x), (D(f)(x) * g(x) - f(x) * D(g)(x)) / g(x) ** 2))
print('leibniz', close(D(D(lambda v: f(v) * g(v)))(x), D(D(f))(x) * g(x) + 2 * D(f)(x) * D(g)(x) + f(x) * D(D(g))(x)))
print('inverse', close(D(torch.tan)(torch.atan(x)) * D(torch.atan)(x), torch.ones_like(x)))
print('tanh', close(D(torch.tanh)(x), 1 - x.tanh() ** 2), 'sigmoid', close(D(torch.sigmoid)(x), x.sigmoid() * (1 - x.sigmoid())))
print('heat', close(D(D(lambda v: torch.exp(-v ** 2 / 4)))(x), (x ** 2 / 4 - 0.5) * torch.exp(-x ** 2 / 4)))


def laplacian(f, p):
    p = p.clone().requires_grad_()
    g, = torch.autograd.grad(f(p), p, create_graph=True)
    return sum(torch.autograd.grad(g[i], p, retain_graph=True)[0][i] for i in range(len(p)))


p = torch.tensor([0.3, -0.8, 1.1], dtype=torch.float64)
print('harmonic', abs(laplacian(lambda v: 1 / v.norm(), p).item()) < 1e-9, round(laplacian(lambda v: (v ** 2).sum(), p).item(), 9), round(laplacian(lambda v: v.prod() + v[0] ** 4, p).item(), 9))
names = ['sin', 'cos', 'tanh', 'exp', 'log', 'sqrt', 'atan', 'sigmoid', 'sinh', 'cosh']
ops = [getattr(torch, n) for n in names]
print([n for n, f in zip(names, ops) if close(D(f)(x), (f(x + 1e-6) - f(x - 1e-6)) / 2e-6) or not torch.allclose(D(f)(x), (f(x + 1e-6) - f(x - 1e-6)) / 2e-6, rtol=1e-4)])
