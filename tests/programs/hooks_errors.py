# Hooks that may not be, and hooks that give what they may not (semantics 36).
import torch


def attempt(f):
    try:
        f()
        print('fine')
    except (RuntimeError, TypeError, ValueError, ZeroDivisionError) as e:
        print(type(e).__name__, e)


attempt(lambda: torch.ones(1).register_hook(lambda g: g))


def with_hook(hook):
    x = torch.ones(2, requires_grad=True)
    x.register_hook(hook)
    (x * 2).sum().backward()
    print(x.grad)


attempt(lambda: with_hook(lambda g: g[:1]))
attempt(lambda: with_hook(lambda g: g.double()))
attempt(lambda: with_hook(lambda g: 5))
attempt(lambda: with_hook(lambda g: 1 / 0))


def named(grad):
    return grad.sum()


attempt(lambda: with_hook(named))


def raises(grad):
    raise ValueError('from the hook')


attempt(lambda: with_hook(raises))
attempt(lambda: with_hook(lambda: None))
attempt(lambda: with_hook(lambda g: g * 3))
