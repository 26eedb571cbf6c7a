# str.format and format specs.
print('{} {} {}'.format(1, 'two', 3.0), '{0} {1} {0}'.format('a', 'b'), '{x}-{y}'.format(x=1, y=2))
print('{:5d}|{:<5d}|{:>5d}|{:^5d}|{:05d}|{:+d}|{: d}'.format(42, 42, 42, 42, 42, 42, 42))
print('{:.3f} {:8.2f} {:<8.2f}| {:+.1f} {:e} {:.2e} {:g} {:g} {:g}'.format(3.14159, 2.5, 2.5, 1.25, 12345.678, 0.00012, 1e10, 0.0001, 123456789.0))
print('{:10}|{:<10}|{:>10}|{:^10}|{:*^10}|{:.3}'.format('ab', 'ab', 'ab', 'ab', 'ab', 'abcdef'))
print('{:,} {:_} {:,.2f} {:x} {:X} {:#x} {:o} {:#o} {:b} {:#b} {:08b} {:c}'.format(1234567, 1234567, 9876543.21, 255, 255, 255, 8, 8, 5, 5, 5, 65))
print('{:.1%} {:%} {:.0%}'.format(0.123, 0.5, 0.999))
print('{!r} {!s} {!r:>8}'.format('q', 'q', 'q'), '{{}} {{{}}}'.format(1))
print('{0[0]} {0[1]} {1[k]}'.format([10, 20], {'k': 'v'}))
print('{:{}} {:{}.{}f}'.format('x', 5, 3.14159, 8, 2) + '|', '{:{w}}'.format('y', w=4) + '|')
print('{} {} {} {}'.format(None, True, [1, 'a'], {'k': (1,)}))
print(format(3.14159, '.2f'), format(255, 'x'), format('s', '>4'), format(1.0), format(7))
print('%d %s %r %.2f %5d|%-5d|%05d %x %o %e %g %% %c %i' % (42, 'str', 'rep', 3.14159, 7, 7, 7, 255, 8, 12345.678, 0.00001, 'c', 9))
print('%s' % 5, '%s and %s' % ('a', [1]), '%8.3f|%+d|% d' % (3.14159, 5, 5), '%(a)s=%(b)d' % {'a': 'k', 'b': 3})
for bad in (lambda: '{} {}'.format(1), lambda: '{x}'.format(y=1), lambda: '{:d}'.format('s'), lambda: '{:d}'.format(1.5), lambda: '%d' % 's',
            lambda: '%s %s' % (1,), lambda: '%s' % (1, 2), lambda: '{:.2f}'.format('s')):
    try:
        bad()
    except (IndexError, KeyError, ValueError, TypeError) as e:
        print(type(e).__name__, e)
print('{:f} {:F} {:.0f} {:.10g} {:G} {:n}'.format(1.5, 2.5, 2.5, 1 / 3, 1e-10, 5))
print('{:g} {:g} {:g} {:f} {:.1f} {:e}'.format(float('inf'), float('nan'), -0.0, float('inf'), float('-inf'), 0.0))
print('{:>+8.2f}|{:<+8d}|{:^+9.1e}|{:=+6d}|{:0=6d}'.format(1.5, 3, 12345.0, 7, -7))
