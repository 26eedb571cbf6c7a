# Closures, nonlocal, global, recursion and functions as values.
def counter():
    n = 0

    def tick():
        nonlocal n
        n += 1
        return n
    return tick


a, b = counter(), counter()
print(a(), a(), b(), a())


def adder(k):
    return lambda x: x + k


print([adder(i)(10) for i in range(3)])
total = 0


def add(v):
    global total, made
    total += v
    made = 'here'


add(5); add(6)
print(total, made)


def outer():
    x = 'outer'

    def middle():
        def inner():
            nonlocal x
            x = 'changed'
            return x
        return inner()
    r = middle()
    return r, x


print(outer())


def compose(*fs):
    def run(x):
        for f in reversed(fs):
            x = f(x)
        return x
    return run


print(compose(lambda v: v + 1, lambda v: v * 2)(5), compose()(3))


def memo(f):
    cache = {}

    def wrapped(n):
        if n not in cache:
            cache[n] = f(n)
        return cache[n]
    return wrapped


fib = memo(lambda n: n if n < 2 else fib(n - 1) + fib(n - 2))
print(fib(60))
fs = []
for i in range(3):
    fs.append(lambda: i)
print([f() for f in fs])


def shadow(print_=print):
    len = lambda v: 'mine'
    return len([1, 2])


print(shadow(), len([1, 2]))


def local_before():
    try:
        return value
    except NameError as e:
        return str(e)
    value = 1


print(local_before())
def free_before():
    def use():
        return later
    try:
        use()
    except NameError as e:
        print(type(e).__name__, e)
    later = 3
    return use()


print(free_before())
try:
    undefined_name
except NameError as e:
    print(e)
def pipeline(x, *steps, verbose=False):
    for s in steps:
        x = s(x)
        if verbose: print('->', x)
    return x
print(pipeline(2, lambda v: v ** 2, str, len, verbose=True))
ops = {'+': lambda a, b: a + b, '*': lambda a, b: a * b}
print(ops['+'](2, 3), ops['*'](2, 3), [name for name in ops])
def deco(g):
    def w(*a, **k):
        print('calling', g.__name__)
        return g(*a, **k)
    return w
def hello(n): return 'hi ' + n
hello = deco(hello)
print(hello('you'))
