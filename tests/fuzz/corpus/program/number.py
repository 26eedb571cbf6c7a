print(1_000, 0xFF, 0o17, 0b101, 1.5e-3, .5, 5., 1e400, -9223372036854775808, 7 // -2, 7 % -2, -2 ** 2, 2 ** -1)
print(~5, 1 << 10, 3 & 6 | 1 ^ 2, 1 / 3, round(2.5), abs(-3), divmod(7, 2), int('12'), float('nan'))
try: print(9223372036854775807 + 1)
except OverflowError as e: print(e)
