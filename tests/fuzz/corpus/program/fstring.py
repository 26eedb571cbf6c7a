n, w, v = 'x', 8, 3.14159
print(f'{n!r:>{w}} {v:.2f} {v=} {n = !s} {{}} {v:{w}.{2}f}' 'tail' rf'\d{n}')
print(f'''{
 [i for i in (1, 2)]}''' f"{'nested' + f'{n}'}")
print('%5d|%-5s|%x' % (3, 'a', 255), '{:>5}|{0}'.format(1) if 0 else '{:>5}'.format(1))
