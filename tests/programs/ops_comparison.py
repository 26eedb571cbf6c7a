# Comparisons, chained ones, identity, membership, and what evaluates when.
print(1 < 2, 2 <= 2, 3 > 4, 3 >= 3, 1 == 1.0, 1 != 2, True == 1, 'a' < 'b', 'abc' < 'abd', 'Z' < 'a', [1, 2] < [1, 3], (1,) < (1, 0))
print(1 < 2 < 3, 1 < 3 < 2, 1 < 2 > 0, 3 == 3 == 3, 1 < 2 == True, 0 <= 5 < 10 != 7)


def noisy(v):
    print('[', v, ']', sep='', end=' ')
    return v


print(noisy(1) < noisy(2) < noisy(3))
print(noisy(3) < noisy(2) < noisy(1))
print(noisy(0) or noisy('') or noisy('last'), noisy(1) and noisy(0) and noisy(2))
print(noisy(1) if noisy(0) else noisy(2))
print(not noisy(0) and noisy(5))
print(None is None, None is not None, 1 is not None, [] is [], () == (), [] == [], {} == {})
print(2 in [1, 2, 3], 4 not in (1, 2), 'ell' in 'hello', '' in 'x', 'k' in {'k': 1}, 3 in {1, 2, 3}, 5 in range(0, 10, 5), 6 in range(0, 10, 5))
print(1 == '1', None == 0, [1, 2] == (1, 2), [1, [2, 3]] == [1, [2, 3]], {'a': 1, 'b': 2} == {'b': 2, 'a': 1}, {1, 2} == {2, 1})
nan = float('nan')
print(nan == nan, nan != nan, nan < 1, nan in [nan], 1 < nan, nan is nan)
print(9007199254740993 == 9007199254740992.0, 9007199254740993 > 9007199254740992.0, 2 ** 62 < 1e19)
try:
    1 < 'a'
except TypeError as e:
    print(e)
try:
    [] >= None
except TypeError as e:
    print(e)
try:
    1 in 5
except TypeError as e:
    print(e)
print(1 and 2, 0 and 2, 1 or 2, 0 or 2, '' or [], None or 0, not [], not {}, not 'x', not None)
