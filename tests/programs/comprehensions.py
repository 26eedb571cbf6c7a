# List, set, dict comprehensions and generator expressions, with their scopes.
print([x * x for x in range(5)], [x for x in range(10) if x % 2 if x > 3], [(x, y) for x in range(3) for y in range(x)], [[j for j in range(i)] for i in range(4)])
print({x: x ** 2 for x in range(3)}, sorted({c.upper() for c in 'hello'}), [c for c in 'abc' if c != 'b'], [a + b for a, b in [(1, 2), (3, 4)]])
print(sum(x * x for x in range(10)), max(len(w) for w in ['a', 'bbb']), any(x > 3 for x in range(5)), all(x < 3 for x in range(5)), list(x for x in 'ab'), tuple(i for i in range(3)), ','.join(str(i) for i in range(3)), sorted((-x for x in range(3))), dict((k, 1) for k in 'ab'))
x = 'outer'
y = [x for x in range(3)]
print(x, y)
n = 10
print([n + i for i in range(3)])
def scale(values, k):
    return [k * v for v in values]
print(scale([1, 2], 3))
def rows(n):
    return [[i * n + j for j in range(n)] for i in range(n)]
print(rows(3))
print([row[i] for i in range(2) for row in rows(2)])
fs = [lambda: i for i in range(3)]
print([f() for f in fs])
fs = [lambda i=i: i for i in range(3)]
print([f() for f in fs])
print([i for i in range(5) if not i % 2 or i == 3])
print([z := 5, z + 1], z)
print([(a, b) for a, *b in [(1, 2, 3)]])
print([v if v else 'zero' for v in [0, 1]])
g = (i * i for i in range(3))
print(next(g), next(g), list(g), list(g))
if (m := len('abcd')) > 3:
    print(m)
print([y for x in [[1, 2], [3]] for y in x], [x for x in zip('ab', range(2))])
print(list(map(lambda v: v + 1, [1, 2])), list(filter(None, [0, 1, '', 'a'])), list(map(int, '123')), list(filter(lambda v: v > 1, [1, 2, 3])), list(map(lambda a, b: a * b, [1, 2], [3, 4])))
