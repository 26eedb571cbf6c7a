x = list(range(10))
print(x[1:3], x[::2], x[::-1], x[-3:], x[:2], 'hello'[1:4], (1, 2, 3)[:2])
x[2:4] = [0]
del x[::3]
print(x)
