# In which order the engine goes: hooks tell (semantics 8).
import torch


def trace(name):
    return lambda g: print(name, g)


x = torch.tensor(1., requires_grad=True)
a = x * 2
b = x * 3
for t, n in ((a, 'a'), (b, 'b'), (x, 'x')):
    t.register_hook(trace(n))
(b + a).backward()
x = torch.tensor(1., requires_grad=True)
h = x * 2
c = h.exp()
d = h * 5
e = c * d
for t, n in ((x, 'x'), (h, 'h'), (c, 'c'), (d, 'd'), (e, 'e')):
    t.register_hook(lambda g, n=n: print(n, f'{g:.3f}'))
e.backward()
x = torch.ones(2, requires_grad=True)
w = torch.ones(2, requires_grad=True)
x.register_hook(trace('x'))
w.register_hook(trace('w'))
(x * w + w).sum().backward()
print(x.grad, w.grad)
layers, t = [], torch.tensor(1.0, requires_grad=True)
for i in range(4):
    t = t * 2
    t.register_hook(lambda g, i=i: layers.append(i))
t.backward()
print(layers)
