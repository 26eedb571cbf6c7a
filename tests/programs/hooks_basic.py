# Hooks: order, replacing, once on the summed gradient, removal (semantics 35).
import torch
x = torch.tensor([1.], requires_grad=True)
x.register_hook(lambda g: g * 2)
x.register_hook(lambda g: print('second sees', g))
x.register_hook(lambda g: g + 1)
(x * 3 + x * 5).backward()
print(x.grad)
x = torch.tensor([1., 2.], requires_grad=True)
y = x * 2
seen = []
h = y.register_hook(lambda g: seen.append(g.clone()))
(y * y).sum().backward()
print(seen, x.grad)
h.remove()
h.remove()
(x * 2).sum().backward()
print(len(seen))


def double(grad):
    '''Doubles what flows.'''
    return grad * 2


x.grad = None
handle = x.register_hook(double)
(x * 1).sum().backward()
print(x.grad)
handle.remove()
(x * 1).sum().backward()
print(x.grad)
modes = []
x = torch.tensor([1.], requires_grad=True)
x.register_hook(lambda g: modes.append(torch.is_grad_enabled()))
(x * x).backward()
(x * x).backward(create_graph=True)
print(modes)
x = torch.tensor([2.], requires_grad=True)
y = x * x
y.register_hook(lambda g: g * 10)
print(torch.autograd.grad(y * 3, x))
acts, grads = [], []
h = torch.tensor([1., 2.], requires_grad=True)
t = h
for i in range(3):
    t = t * 2
    acts.append(t.detach().tolist())
    t.register_hook(lambda g, i=i: grads.append((i, g.tolist())))
t.sum().backward()
print(acts, grads)
x = torch.tensor([3., 4.], requires_grad=True)
x.register_hook(lambda g: g / g.norm())
(x ** 2).sum().backward()
print(x.grad)
x = torch.tensor([1.], requires_grad=True)
x.register_hook(lambda g: None)
(x * 4).backward()
print(x.grad)
with torch.no_grad():
    pass
total = 0.0


def add_up(g):
    global total
    total += g.item()


x.register_hook(add_up)
for k in range(3):
    (x * k).backward()
print(total, x.grad)
