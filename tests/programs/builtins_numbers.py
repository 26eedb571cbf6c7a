# The built-ins that compute: numbers, sequences, conversions.
print(abs(-1), abs(-2.5), min(1, 2), max([1, 2, 3]), sum(range(10)), sum([], 5), round(3.14159, 3), round(-0.5), divmod(7, 3), pow(2, 3))
print(int(), float(), str(), bool(), list(), tuple(), dict(), int('0x1f', 16), int('-12'), int(1e10), float(3), float('-0'), bool('0'), bool(0.0), str(1e20))
print(hex(255), bin(10), oct(8), hex(-255), chr(65), ord('A'), ascii('é'), repr('é'), hash(5), hash(1.0), hash('a') == hash('a'))
print(list(enumerate('ab')), list(enumerate('ab', 1)), list(zip([1, 2], 'ab', (True, False))), list(zip([1], [])), list(reversed([1, 2, 3])), list(reversed('abc')), sorted([2, 1]), list(zip(*[(1, 'a'), (2, 'b')])))
print(isinstance(1, int), isinstance(True, int), isinstance(1.0, float), isinstance('', str), isinstance([], list), isinstance((), tuple), isinstance({}, dict), isinstance(None, type(None)), isinstance(1, (str, float)))
print(type(1), type(1.0), type(''), type([]), type(()), type({}), type(None), type(True), type(print), type(lambda: 0), type(range(1)), type({1}), type(int))
print(type(1) is int, type(1) == float, type([]) in (list, tuple), type(1).__name__, int.__name__)
print(hasattr([], 'append'), hasattr([], 'nope'), getattr('abc', 'upper')(), getattr([], 'nope', 'default'), callable(len))
print(any(x > 2 for x in [1, 2, 3]), all([]), any([]), len('abc'), len({}), len(range(7)), len((1, 2)))
it = iter([1, 2])
print(next(it), next(it), next(it, 'done'))
try:
    next(it)
except StopIteration as e:
    print('StopIteration', repr(e))
print(max('a', 'b'), max([1, 2], [1, 3]), min([3, 1, 2], key=lambda v: -v), max('abc', key=ord), min(2.5, 1), max(1, 1.0), max([], default=None))
print(print.__name__, print(end=''), len.__name__)
print('a', 'b', sep=''); print('a', 'b', sep=', ', end='!\n'); print(); print(1, None, [1], 'x', sep='|')
try:
    print(getattr([], 'nope'))
except AttributeError as e:
    print(e)
for bad in (lambda: int([]), lambda: float(None), lambda: int('1.5'), lambda: sum(['a']), lambda: max([]), lambda: len(1), lambda: ord('ab'), lambda: chr(-1), lambda: abs('x'), lambda: round('x'), lambda: sorted([1, 'a']), lambda: list(5), lambda: int(float('nan')), lambda: int(float('inf')), lambda: max(1), lambda: zip(1), lambda: isinstance(1, 2), lambda: min()):
    try:
        bad()
    except (TypeError, ValueError, OverflowError) as e:
        print(type(e).__name__, e)
print(0.1 + 0.2 == 0.3, abs(0.1 + 0.2 - 0.3) < 1e-9, 1e308 * 10, -1e308 * 10, float('nan') != float('nan'))
print((2.5).is_integer(), (2.0).is_integer())
