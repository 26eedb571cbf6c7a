# def with every kind of parameter and every kind of argument.
def f(a, b=2, *args, c, d=4, **kw):
    return a, b, args, c, d, kw


print(f(1, c=3), f(1, 2, 3, 4, c=5), f(1, c=3, e=6), f(*[1, 2], **{'c': 3, 'z': 9}), f(a=1, c=2), f(1, *[2, 3], 4, c=5, **{'k': 1}))


def g(a, /, b, *, c):
    return a, b, c


print(g(1, 2, c=3), g(1, b=2, c=3))


def h(*args, **kwargs):
    return len(args), sorted(kwargs)


print(h(), h(1, 2), h(x=1, y=2), h(*'abc', **dict(z=1)))


def defaults(x, acc=[]):
    acc.append(x)
    return acc


print(defaults(1), defaults(2), defaults(3, []))


def annotated(x: int, y: 'float' = 1.0) -> float:
    '''Adds.

    With a docstring of several lines.'''
    z: float = x + y
    return z


print(annotated(1), annotated.__name__, annotated.__doc__)


def nothing():
    pass


def early(x):
    if x:
        return
    return 'late'


print(nothing(), early(1), early(0))
i = 5
def late(x=i): return x
i = 6
print(late())
print((lambda *a, k=1, **kw: (a, k, kw))(1, 2, k=3, j=4), (lambda: None)(), (lambda x, y=2: x + y)(1))


def fact(n):
    return 1 if n <= 1 else n * fact(n - 1)


print(fact(10), fact(20))
def even(n): return True if n == 0 else odd(n - 1)
def odd(n): return False if n == 0 else even(n - 1)
print(even(100), odd(7))
def apply(fn, *args, **kw): return fn(*args, **kw)
print(apply(max, 1, 5, 3), apply(sorted, [2, 1], reverse=True), apply(lambda: 'x'))
for bad in (lambda: f(), lambda: f(1), lambda: g(1, 2, 3), lambda: g(a=1, b=2, c=3), lambda: nothing(1), lambda: annotated(1, y=2, z=3), lambda: annotated(1, x=2), lambda: annotated(), lambda: early(1, 2, 3),
            lambda: (lambda x: x)(), lambda: f(1, 2, c=1, **{'c': 2}), lambda: nothing(k=1), lambda: None(), lambda: (5)(), lambda: 'x'()):
    try:
        bad()
    except TypeError as e:
        print(e)
print(type(f).__name__, callable(f), callable(5), callable(print), f.__name__, (lambda: 0).__name__)
