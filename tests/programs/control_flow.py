# if/elif/else, for and while with else, break, continue, nesting.
def kind(n):
    if n < 0:
        return 'negative'
    elif n == 0:
        return 'zero'
    elif n < 10:
        return 'small'
    else:
        return 'large'


print([kind(n) for n in (-1, 0, 5, 50)])
for i in range(5):
    if i == 3:
        break
    print(i, end=' ')
else:
    print('never')
print('after break at', i)
for i in range(3):
    pass
else:
    print('for else', i)
n = 0
while n < 5:
    n += 1
    if n == 2:
        continue
    if n == 4:
        break
    print('n', n)
else:
    print('never')
while n > 0:
    n -= 1
else:
    print('while else', n)
for i in range(3):
    for j in range(3):
        if j > i:
            break
        print((i, j), end=' ')
    else:
        print('full row', i, end='')
print()
for n in range(2, 20):
    for d in range(2, n):
        if n % d == 0:
            break
    else:
        print(n, end=' ')
print()
for x in []:
    print('nothing')
else:
    print('empty else')
steps, v = 0, 27
while v != 1:
    v = v // 2 if v % 2 == 0 else 3 * v + 1
    steps += 1
print('collatz', steps)
a, b = 0, 1
while a < 100:
    print(a, end=',')
    a, b = b, a + b
print()
for i, (x, y) in enumerate(zip([1, 2, 3], 'abc'), start=10):
    print(i, x, y)
values = [1, 2, 3]
for v in values:
    if v < 3:
        values.append(v + 10)
    if len(values) > 8:
        break
print(values)
if []: print('no')
elif '': print('no')
elif 0.0: print('no')
elif None: print('no')
elif (): print('no')
elif {}: print('no')
else: print('all false')
