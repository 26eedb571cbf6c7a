x = 3
if x > 5: print('big')
elif x == 3 and not x < 2 or False:
    print('three')
else:
    print('small')
print('a' if x else 'b', 1 < x <= 3 != 4, x is None, x in (1, 3), x not in [2])
