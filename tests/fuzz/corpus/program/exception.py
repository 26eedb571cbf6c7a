try:
    raise ValueError('bad') from KeyError('k')
except (TypeError, ValueError) as e:
    print(type(e), e)
else:
    print('none')
finally:
    print('end')
try:
    assert 1 == 2, 'no'
except:
    pass
try: [][0]
except IndexError as e: print(e)
