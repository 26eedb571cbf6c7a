# How values print inside of other values.
import torch
print([1, 'a', None, True, 2.5, (1,), [], {}, set(), {'k': [1]}, range(2)])
print(('it\'s', "q\"q", 'line\n', 'é', '标量', '\t'), ["a", ['b', ('c',)]], {'k': 'v', 1: 2.0, (1, 2): [3]}, [[]], ((),), [()])
print(str('a'), repr('a'), str(['a']), repr(['a']), f"{['a']}", f"{'a'!r}", '%s %r' % ('a', 'a'))
print([1.0, 1e20, 1e-7, 0.1, -0.0, float('inf'), float('nan')], (1e16,), {'pi': 3.14159})
print([torch.float32, torch.Size([1, 2]), torch.tensor(1)], {'x': torch.tensor([1.5, 2.5])}, (torch.tensor(True),))
print([print, len, int, float, str, ValueError, type(None)])
print({'nested': {'deep': {'deeper': [1, {'x': (2, 3)}]}}})
a = [1]; a.append(a); a.append({'self': a}); print(a)
d = {}; d['d'] = d; print(d)
print(repr(ValueError('x')), [KeyError('k')], str(KeyError('k')), str(ValueError('a', 1)), repr(ValueError()), RuntimeError('only'))
print(torch.tensor([[1, 2], [3, 4]]).tolist(), [torch.tensor([[1, 2], [3, 4]])])
print(None, [None], (None,), ..., [...], NotImplemented, slice(None, 2), [slice(1, 2, 3)])
def f(): pass
print(f, [f], lambda: 0)

print(torch.Size([]), torch.Size([3])[0], [torch.Size([2, 3])[1:]])
