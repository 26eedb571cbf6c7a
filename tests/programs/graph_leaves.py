# What is a leaf, and what requires grad (semantics 1 and 2).
import torch
a = torch.ones(2, requires_grad=True)
b = torch.ones(2)
print(a.is_leaf, b.is_leaf, (a * 2).is_leaf, (b * 2).is_leaf, a.detach().is_leaf, a.clone().is_leaf, a.double().is_leaf, b.double().is_leaf)
print((a * 2).requires_grad, (b * 2).requires_grad, (a + b).requires_grad, (a > 1).requires_grad, a.argmax().requires_grad, a.long().requires_grad)
print((a > 1).grad_fn, a.argmax().grad_fn, a.long().grad_fn, a.grad_fn, b.grad_fn)
print(a.to(torch.float32) is a, a.float() is a, a.contiguous() is a, a.to(torch.float64) is a, a.data is a)
for f in (torch.sign, torch.floor, torch.round, torch.ceil, torch.trunc):
    x = torch.tensor([1.5, -0.5], requires_grad=True)
    y = f(x)
    y.sum().backward()
    print(y, y.grad_fn.name(), x.grad)
x = torch.tensor([5.], requires_grad=True)
y = x * 2
y.retain_grad()
z = y * 3
z.backward()
print(x.grad, y.grad, z.is_leaf, y.retains_grad, x.retains_grad)
w = torch.tensor(1.0)
print(w.requires_grad, w.requires_grad_().requires_grad, w.is_leaf, w.requires_grad_(False).requires_grad)
c = torch.tensor([1., 2.], requires_grad=True) * 1
c.requires_grad_()
print(c.requires_grad, c.is_leaf)
x = torch.ones(1, requires_grad=True)
y = x * 2
x.requires_grad = False
y.backward()
print(x.grad)
print(torch.zeros(1).requires_grad, torch.rand(1, requires_grad=True).is_leaf, torch.arange(3.).requires_grad_().is_leaf)
