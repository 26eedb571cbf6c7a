def f(a, b=2, *c, d=4, **e):
    'doc'
    def g():
        nonlocal a
        a += 1
        return a
    return g() + b, c, d, e
print(f(1), f(1, 2, 3, d=5, z=6), f(*[1], **{'b': 3}))
