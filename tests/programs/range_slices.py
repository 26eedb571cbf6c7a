# range objects and slices of every kind of sequence.
print(range(5), range(2, 5), range(0, 10, 3), list(range(5)), list(range(2, 5)), list(range(10, 0, -3)), list(range(0)), list(range(5, 2)))
r = range(0, 20, 4)
print(len(r), r[0], r[-1], r[1:3], r[::-1], 8 in r, 9 in r, r == range(0, 17, 4), list(reversed(r)), sum(r), max(r), r.start, r.stop, r.step, r.index(8), bool(range(0)))
for i in range(3, 0, -1): print(i, end=' ')
print()
s = slice(1, 5, 2)
print(s, s.start, s.stop, s.step, [0, 1, 2, 3, 4, 5][s], 'abcdef'[s], (0, 1, 2, 3)[slice(2)])
print([0, 1, 2, 3][None:None], [0, 1, 2][-2:], [0, 1, 2][-100:100], 'abc'[::-1], (1, 2, 3)[::-2])
for bad in (lambda: range(0, 1, 0), lambda: [1][::0], lambda: range('a'), lambda: range(1.5), lambda: range(3)[3], lambda: range()):
    try:
        bad()
    except (ValueError, TypeError, IndexError) as e:
        print(type(e).__name__, e)
total = 0
for i in range(100000):
    total += i
print(total, i)
