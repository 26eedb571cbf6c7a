# A second backward: refused where something was saved, allowed elsewhere (semantics 9, 10, 11).
import torch


def twice(name, build):
    x = torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)
    y = build(x)
    g = torch.ones_like(y)
    y.backward(g)
    first = x.grad.clone()
    try:
        y.backward(g)
        print(f'{name:12} twice {torch.equal(x.grad, first * 2)}')
    except RuntimeError as e:
        print(f'{name:12} refused: {str(e)[:60]}')


m = torch.tensor([[1., 0.], [0., 2.]])
for name, f in {
    'add': lambda x: x + 1, 'sub': lambda x: 1 - x, 'neg': lambda x: -x, 'sum': lambda x: x.sum(), 'mean': lambda x: x.mean(), 'view': lambda x: x.view(4), 't': lambda x: x.t(),
    'index': lambda x: x[0], 'slice': lambda x: x[:, 1:], 'cat': lambda x: torch.cat([x, x]), 'stack': lambda x: torch.stack([x, x]), 'expand': lambda x: x.expand(3, 2, 2), 'repeat': lambda x: x.repeat(2, 1),
    'clone': lambda x: x.clone(), 'cast': lambda x: x.double(), 'cumsum': lambda x: x.cumsum(0), 'floor': lambda x: x.floor(), 'sign': lambda x: x.sign(), 'tril': lambda x: x.tril(), 'flip': lambda x: x.flip(0),
    'diag': lambda x: x.diag(), 'trace': lambda x: x.trace(), 'roll': lambda x: x.roll(1), 'unbind': lambda x: x.unbind()[0], 'split': lambda x: x.split(1)[0], 'lerp': lambda x: torch.lerp(x, m, 0.5), 'add_': lambda x: (x + 0).add_(1),
    'mul const': lambda x: x * 2, 'div const': lambda x: x / 2, 'pow 1': lambda x: x ** 1, 'relu': lambda x: x.relu(), 'abs': lambda x: x.abs(), 'where': lambda x: torch.where(x > 2, x, m), 'masked_fill': lambda x: x.masked_fill(x > 2, 0),
    'max': lambda x: x.max(), 'gather': lambda x: x.gather(0, torch.tensor([[0, 1]])), 'list index': lambda x: x[[0]], 'matmul': lambda x: x @ m, 'x*x': lambda x: x * x, 'exp': lambda x: x.exp(),
}.items():
    twice(name, f)
x = torch.tensor([2.], requires_grad=True)
y = x * x
y.backward(retain_graph=True)
print(x.grad)
y.backward()
print(x.grad)
try:
    y.backward()
except RuntimeError as e:
    print(e)
x = torch.tensor([2.], requires_grad=True)
h = x * x
a = h + 1
b = h.exp()
a.backward()
try:
    b.backward()
except RuntimeError as e:
    print(str(e)[:60])
x = torch.tensor([3.], requires_grad=True)
y = x * x
g, = torch.autograd.grad(y, x, create_graph=True)
y.backward()
print(x.grad, g)
