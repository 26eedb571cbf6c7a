# no_grad and its kin as contexts, calls and decorators.
import torch


def said(f):
    try:
        print('fine', f())
    except Exception as e:
        print(type(e).__name__, '|', e)


def mode():
    return torch.is_grad_enabled()


x = torch.tensor([1.], requires_grad=True)
n = torch.no_grad()
with n:
    print(mode())
with n:
    with torch.enable_grad():
        print(mode(), (x * 2).requires_grad)
        with n:
            print(mode())
        print(mode())
print(mode())
torch.set_grad_enabled(False)
print(mode())
torch.set_grad_enabled(True)
with torch.set_grad_enabled(False):
    print(mode())
print(mode())
for m in [True, False]:
    with torch.set_grad_enabled(m):
        print(mode(), (x * 2).requires_grad)
s = torch.set_grad_enabled(False)
print(mode())
with s:
    print(mode())
print(mode(), s.mode)
try:
    with torch.no_grad():
        raise ValueError('out')
except ValueError:
    print(mode())


@torch.no_grad()
def f(v):
    'doc of f'
    return v * 2, mode()


@torch.enable_grad()
def g(v, *rest, k=3):
    return v * k, rest, mode()


print(f(x)[1], f(x)[0].requires_grad, f.__name__, f.__doc__, mode())
with torch.no_grad():
    print(g(x, 1, 2, k=4))


@torch.no_grad()
def bad():
    raise ValueError('inside')


said(bad)
print(mode())
h = torch.set_grad_enabled(False)(lambda v: (v * 2).requires_grad)
torch.set_grad_enabled(True)
print(h(x), mode())
said(lambda: f())
with torch.inference_mode():
    y = x * 2
    print(y.requires_grad, y.is_inference(), torch.is_inference_mode_enabled())
    with torch.inference_mode(False):
        print((x * 2).requires_grad, mode())
print(y.is_inference(), mode(), torch.is_inference_mode_enabled())
with torch.inference_mode(False):
    print((x * 2).requires_grad)
with torch.no_grad():
    with torch.inference_mode(False):
        print(mode())
    print(mode())


@torch.inference_mode()
def i(v):
    return (v + 1).is_inference()


print(i(x), mode())
with torch.autograd.no_grad(), torch.autograd.set_grad_enabled(True):
    print(mode())
print(mode())
said(lambda: torch.no_grad(1))
said(lambda: torch.no_grad(x=1))
said(lambda: torch.enable_grad(1))
said(lambda: torch.set_grad_enabled())
said(lambda: torch.set_grad_enabled('a'))
said(lambda: torch.inference_mode(1, 2))
said(lambda: torch.no_grad()())
