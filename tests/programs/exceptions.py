# try, except, else, finally, raise, from, re-raise, classes of errors.
def attempt(f):
    try:
        r = f()
    except ZeroDivisionError:
        return 'zero'
    except (KeyError, IndexError) as e:
        return f'lookup {type(e).__name__} {e}'
    except Exception as e:
        return f'other {type(e).__name__}: {e}'
    else:
        return f'fine {r}'
    finally:
        print('finally', end=' ')


print(attempt(lambda: 1))
print(attempt(lambda: 1 / 0))
print(attempt(lambda: {}['k']))
print(attempt(lambda: [][1]))
print(attempt(lambda: int('x')))
print(attempt(lambda: None.x))
print(attempt(lambda: [].foo))


def thrower(kind, *args):
    raise kind(*args)


for kind in (ValueError, TypeError, RuntimeError, NotImplementedError, AssertionError, ArithmeticError, LookupError, OverflowError, StopIteration, AttributeError, NameError, ImportError, Exception):
    try:
        thrower(kind, 'text', 1)
    except Exception as e:
        print(type(e).__name__, e, e.args, isinstance(e, Exception), repr(e))
try:
    raise ValueError
except ValueError as e:
    print(repr(e), str(e) == '', e.args)
try:
    try:
        1 / 0
    except ZeroDivisionError as e:
        raise RuntimeError('outer') from e
except RuntimeError as e:
    print(e, '|', repr(e.__cause__))
try:
    try:
        [][0]
    except IndexError:
        print('seen')
        raise
except LookupError as e:
    print('again', e)


def order():
    try:
        return 'from try'
    finally:
        print('cleanup', end=' ')


print(order())


def override():
    for i in range(3):
        try:
            if i == 1:
                break
            continue
        finally:
            print('f', i, end=' ')
    return i


print(override())


def swallow():
    try:
        1 / 0
    finally:
        return 'swallowed'


print(swallow())
try:
    try:
        raise KeyError('inner')
    finally:
        print('inner finally')
except KeyError as e:
    print('outer', e)
try:
    assert 1 == 2, 'they differ'
except AssertionError as e:
    print('assert', e)
try:
    assert []
except AssertionError as e:
    print('bare assert', repr(e))
assert True, 'unused'
try:
    raise 5
except TypeError as e:
    print(e)
try:
    raise
except RuntimeError as e:
    print(e)
e = 'kept'
try:
    1 / 0
except ZeroDivisionError as e:
    pass
try:
    print(e)
except NameError as err:
    print(err)
import torch
try:
    torch.ones(2) + torch.ones(3)
except RuntimeError as err:
    print(err)
print(issubclass(KeyError, LookupError), isinstance(KeyError('x'), LookupError), isinstance(1, (str, int)))
