# Sets; printed sorted, for their order is nobody's business.
s = {3, 1, 2, 3}
print(sorted(s), len(s), 2 in s, 5 in s, sorted(set('hello')), set(), {1}, set([1]), sorted(set(range(3))))
s.add(4); s.add(1); print(sorted(s))
s.discard(9); s.remove(1); print(sorted(s))
a, b = {1, 2, 3}, {2, 3, 4}
print(sorted(a | b), sorted(a & b), sorted(a - b), sorted(a ^ b), a <= {1, 2, 3, 4}, a < a, a == {3, 2, 1}, a.isdisjoint({9}), {1} <= a, a >= {1})
print(sorted(a.union(b)), sorted(a.intersection(b)), sorted(a.difference(b)), a.issubset(b), sorted(a.symmetric_difference(b)))
a.update([7, 8]); print(sorted(a))
c = a.copy(); c.clear(); print(c, len(a))
a |= {100}; a -= {7}; print(sorted(a))
print(sorted({x % 3 for x in range(10)}), sum({1, 2, 3}), max({1, 5}), {1: 2} == {1}, bool(set()), bool({0}))
seen = set()
for v in [1, 2, 1, 3, 2]:
    if v in seen:
        print('again', v)
    seen.add(v)
for bad in (lambda: {[]}, lambda: {1}.remove(2), lambda: {1}[0], lambda: {{}}):
    try:
        bad()
    except (TypeError, KeyError) as e:
        print(type(e).__name__, e)
