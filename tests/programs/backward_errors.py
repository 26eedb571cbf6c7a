# Texts of errors that backward gives (semantics 14 to 17).
import torch


def attempt(f):
    try:
        r = f()
        print('fine', r)
    except (RuntimeError, TypeError, ValueError) as e:
        print(type(e).__name__, e)


x = torch.tensor([1., 2.], requires_grad=True)
attempt(lambda: (x * 2).backward())
attempt(lambda: (x * 2).backward(torch.ones(3)))
attempt(lambda: (x * 2).backward(torch.ones(2, 1)))
attempt(lambda: (x * 2).backward(1))
attempt(lambda: torch.ones(1).backward())
attempt(lambda: x.detach().sum().backward())
attempt(lambda: (x > 1).sum().backward())
attempt(lambda: (x * 2).sum().backward(inputs=[]))
attempt(lambda: torch.autograd.backward([x.sum(), x.sum()], [torch.tensor(1.)]))
attempt(lambda: x.sum().backward(torch.tensor(1.0, dtype=torch.float64)))
print(x.grad, x.grad.dtype)
x.grad = None
attempt(lambda: (x * 2).backward(torch.tensor([1, 3])))
print(x.grad, x.grad.dtype)
x.grad = None
attempt(lambda: (x[:1] * 3).reshape(1, 1, 1).backward())
print(x.grad)
x.grad = None
attempt(lambda: x.backward(torch.tensor([5., 6.])))
print(x.grad)
y = torch.tensor(2., requires_grad=True)
attempt(lambda: y.backward())
print(y.grad)
with torch.no_grad():
    attempt(lambda: (y.detach().requires_grad_()).backward())
x.grad = None
z = x * x
with torch.no_grad():
    z.backward(torch.ones(2))
print(x.grad)
p, q = torch.tensor(2., requires_grad=True), torch.tensor(3., requires_grad=True)
h = p * q
(h * q).backward(inputs=[p])
print(p.grad, q.grad)
h = p * q
(h * q).backward(inputs=[h, q])
print(h.grad, p.grad, q.grad)
a, b = p * 2, q * 3
torch.autograd.backward([a, b], [torch.tensor(1.), torch.tensor(10.)])
print(p.grad, q.grad)
torch.autograd.backward((p * q).reshape(1))
print(p.grad, q.grad)
