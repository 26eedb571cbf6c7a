# Dictionaries: order, methods, comprehension, views, errors.
d = {'a': 1, 'b': 2}
print(d, len(d), d['a'], d.get('z'), d.get('z', 0), 'a' in d, 'z' not in d, list(d), {}, dict(), dict(a=1, b=2), dict([('x', 1), ('y', 2)]), {1: 'i', 2.5: 'f', (1, 2): 't', None: 'n', True: 'b'})
d['c'] = 3
d['a'] = 10
print(d)
print(list(d.keys()), list(d.values()), list(d.items()), d.keys(), d.values(), d.items())
for k in d: print(k, end=' ')
for k, v in d.items(): print(k, v, end=';')
print()
d.update({'b': 20, 'd': 4}); d.update(e=5); print(d)
print(d.pop('a'), d.pop('zz', None), d.popitem(), d)
print(d.setdefault('b', 0), d.setdefault('n', []), d)
d['n'].append(1); print(d)
del d['b']; print(d)
e = d.copy(); e['new'] = 1; print('new' in d, 'new' in e)
e.clear(); print(e)
print({k: v * 2 for k, v in {'x': 1, 'y': 2}.items()}, {i: i * i for i in range(4) if i % 2}, {v: k for k, v in {'p': 1, 'q': 2}.items()})
print({'a': 1} == {'a': 1.0}, {'a': 1} != {'b': 1}, {**{'a': 1}, **{'a': 2}}, {'a': 1} | {'b': 2}, dict(zip('ab', [1, 2])), dict.fromkeys(['x', 'y'], 0), dict.fromkeys('ab'))
print(sorted({'b': 1, 'a': 2}.items()), max({'a': 3, 'b': 1}, key=lambda k: {'a': 3, 'b': 1}[k]), sum({'a': 3, 'b': 1}.values()), list(reversed({'a': 1, 'b': 2})))
nested = {'outer': {'inner': [1, {'deep': 'x'}]}}
print(nested['outer']['inner'][1]['deep'], nested)
nested['self'] = nested
print(len(nested), list(nested['self']))
count = {}
for ch in 'mississippi':
    count[ch] = count.get(ch, 0) + 1
print(count)
print({1: 'a', 1.0: 'b', True: 'c'})
for bad in (lambda: {}['k'], lambda: {}[1], lambda: {[]: 1}, lambda: {'a': 1}.pop('b'), lambda: {}.popitem(), lambda: {}.nope, lambda: {(1, 2): 3}[(1, 3)]):
    try:
        bad()
    except (KeyError, TypeError, AttributeError) as e:
        print(type(e).__name__, e)
try:
    del d['nope']
except KeyError as e:
    print('KeyError', e)
try:
    for k in d: d[k + '2'] = 1
except RuntimeError as e:
    print(e)
d = {}
d |= {'k': 1}
print(d)
import torch
params = {'w': torch.ones(2), 'b': torch.zeros(1)}
print(params)
for name, p in params.items():
    print(f'{name:>3} {tuple(p.shape)} {p.sum().item()}')
