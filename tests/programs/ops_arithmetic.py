# Python's arithmetic on ints and floats, signs included.
pairs = [(7, 2), (-7, 2), (7, -2), (-7, -2), (7.5, 2), (-7.5, 2), (7, -2.5), (0, 5), (1e300, 7)]
for a, b in pairs:
    print(a, b, a + b, a - b, a * b, a / b, a // b, a % b, divmod(a, b))
print(2 ** 10, 2 ** -1, 2.0 ** 0.5, (-2) ** 3, -2 ** 2, (-2) ** 2, 2 ** 3 ** 2, 0 ** 0, 10 ** 18)
print(7 & 3, 7 | 8, 7 ^ 2, ~7, 1 << 10, 1024 >> 3, -1 >> 1, -8 >> 1, 1 << 62)
print(+5, -5, --5, -+-5, ~~5, not not 5)
print(5 / 2, 4 / 2, 5 // 2.0, 5 % 2.5, -1 % 5, 1 % -5, 5.5 % -2)
print(round(2.5), round(3.5), round(-2.5), round(2.675, 2), round(1234, -2), round(0.5), round(1.5), round(2.567, 1), round(7))
print(abs(-3), abs(-3.5), abs(True), pow(2, 5), pow(2, -2), pow(3, 4, 5), divmod(17, 5), divmod(-17, 5), divmod(1.5, 0.5))
print(int(3.9), int(-3.9), int('42'), int(' -7 '), int(True), int('ff', 16), int('101', 2), float('1e3'), float(' 2.5 '), float('inf'), float('-inf'), float('nan'))
print(10 // 3 * 3 + 10 % 3, 1 + 2 * 3 - 4 / 2, (1 + 2) * 3, 2 * 3 % 4, 8 // 3 // 2, 100 - 10 - 1, 2 ** -1 * 4)
for text in ('1 / 0', '1 // 0', '1 % 0', '1.0 / 0', '1.0 // 0', '1.0 % 0', '0 ** -1', '1 << -1'):
    try:
        if text == '1 / 0': 1 / 0
        if text == '1 // 0': 1 // 0
        if text == '1 % 0': 1 % 0
        if text == '1.0 / 0': 1.0 / 0
        if text == '1.0 // 0': 1.0 // 0
        if text == '1.0 % 0': 1.0 % 0
        if text == '0 ** -1': 0 ** -1
        if text == '1 << -1': 1 << -1
    except ZeroDivisionError as e:
        print(text, '->', e)
    except ValueError as e:
        print(text, '-> ValueError', e)
x = 10
x += 5; print(x)
x -= 3; print(x)
x *= 2; print(x)
x //= 5; print(x)
x **= 3; print(x)
x %= 50; print(x)
x <<= 2; print(x)
x >>= 1; print(x)
x |= 1; print(x)
x &= 0xF; print(x)
x ^= 0xA; print(x)
x /= 4; print(x)
