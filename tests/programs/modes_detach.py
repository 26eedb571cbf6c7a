# detach shares memory and version, .data only the memory (semantics 26).
import torch
x = torch.tensor([2.], requires_grad=True)
d = x.detach()
print(d.requires_grad, d.is_leaf, d._is_view(), d._version, d)
with torch.no_grad():
    x.add_(1)
print(d, d._version, x._version)
x = torch.tensor([2.], requires_grad=True)
y = x * x
x.data.fill_(10)
print(x._version)
y.backward()
print(x.grad)
h = torch.tensor([2.], requires_grad=True) * 1
y = h * h
h.detach().fill_(5)
try:
    y.backward()
except RuntimeError as e:
    print(e)
x = torch.tensor([1., 2.], requires_grad=True)
try:
    x.data = torch.tensor([5, 6])
except RuntimeError as e:
    print(e)
x.data = torch.tensor([1., 2., 3.])
print(x, x._version, x.shape, x.is_leaf)
x.data *= 100
print(x)
x.data[0] = -1
print(x, x.data, x.data.requires_grad)
v = (x * 1).view(3)
try:
    v.detach_()
except RuntimeError as e:
    print(str(e)[:60])
h = x * 2
h.detach_()
print(h.requires_grad, h.is_leaf, h.grad_fn)
c = x.detach().clone()
c[0] = 42
print(x[0].item(), c[0].item())
