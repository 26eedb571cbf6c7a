if (n := 10) > 5 and not n == 3 or n in (1, 2): print(1 < n <= 10 != 4, n if n else -n, ~n, n << 2, -7 // 2, 2 ** -1)
assert n, 'm'
global_ = lambda *a, k=1: (a, k)
print(global_(1, k=2))
