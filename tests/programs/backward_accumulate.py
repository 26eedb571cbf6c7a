# .grad: adding up in place, None, assigning, zeroing, retain_grad (semantics 13, 18, 20).
import torch
x = torch.tensor([1., 2.], requires_grad=True)
print(x.grad)
(x * 2).sum().backward()
g = x.grad
(x * 3).sum().backward()
print(x.grad, g, g is x.grad)
x.grad.zero_()
print(x.grad, g)
x.grad = None
print(x.grad, g)
(x * x).sum().backward()
print(x.grad)
x.grad = torch.tensor([10., 20.])
(x * x).sum().backward()
print(x.grad)


def assign(value):
    try:
        x.grad = value
        print('assigned', x.grad)
    except (RuntimeError, TypeError) as e:
        print(type(e).__name__, str(e).split('\n')[0])


assign(torch.ones(3))
assign(torch.ones(2, dtype=torch.float64))
assign(torch.ones(2))
assign(None)
assign(x)
y = x * 2
y.retain_grad()
y.retain_grad()
y.sum().backward()
print(y.grad, y.retains_grad, y.is_leaf)
x.retain_grad()
print(x.retains_grad)
try:
    torch.ones(1).retain_grad()
except RuntimeError as e:
    print(e)
z = x * 3
print(z.grad)
print(torch.autograd.grad(z.sum(), z))
a = torch.tensor(2., requires_grad=True)
b = torch.tensor(3., requires_grad=True)
for i in range(3):
    (a * b).backward()
    print(a.grad, b.grad)
del a.grad
print(a.grad)
x = torch.tensor([1., 2.], requires_grad=True)
(x ** 3).sum().backward(create_graph=True)
old = x.grad
print(x.grad)
(x ** 3).sum().backward(create_graph=True)
print(x.grad.requires_grad, old is x.grad, x.grad)
