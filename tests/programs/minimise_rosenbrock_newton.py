# Newton's method on Rosenbrock's function with torch.autograd.functional.hessian.
import torch
from torch.autograd.functional import hessian, jacobian


def rosenbrock(p):
    x, y = p[0], p[1]
    return (1 - x) ** 2 + 100 * (y - x ** 2) ** 2


def solve2(H, g):
    (a, b), (c, d) = H
    det = a * d - b * c
    return torch.stack([(d * g[0] - b * g[1]) / det, (a * g[1] - c * g[0]) / det])


p = torch.tensor([-1.2, 1.0], dtype=torch.float64)
for i in range(8):
    g, H = jacobian(rosenbrock, p), hessian(rosenbrock, p)
    print(i, [round(v, 8) for v in p.tolist()], f'{rosenbrock(p).item():.6e}' if i < 5 else '', round(g.norm().item(), 6))
    p = p - solve2(H, g)
print([round(v, 6) for v in p.tolist()])
print(hessian(rosenbrock, torch.tensor([1.0, 1.0], dtype=torch.float64)))
x = torch.tensor([-1.2, 1.0], requires_grad=True)
for i in range(2000):
    g, = torch.autograd.grad(rosenbrock(x), x)
    with torch.no_grad():
        x -= 0.001 * g
print(rosenbrock(x).item() < 0.3, x[0].item() > 0.4)
