# The walrus, annotated names, and other rarer forms.
import torch
total: int = 0
name: str
data: list = [1, 2, 3]
if (n := len(data)) > 2:
    print('long', n)
while (item := data.pop()) != 1:
    print(item)
print([y := 1, y ** 2], y, [last := v for v in range(3)], last)
def scale(x: float, *, by: float = 2.0) -> float:
    result: float = x * by
    return result
print(scale(3), scale(3, by=0.5))
(total := total + 5)
print(total)
print((lambda x: (y := x + 1) * y)(2))
x = [1, 2, 3]
x[0], x[-1] = x[-1], x[0]
print(x)
x[1] += 10
d = {'n': 1}
d['n'] += 1
d['n'] *= 5
print(x, d)
a = b = [0]
a += [1]
print(a, b, a is b)
a = a + [2]
print(a, b, a is b)
t = (1, [2])
try:
    t[1] += [3]
except TypeError as e:
    print(e)
print(t)
print(*(i for i in range(3)), *[], sep=',')
print(1 if [] else 2 if () else 3, (1, 2) if True else 3)
print(not not 5, -(-5), (5), (5,), ((5)))
for x in 1, 2, 3: print(x, end=' ')
print()
for i, in [(1,), (2,)]: print(i, end=' ')
print()
def g(): return 1, *[2, 3]
print(g())
print({**{'a': 1}, 'b': 2, **dict(c=3)}, [*'ab', *range(2)])
print("a" "b" 'c' f'{1}' "d")
x = (
    1 +
    2
)
print(x); y = 3; print(y)
assert x == 3, f'x is {x}'
print(0 or None or [] or 'fallback', 1 and 'x' and 5)
print(sum(v for v in range(10) if v % 2 == 0), max((v * v % 7, v) for v in range(6)))
print([[1, 2, 3][i:] for i in range(3)], 'abc'[1:][0], [1, 2, 3][-1:][0], (lambda: [5])()[0])
print(3 if x == 3 else 4, [i if i else -1 for i in range(2)])
w = torch.tensor([1.0])
(w := w * 2)
print(w)
