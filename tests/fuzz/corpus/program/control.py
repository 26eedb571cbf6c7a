i = 0
while i < 10:
    i += 1
    if i == 3: continue
    if i > 5: break
else:
    print('no')
for a, *b in [(1, 2, 3)]:
    print(a, b)
else: pass
