a = b = 1
c, d = a, b
(e, [f, *g]) = 1, [2, 3, 4]
a += 1; b -= 2; c *= 3; d //= 4
x: int = 5
x %= 3; x **= 2; x |= 8; x &= 12; x ^= 1; x <<= 2; x >>= 1
print(a, b, c, d, e, f, g, x)
