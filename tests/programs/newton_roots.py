# Newton's method for roots, with derivatives from autograd.
import torch


def newton(f, x0, n=20):
    x = torch.tensor(x0, dtype=torch.float64)
    for i in range(n):
        x.requires_grad_()
        y = f(x)
        d, = torch.autograd.grad(y, x)
        if d == 0:
            raise ValueError(f'flat at {x.item()}')
        x = (x - y / d).detach()
        if abs(y.item()) < 1e-13:
            break
    return x.item(), i


for name, f, x0 in [('sqrt 2', lambda x: x * x - 2, 1.0), ('cubic', lambda x: x ** 3 - x - 2, 1.5), ('cos x = x', lambda x: x.cos() - x, 1.0), ('exp', lambda x: x.exp() - 5, 1.0)]:
    root, steps = newton(f, x0)
    print(f'{name:10} {root:.10f} in {steps}')
try:
    newton(lambda x: x * x + 1, 0.0)
except ValueError as e:
    print(e)


def sqrt_by_newton(a):
    '''Differentiates through the iteration.'''
    x = a
    for _ in range(20):
        x = 0.5 * (x + a / x)
    return x


a = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
r = sqrt_by_newton(a)
r.backward()
print(round(r.item(), 10), round(a.grad.item(), 10), round(0.5 / 2 ** 0.5, 10))
