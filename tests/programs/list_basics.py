# Lists: building, indexing, slices and slice assignment, methods, sorting.
a = [3, 1, 2]
print(a, len(a), a[0], a[-1], a + [4], a * 2, [0] * 3, [[]] * 2, list(range(4)), list('ab'), [], [1, 'a', None, 2.5, [3]])
a.append(5); print(a)
a.extend([7, 8]); print(a)
a.extend(range(2)); print(a)
a.insert(0, 9); print(a)
a.insert(100, 6); a.insert(-1, 'x'); print(a)
a.remove('x'); print(a, a.pop(), a.pop(0), a.pop(-2), a)
print(a.index(5), a.count(1), a.count(99), 5 in a)
a.reverse(); print(a)
a.sort(); print(a)
a.sort(reverse=True); print(a)
a.sort(key=lambda v: (v % 3, v)); print(a)
b = a.copy(); b.append(0); print(len(a), len(b), a is b, a == b[:-1])
c = a; c += [1]; print(a is c, a)
a.clear(); print(a, c)
x = list(range(10))
print(x[2:5], x[:3], x[7:], x[::3], x[::-1], x[8:2:-2], x[-3:], x[:-7], x[100:], x[5:5])
x[2:5] = ['a', 'b']; print(x)
x[:0] = [-1]; print(x)
x[1:3] = []; print(x)
x[::2] = [0] * len(x[::2]); print(x)
del x[0]; print(x)
del x[1:3]; print(x)
del x[-1]; print(x)
x[0], x[1] = x[1], x[0]; print(x)
print(sorted([3, 1, 2]), sorted('bca'), sorted([3, 1, 2], reverse=True), sorted(['bb', 'a', 'ccc'], key=len), sorted([(1, 'b'), (0, 'z'), (1, 'a')]), sorted({'b': 1, 'a': 2}))
print(min([3, 1]), max(3, 1, 2), sum([1, 2, 3]), sum([0.5, 0.25], 1), sum([[1], [2]], []), min('ba', 'c'), max([1, 5], key=lambda v: -v), min([], default=7), any([0, 1]), all([1, 0]), all([]), any([]))
m = [[0] * 2 for _ in range(2)]
m[0][1] = 5; print(m, [row[1] for row in m], [v for row in m for v in row])
n = [1, 2]; n.append(n); print(n)
print([1, 2] == [1, 2], [1, 2] != [2, 1], [1, 2] < [1, 2, 0], [] < [0])
for bad in (lambda: [][0], lambda: [1].remove(2), lambda: [].pop(), lambda: [1].index(3), lambda: [1]['a'], lambda: [1] + (2,), lambda: [1, 'a'].sort(), lambda: [1].nope(), lambda: [1][1.0], lambda: len(5), lambda: [1].pop(4)):
    try:
        bad()
    except (IndexError, ValueError, TypeError, AttributeError) as e:
        print(type(e).__name__, e)
try:
    [1, 2, 3, 4][::2] = [1]
except ValueError as e:
    print(e)
