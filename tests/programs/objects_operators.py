# Operators on values that do and do not go together, and what Python says.
import torch
t = torch.tensor([1., 2.])
i = torch.tensor(2)


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__name__, e)


show(lambda: 1+'a')
show(lambda: 'a'+1)
show(lambda: (1,)+1)
show(lambda: 'a'*'b')
show(lambda: 1-'a')
show(lambda: 1@2)
show(lambda: 'a'**2)
try:
    l=()
    l+=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=''
    l+=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=1
    l+='a'
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=1
    l-='a'
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l='a'
    l**=2
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=1
    l@=2
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=1
    l<<='a'
    print(l)
except Exception as e:
    print(type(e).__name__, e)
show(lambda: 1.0&1)
show(lambda: ~1.0)
show(lambda: -'a')
show(lambda: not t)
show(lambda: 1<'a')
show(lambda: t<'a')
show(lambda: t=='a')
show(lambda: t==None)
show(lambda: 1 in t)
show(lambda: 1 in 5)
show(lambda: 'a' in 5)
show(lambda: 1 in 'a')
show(lambda: list(x=1))
show(lambda: tuple(x=1))
show(lambda: slice(1)==slice(1))
show(lambda: bool(t))
show(lambda: int(t))
show(lambda: print<1)
show(lambda: str(print))
show(lambda: 'a'<1)
show(lambda: 'a'+None)
show(lambda: None+1)
show(lambda: 1+None)
show(lambda: int+1)
show(lambda: print+1)
show(lambda: 1<None)
show(lambda: None<None)
show(lambda: int<int)
show(lambda: 1 if t else 2)
