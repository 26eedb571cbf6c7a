def f():
    for i in range(3):
        try:
            if i == 1: raise ValueError('v') from KeyError('k')
            if i == 2: return 1 / 0
        except (ValueError, KeyError) as e:
            print(repr(e))
            continue
        finally:
            print('fin', i)
f()
