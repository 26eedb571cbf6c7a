l = [3, 1, 2]
l.sort(key=lambda v: -v)
l[1:] = [5]
d = {'a': [1], **{'b': 2}}
d['a'] += [2]
del d['b'], l[0]
a, (b, *c) = 1, 'xyz'
print(l, d, a, b, c, sorted({3, 1}), [*l, *c], l * 2)
