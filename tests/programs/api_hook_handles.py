# Handles of hooks, hooks that fail, and hooks that call backward themselves.
import torch


def said(f):
    try:
        print('fine', f())
    except Exception as e:
        print(type(e).__name__, '|', e)


x = torch.tensor([1., 2.], requires_grad=True)
h = x.register_hook(lambda g: g * 2)
(x * 3).sum().backward()
print(x.grad)
h.remove()
h.remove()
x.grad = None
(x * 3).sum().backward()
print(x.grad)
with x.register_hook(lambda g: g * 10) as h2:
    x.grad = None
    (x * 3).sum().backward()
    print(x.grad, h2 is not None)
x.grad = None
(x * 3).sum().backward()
print(x.grad)

z = x * 3
z.register_hook(lambda g: 4)
said(lambda: z.sum().backward())
z = x * 3
z.register_hook(3)
said(lambda: z.sum().backward())


def fails(g):
    raise KeyError('mine')


z = x * 3
handle = z.register_hook(fails)
said(lambda: z.sum().backward())
handle.remove()
x.grad = None
said(lambda: z.sum().backward())
print(x.grad)


def catches(g):
    try:
        g + torch.ones(5)
    except RuntimeError as e:
        print('caught', type(e).__name__)
    return g + 1


z = x * 3
z.register_hook(catches)
x.grad = None
z.sum().backward()
print(x.grad)

order = []
z = x * 3
handles = []


def once(g):
    order.append('once')
    handles[0].remove()
    return g * 5


handles.append(z.register_hook(once))
z.register_hook(lambda g: order.append('after'))
x.grad = None
z.sum().backward(retain_graph=True)
print(x.grad, order)
x.grad = None
z.sum().backward()
print(x.grad, order)


def nested(g):
    w = torch.tensor(2., requires_grad=True)
    with torch.enable_grad():
        (w * w).backward()
    print('inner', w.grad, torch.is_grad_enabled())
    return None


z = x * 3
z.register_hook(nested)
z.sum().backward()
z = x * x
z.register_hook(lambda g: print('mode', torch.is_grad_enabled()))
g, = torch.autograd.grad(z.sum(), x, create_graph=True)
print(g.requires_grad)


def hooked():
    t = torch.ones(2, requires_grad=True)
    u = t * 2
    u.register_hook(lambda g: print('of a tensor that is gone', g))
    return (t, u + 1)


t, u = hooked()
u.sum().backward()
print(t.grad)


def late():
    t = torch.ones(2, requires_grad=True)
    u = t * 2
    handle = u.register_hook(lambda g: g * 100)
    return (t, u + 1, handle)


t, u, handle = late()
handle.remove()
u.sum().backward()
print(t.grad)
