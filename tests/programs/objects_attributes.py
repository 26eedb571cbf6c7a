# Attributes, classes and their names.
import torch
t = torch.tensor([1., 2.])
i = torch.tensor(2)


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__name__, e)


show(lambda: [].foo)
show(lambda: (1).foo)
show(lambda: None.foo)
show(lambda: int.foo)
try:
    (1).foo=1
    print('done')
except Exception as e:
    print(type(e).__name__, e)
try:
    [].foo=1
    print('done')
except Exception as e:
    print(type(e).__name__, e)
try:
    int.foo=1
    print('done')
except Exception as e:
    print(type(e).__name__, e)
try:
    print.foo=1
    print('done')
except Exception as e:
    print(type(e).__name__, e)
show(lambda: [].__class__)
show(lambda: print.__name__)
show(lambda: int.__name__)
show(lambda: t.__class__)
show(lambda: t.__class__.__name__)
show(lambda: torch.float32.__class__)
show(lambda: torch.Size.__name__)
show(lambda: torch.Size.__module__)
show(lambda: type(t).__name__)
show(lambda: type(None))
show(lambda: type(...))
show(lambda: type(NotImplemented))
show(lambda: type(print))
show(lambda: type(type))
show(lambda: type(None)())
show(lambda: type(1,2))
show(lambda: type())
show(lambda: type(...)())
show(lambda: object())
show(lambda: None.x)
show(lambda: [1,2,3].__getitem__(1))
show(lambda: t.foo)
show(lambda: torch.foo)
show(lambda: t.shape.foo)
show(lambda: type(t.grad_fn))
try:
    'abc'.foo=1
    print('done')
except Exception as e:
    print(type(e).__name__, e)
show(lambda: slice(1).foo)
