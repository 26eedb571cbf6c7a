# Writing by index and through views, with and without a graph.
import torch
x = torch.zeros(3, 4)
x[0] = 1
x[1, 2] = 5
x[2, 1:3] = torch.tensor([7., 8.])
print(x)
x[:, 0] = torch.tensor([9., 9., 9.])
x[..., -1] = -1
x[x == 0] = 0.5
print(x)
x[[0, 2]] = x[[2, 0]]
x[torch.tensor([0, 1]), torch.tensor([1, 1])] = 100.
print(x)
x[0, :] += 1
x[1:] *= 2
x[2, 3] -= 5
print(x)
x[:] = 0
x[None, 0] = 3
print(x, x._version)
y = torch.zeros(4)
y[[0, 0, 1]] = 1.
y.index_put_((torch.tensor([2, 2]),), torch.tensor([1., 1.]), accumulate=True)
print(y)
y[1:3].fill_(7)
y[::2].zero_()
print(y)
a = torch.tensor([1., 2., 3.], requires_grad=True)
b = torch.zeros(2, 3)
b[0] = a
b[1] = a * a
b[0, 1] = 10
b.sum().backward()
print(b, a.grad)
a.grad = None
c = a * 2
c[a > 1.5] = 0
c.sum().backward()
print(c, a.grad)
for bad in ('shape', 'index', 'type'):
    try:
        if bad == 'shape': b.data[0] = torch.ones(5)
        if bad == 'index': b.data[7] = 1
        if bad == 'type': b.data['k'] = 1
    except (RuntimeError, IndexError, TypeError) as e:
        print(type(e).__name__, str(e).split('\n')[0][:100])
d = torch.zeros(2, dtype=torch.int64)
d[0] = 3.7
d[1] = True
print(d)
e = torch.arange(4.)
e.copy_(torch.tensor([4, 3, 2, 1]))
e.masked_fill_(e > 3, 0.)
e.scatter_add_(0, torch.tensor([0, 0]), torch.tensor([5., 6.]))
print(e)
