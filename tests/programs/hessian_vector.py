# Hessian-vector products three ways, and conjugate gradients with them.
import torch
from torch.autograd.functional import hvp, hessian


def f(x):
    return (x ** 4).sum() / 12 + (x[:-1] * x[1:]).sum() + torch.exp(x).sum()


x = torch.tensor([0.5, -1.0, 2.0, 0.1], dtype=torch.float64)
v = torch.tensor([1.0, 0.0, -1.0, 2.0], dtype=torch.float64)
H = hessian(f, x)
print(torch.allclose(H, H.t()), [round(t, 6) for t in (H @ v).tolist()])
print([round(t, 6) for t in hvp(f, x, v)[1].tolist()])
y = x.clone().requires_grad_()
g, = torch.autograd.grad(f(y), y, create_graph=True)
h, = torch.autograd.grad(g @ v, y, retain_graph=True)
print([round(t, 6) for t in h.tolist()])
eps = 1e-5


def gradient(at):
    at = at.detach().requires_grad_()
    return torch.autograd.grad(f(at), at)[0]


print(((gradient(x + eps * v) - gradient(x - eps * v)) / (2 * eps) - h).abs().max().item() < 1e-6)


def cg(product, b, n):
    s = torch.zeros_like(b)
    r = b.clone()
    p = r.clone()
    for _ in range(n):
        Ap = product(p)
        alpha = (r @ r) / (p @ Ap)
        s = s + alpha * p
        new = r - alpha * Ap
        if new.norm() < 1e-12:
            break
        p = new + (new @ new) / (r @ r) * p
        r = new
    return s


Q = torch.tensor([[4., 1., 0.], [1., 3., 1.], [0., 1., 2.]], dtype=torch.float64)
quad = lambda z: 0.5 * z @ Q @ z
s = cg(lambda p: hvp(quad, torch.zeros(3, dtype=torch.float64), p)[1], torch.tensor([1., 2., 3.], dtype=torch.float64), 10)
print([round(t, 8) for t in s.tolist()], torch.allclose(Q @ s, torch.tensor([1., 2., 3.], dtype=torch.float64)))
