# gradcheck and gradgradcheck: what passes, what fails and how.
import torch
from torch.autograd import gradcheck, gradgradcheck


def said(f):
    try:
        print('fine', f())
    except Exception as e:
        print(type(e).__name__, '|', e)


torch.manual_seed(0)
x = torch.tensor([0.5, -1.25, 2.0], dtype=torch.float64, requires_grad=True)
m = torch.tensor([[1., 2., 3.], [4., 5., 6.]], dtype=torch.float64, requires_grad=True)
c = torch.ones(3, dtype=torch.float64)
said(lambda: gradcheck(lambda a: a * a, x))
said(lambda: gradcheck(lambda a: a * a, [x]))
said(lambda: gradcheck(lambda a: (a * a, a.sin()), (x,)))
said(lambda: gradcheck(lambda a, b: b @ a, (x, m)))
said(lambda: gradcheck(lambda a, b: b * a, (x, c)))
said(lambda: gradcheck(lambda a, k: a * k, (x, 3)))
said(lambda: gradcheck(lambda a: (a.sum(), (a > 0)), x))
said(lambda: gradcheck(lambda a: a.detach() * a, x))
said(lambda: gradcheck(lambda a: a.detach() * a, x, raise_exception=False))
said(lambda: gradcheck(lambda a, b: b @ a + a.detach().sum(), (x, m)))
said(lambda: gradcheck(lambda a: a.detach() ** 2, x))
said(lambda: gradcheck(lambda a: torch.ones(2), x))
said(lambda: gradcheck(lambda a: a * a, c))
said(lambda: gradcheck(lambda a: 3, x))
said(lambda: gradcheck(lambda a: (a, 3), x))
said(lambda: gradcheck(lambda a: a * a, c.expand(2, 3).requires_grad_()))
said(lambda: gradcheck(lambda a: a * a, torch.ones(1, dtype=torch.float64).expand(3).requires_grad_()))
said(lambda: gradcheck(lambda a: a.float() ** 3, x))
said(lambda: gradcheck(lambda a: a.float() ** 3, x, raise_exception=False))
said(lambda: gradcheck(lambda a: a ** 3, x, 1e-6))
said(lambda: gradcheck(lambda a: a ** 3, x, eps=1e-3, atol=0, rtol=0))
said(lambda: gradcheck(lambda a: a ** 3, x, nothing=1))
said(lambda: gradcheck(lambda a: a ** 3, x, check_backward_ad=False))
said(lambda: gradcheck(lambda a: a ** 3, x, check_undefined_grad=False, fast_mode=True))
said(lambda: gradcheck(lambda a: a ** 3, torch.tensor(2., dtype=torch.float64, requires_grad=True)))
said(lambda: gradcheck(lambda a: a ** 3, torch.zeros(0, dtype=torch.float64, requires_grad=True)))


def fails(a):
    raise KeyError('mine')


said(lambda: gradcheck(fails, x, raise_exception=False))
seen = []
said(lambda: gradcheck(lambda a: (seen.append(1), a * 2)[1], x))
print(len(seen))
said(lambda: gradcheck(lambda a: (seen.append(1), a[:len(seen) % 2 + 1])[1], x))
said(lambda: gradcheck(lambda a: (seen.append(1), a.float() if len(seen) % 2 else a)[1], x))
said(lambda: gradgradcheck(lambda a: a ** 3, x))
said(lambda: gradgradcheck(lambda a: (a ** 3, a.exp()), x))
said(lambda: gradgradcheck(lambda a, b: b @ a, (x, m)))
said(lambda: gradgradcheck(lambda a: a ** 3, x, torch.ones(3, dtype=torch.float64, requires_grad=True)))
said(lambda: gradgradcheck(lambda a: a ** 3, x, [torch.ones(3, dtype=torch.float64)]))
said(lambda: gradgradcheck(lambda a: a * a.detach() * a, x, raise_exception=False))
said(lambda: gradgradcheck(lambda a: a * a.detach() * a, x, torch.ones(3, dtype=torch.float64, requires_grad=True)))
said(lambda: gradgradcheck(lambda a: a ** 3, x, check_rev_over_rev=False))
said(lambda: gradgradcheck(lambda a: a ** 3, c))
print(x, x.grad)
print(torch.rand(2))
