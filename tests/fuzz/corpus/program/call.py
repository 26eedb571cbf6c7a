def f(a, /, b, c=3, *args, d, e=5, **kw):
    """All kinds."""
    return a, b, c, args, d, e, kw
print(f(1, 2, d=4), f(1, *[2, 3, 6], d=7, **{'g': 8}))
print((lambda *a, **k: (a, k))(1, b=2), sum(i for i in range(3)))
