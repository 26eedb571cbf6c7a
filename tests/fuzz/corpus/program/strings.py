x = 3.14159
print(f'{x:8.3f}|{x!r:>10}|{x=}|{"a" "b"}', '{:>5}{k}'.format(1, k=2), '%5d %s' % (1, 'a'), 'a,b'.split(','), 'é'.upper())
