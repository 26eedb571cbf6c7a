# Higher derivatives through create_graph (semantics 40).
import torch
x = torch.tensor(2., requires_grad=True)
y = x ** 3
d1, = torch.autograd.grad(y, x, create_graph=True)
d2, = torch.autograd.grad(d1, x, create_graph=True)
d3, = torch.autograd.grad(d2, x)
print(d1, d2, d3)
lin = 3 * x + 1
g, = torch.autograd.grad(lin, x, create_graph=True)
print(g, g.requires_grad)
try:
    torch.autograd.grad(g, x)
except RuntimeError as e:
    print(e)


def derivatives(f, at, n):
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    y = f(x)
    out = [y.item()]
    for i in range(n):
        y, = torch.autograd.grad(y, x, create_graph=True)
        out.append(y.item())
    return [round(v, 8) for v in out]


print(derivatives(torch.sin, 0.5, 5))
print(derivatives(torch.exp, 0.0, 4))
print(derivatives(lambda v: v ** 5, 1.0, 5))
print(derivatives(torch.tanh, 0.3, 3))
print(derivatives(torch.sigmoid, 0.3, 3))
print(derivatives(lambda v: (v * v).log(), 1.5, 3))
print(derivatives(lambda v: 1 / v, 2.0, 4))
print(derivatives(lambda v: v.sqrt(), 4.0, 3))
x = torch.tensor([1., 2., 3.], requires_grad=True)
y = (x ** 3).sum()
g, = torch.autograd.grad(y, x, create_graph=True)
gg, = torch.autograd.grad(g.sum(), x, create_graph=True)
print(g, gg)
penalty = (g.norm() - 1) ** 2
penalty.backward()
print(x.grad)
x = torch.tensor([1., 2.], requires_grad=True)
A = torch.tensor([[2., 1.], [1., 3.]])
q = 0.5 * x @ A @ x
g, = torch.autograd.grad(q, x, create_graph=True)
H = torch.stack([torch.autograd.grad(g[i], x, retain_graph=True)[0] for i in range(2)])
print(g, H)
x = torch.tensor(1.0, requires_grad=True)
y = x.sin()
y.backward(create_graph=True)
first = x.grad
x.grad = None
first.backward()
print(f'{first.item():.6f} {x.grad.item():.6f}')
