# Views: CopySlices, rebased grad_fn, bases (semantics 30 and 32).
import torch
x = torch.tensor([1., 2., 3.], requires_grad=True)
b = x * 1
v = b[0:2]
v.mul_(10)
print(b, v, b.grad_fn.name(), v.grad_fn.name())
b.sum().backward()
print(x.grad)
x.grad = None
b = x * 1
v = b.view(3)
b.mul_(2)
print(v.grad_fn.name(), v)
v.sum().backward()
print(x.grad)
x.grad = None
base = torch.zeros(3)
view = base[1:]
view.mul_(x[:2])
print(base.requires_grad, base.grad_fn.name(), base.is_leaf)
base = torch.zeros(3)
base[1] = x[0] * 2
base[2:] = x[2:] ** 2
base.sum().backward()
print(base, x.grad)
m = torch.zeros(2, 2)
print(m.view(4)._base is m, m.view(4)[1:]._base is m, m._base, m.t()._is_view(), m.clone()._is_view(), m.reshape(4)._is_view(), m.t().reshape(4)._is_view(), m.expand(3, 2, 2)._is_view())
print(m[0]._base is m, m.T._base is m, m[:, None]._base is m, m[[0]]._base, (m + 1)._base)
for f in (lambda: m.t().view(4), lambda: m.view(5), lambda: m.reshape(3), lambda: m.view(-1, 3), lambda: m.view(-1, -1), lambda: m.expand(3, 3)):
    try:
        f()
    except RuntimeError as e:
        print(e)
row = m[0]
row += 1
m[:, 1] *= 5
m[1, 0] = 9
print(m, row)
m.t()[0] = 7
print(m)
x = torch.arange(6.).reshape(2, 3)
x[0], x[1] = x[1].clone(), x[0].clone()
print(x)
x[x > 3] = 0
x[..., -1] -= 1
x[:, [0, 1]] = torch.tensor([[1., 2.], [3., 4.]])
print(x)
