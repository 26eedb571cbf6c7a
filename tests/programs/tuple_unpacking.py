# Tuples and every form of unpacking.
t = (1, 2, 3)
print(t, (1,), (), t[0], t[-1], t[1:], t + (4,), t * 2, len(t), 2 in t, t.index(3), t.count(1), tuple([1, 2]), tuple('ab'), tuple(range(3)))
a, b = 1, 2
print(a, b)
a, b = b, a
print(a, b)
(a, b), c = (1, 2), 3
print(a, b, c)
[a, b] = [4, 5]
print(a, b)
first, *rest = [1, 2, 3, 4]
*init, last = 'abc'
head, *middle, tail = (1, 2, 3, 4, 5)
print(first, rest, init, last, head, middle, tail)
a, *b = [1]
print(a, b)
x = y = [0]
x.append(1)
print(y)
for i, (k, v) in enumerate([('a', 1), ('b', 2)]):
    print(i, k, v)
for a, *b in [(1, 2, 3), (4,)]:
    print(a, b)
print([*range(3), *'ab'], (*[1, 2], 3), {**{'a': 1}, 'b': 2}, {*[1, 1]}, [*[], *()])
i = 0
values = [10, 20, 30]
i, values[i] = 2, 99
print(i, values)
d = {}
d['x'], d['y'] = 1, 2
print(d)
print(*[1, 2, 3], *'ab', sep='-')
nested = ((1, (2, 3)), [4, 5])
(p, (q, r)), [s, u] = nested
print(p, q, r, s, u)
one, = [7]
print(one)
print((1, 2) < (1, 3), (1, 'a') == (1, 'a'), max((1, 2), (0, 9)), hash((1, 2)) == hash((1, 2)))
for bad in (lambda: (lambda a, b: 0)(*[1]), lambda: (1, 2)[5]):
    try:
        bad()
    except (TypeError, IndexError) as e:
        print(type(e).__name__, e)
try:
    a, b = [1, 2, 3]
except ValueError as e:
    print(e)
try:
    a, b, c = [1, 2]
except ValueError as e:
    print(e)
try:
    a, *b, c = [1]
except ValueError as e:
    print(e)
try:
    a, b = 5
except TypeError as e:
    print(e)
try:
    t[0] = 5
except TypeError as e:
    print(e)
u = 1, 2, *t
print(u)
def pair(): return 1, 2
p, q = pair()
print(p + q, pair())
