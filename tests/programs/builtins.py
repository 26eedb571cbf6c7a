# The built-in functions at work: what iterates, what compares, what prints, what is asked of objects.
import math
import torch

print(1, 'a', None, True, 2.5, [1, 'x'], (), sep=' | ', end='!\n')
print()
print('no newline', end='')
print('', flush=True)
print(*range(5), sep=',')
print('é', '标量', '\t', 'tab', repr('\t\x00\x7f\xa0é标\u200b😀'))

# sums and extremes
print(sum([1, 2, 3]), sum([0.1] * 10), sum([[1], [2, 3]], []), sum(range(101)), sum(x * x for x in range(5)))
print(sum([torch.tensor([1., 2.]), torch.tensor([3., 4.])]), sum([True, False, True]), sum([], 2.5), sum([1, 2], start=10))
print(min(3, 1, 2), max([3, 1, 2]), min('hello'), max('b', 'abc', key=len), min([], default='none'), max({'a': 1, 'b': 2}))
print(min([3, -5, 4], key=abs), max([(1, 'b'), (1, 'a')]), max(range(10), key=lambda v: (v % 4, -v)), max(1, 1.0), max(1.0, 1))
print(max(torch.tensor(3.), torch.tensor(5.)), min(torch.tensor([4., 2., 9.])))
print(any([]), all([]), any([0, '', 3]), all([1, 'a', []]), any(x > 3 for x in range(5)), all(torch.tensor([1., 1.])))

# sorting
words = ['pear', 'Fig', 'apple', 'date', 'fig']
print(sorted(words), sorted(words, key=str.lower), sorted(words, key=len, reverse=True), sorted('hello'), sorted((3, 1, 2)))
print(sorted({'b': 1, 'a': 2}), sorted([2.5, 1, True]), sorted([[2, 1], [1, 2], [1]]), sorted(words, key=lambda w: (len(w), w)))

# pairs and maps
print(list(enumerate('ab')), list(enumerate('ab', start=5)), list(zip('abc', range(2))), list(zip()), dict(zip('ab', [1, 2])))
print(list(map(str, [1, 2.0, None])), list(map(lambda a, b: a * b, [1, 2, 3], [4, 5])), list(filter(None, [0, 1, '', 'a'])))
print(list(filter(lambda v: v % 2, range(6))), list(reversed([1, 2, 3])), list(reversed(range(3))), ''.join(reversed('abc')))
i = iter([1, 2])
print(next(i), next(i), next(i, 'end'), list(i))

# numbers
print(abs(-3), abs(-2.5), abs(True), round(2.5), round(3.5), round(-2.5), round(2.675, 2), round(1234, -2), round(1e300, 2))
print(divmod(-7, 2), divmod(7.5, -2), pow(2, 10), pow(2, -2), pow(7, 3, 5), pow(3, -1, 7), -7 // 2, -7 % 3, 7 % -3, -7.5 % 2)
print(bin(10), oct(-8), hex(255), chr(9731), ord('é'), int('0x1f', 16), int(' -12 '), int('1_000'), int(3.99), int(-3.99))
print(float('1e3'), float(' inf '), float('-nan'), float('.5'), float('5.'), float(2**53 + 1), int(float(2**53)), 10**18, 2**62)
print(1e16, 1e15, 123456789012345678.0, 1e-4, 1e-5, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1 / 3, 100.0, -0.0, 2**0.5)
print(True + True, True / 2, ~5, 5 & 3, 5 | 3, 5 ^ 3, 1 << 10, -9 >> 1, 7 == 7.0, 2**53 == 2.0**53, 2**53 + 1 == 2.0**53, 1 < 1.5)
print((255).bit_length(), (0.5).as_integer_ratio(), (3.0).is_integer(), (7).real, (2.5).imag, (0.1).hex(), 3 .numerator)

# objects
print(isinstance(True, int), isinstance(1, (str, float)), isinstance([], (tuple, (list, dict))), issubclass(bool, int))
print(isinstance(torch.tensor(1), torch.Tensor), isinstance(KeyError(), LookupError), issubclass(ZeroDivisionError, ArithmeticError))
print(type(1), type(''), type(None), type([]), type(print).__name__, type(lambda: 0).__name__, type(type), type(torch.ones(1)))
print(hasattr([], 'append'), hasattr(1, 'append'), getattr('abc', 'upper')(), getattr(1, 'nothing', 'default'))
print(callable(print), callable(int), callable(3), callable(lambda: 0), hash(1) == hash(1.0) == hash(True), hash('a') == hash('a'))
print(len('标量é'), len([1, 2]), len({'a': 1}), len(range(0, 10, 3)), bool([]), bool('0'), bool(0.0), bool(torch.tensor(0.)))
print(list('abc'), tuple([1, 2]), dict(a=1, b=2), set([3, 3]), str(1.0), str([1, 'a']), repr('a'), ascii('é'), list({'k': 1}))
print(print, len, int, ValueError, Ellipsis, NotImplemented, ..., None, str.upper, __name__)


# What they say of what they cannot use.
def attempt(f):
    try:
        print('fine', f())
    except Exception as e:
        print(type(e).__name__ + ':', e)


attempt(lambda: sum(['a']))
attempt(lambda: sum('ab', ''))
attempt(lambda: max([]))
attempt(lambda: max(1, 'a'))
attempt(lambda: min(5))
attempt(lambda: sorted([1, 'a']))
attempt(lambda: len(5))
attempt(lambda: abs('a'))
attempt(lambda: round('a'))
attempt(lambda: int('1.5'))
attempt(lambda: int('zz', 36) + int('12', 2))
attempt(lambda: int([]))
attempt(lambda: float('1,5'))
attempt(lambda: float(None))
attempt(lambda: int(float('nan')))
attempt(lambda: int(float('inf')))
attempt(lambda: chr(-1))
attempt(lambda: ord('ab'))
attempt(lambda: isinstance(1, 'int'))
attempt(lambda: getattr([], 'nothing'))
attempt(lambda: getattr([], 5))
attempt(lambda: iter(5))
attempt(lambda: next([]))
attempt(lambda: next(iter([])))
attempt(lambda: hash([]))
attempt(lambda: print(1, sep=2))
attempt(lambda: list(zip([1], [1, 2], strict=True)))
attempt(lambda: range(1, 2, 0))
attempt(lambda: 1 / 0)
attempt(lambda: 1 % 0)
attempt(lambda: 1.5 // 0)
attempt(lambda: 0 ** -1)
attempt(lambda: 10.0 ** 400)
attempt(lambda: 1 << -1)
attempt(lambda: 1 + 'a')
attempt(lambda: 'a' + 1)
attempt(lambda: 'a' * 1.5)
attempt(lambda: [] + ())
attempt(lambda: 1 | 1.0)
attempt(lambda: -'a')
attempt(lambda: 'a' < 1)
attempt(lambda: 1 in 'abc')
attempt(lambda: math.sqrt(-1))
attempt(lambda: math.exp(1000))
attempt(lambda: math.log('a'))
attempt(lambda: math.factorial(-1))
attempt(lambda: pow(2, -1, 4))
attempt(lambda: format([], '5'))
attempt(lambda: '{}'.format())
attempt(lambda: '%d' % 'a')
attempt(lambda: ''.join([1]))
