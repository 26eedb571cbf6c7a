for i, (a, *b) in enumerate([(1, 2), (3, 4, 5)]):
    if i == 5: break
    print(i, a, b)
else:
    print('done')
n = 0
while n < 10:
    n += 1
    if n % 2: continue
    if n > 6: break
print(n)
