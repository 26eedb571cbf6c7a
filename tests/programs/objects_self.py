# Containers that contain themselves or change while they are used.
x = [1, 2]
x.append(x)
print(x, (x,), {'x': x})
d = {1: x}
x.append(d)
d[2] = d
print(d, x)
print(x == x, x in x, x.index(d), d[2] is d)
y = [1, 2]
y.append(y)
z = [1, 2]
z.append(z)
try:
    print(y == z)
except RecursionError as e:
    print(e)
n = [3, 1, 2]


def key(v):
    n.append(v)
    return -v


try:
    n.sort(key=key)
except ValueError as e:
    print(e)
print(n)


def failing(v):
    n.clear()
    if v == 2:
        raise KeyError(v)
    return v


try:
    n.sort(key=failing)
except KeyError as e:
    print(repr(e), n)
words = ['bb', 'a', 'ccc', 'dd', 'e', 'fff']
words.sort(key=len)
print(words)
words.sort(key=len, reverse=True)
print(words, sorted(words), sorted(words, reverse=True), sorted([True, 2.5, -1, 0, 1]))
q = list(range(5))
for v in q:
    if len(q) < 20:
        q.append(v)
    q.pop(0)
print(q)
for c in ({1: 1}, {1}):
    try:
        for k in c:
            if isinstance(c, dict):
                c[k + 1] = 1
            else:
                c.add(k + 1)
    except RuntimeError as e:
        print(e)
c = {1: 'a', 2: 'b', 3: 'c'}
k, v, i = c.keys(), c.values(), c.items()
c[4] = 'd'
del c[1]
print(k, v, i, len(k), 2 in k, ('2', 'b') in i, (2, 'b') in i, list(reversed(v)), list(reversed(i)))
l = [1, 2, 3]
l[1:2] = l
print(l)
l.extend(l)
l += l[::2]
print(l)
it = iter(l)
next(it)
l[5:] = it
print(l, list(it))
e = enumerate(zip('ab', [1, 2]), 7)
first = next(e)
second = next(e)
print(first, second, list(e), [p for p in zip([1, 2], [3, 4])], list(zip([1], [2], [3])), list(zip()))
print(list(iter(lambda: l.pop(), 1)), l)
s = {0, 8, 16}
s.discard(8)
s.add(24)
print(s, {5, 100, 33, 77, 12, -1}, {3, 1, 2} ^ {1, 9}, set('a') | {'a'}, {1, True, 1.0, 0, False}, {1: 'i', 1.0: 'f', True: 'b'})
