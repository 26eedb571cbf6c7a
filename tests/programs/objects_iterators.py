# Ranges, iterators and unpacking.
import torch
t = torch.tensor([1., 2.])
i = torch.tensor(2)


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__name__, e)


show(lambda: iter(5))
show(lambda: iter(int))
show(lambda: range())
show(lambda: range(1,2,3,4))
show(lambda: range(1,2,0))
show(lambda: range(1.0))
show(lambda: range(x=1))
show(lambda: range(5)[10])
show(lambda: range(5)['a'])
show(lambda: range(10)[2:8:3])
show(lambda: range(5).index(7))
show(lambda: range(5).index('a'))
show(lambda: range(5).count(3))
show(lambda: reversed(5))
show(lambda: reversed({1}))
show(lambda: reversed())
show(lambda: reversed({}))
show(lambda: enumerate())
show(lambda: enumerate(5))
show(lambda: enumerate([],'a'))
show(lambda: enumerate([],x=1))
show(lambda: zip(1))
show(lambda: zip([1],5))
show(lambda: list(zip([1],[],strict=True)))
show(lambda: list(zip([],[1],strict=True)))
show(lambda: list(zip([1],[1],[],strict=True)))
show(lambda: list(zip([],[],[1],strict=True)))
show(lambda: zip(x=1))
show(lambda: map(1))
show(lambda: map())
show(lambda: map(1,1))
show(lambda: list(map(1,[1])))
show(lambda: filter(1))
show(lambda: filter(1,1))
show(lambda: filter(None,[0,1]))
show(lambda: next([]))
show(lambda: next(iter([])))
show(lambda: next(iter([]),7))
show(lambda: next())
show(lambda: iter())
show(lambda: hash(range(3)))
show(lambda: range(3)<range(2))
show(lambda: range(3)==range(0,3))
try:
    a,b=1
    print('done')
except Exception as e:
    print(type(e).__name__, e)
try:
    a,b=[1]
    print('done')
except Exception as e:
    print(type(e).__name__, e)
try:
    a,b=[1,2,3]
    print('done')
except Exception as e:
    print(type(e).__name__, e)
try:
    a,b,*c=[1]
    print('done')
except Exception as e:
    print(type(e).__name__, e)
try:
    a,*b=5
    print('done')
except Exception as e:
    print(type(e).__name__, e)
show(lambda: iter(i))
show(lambda: range(i))
show(lambda: repr(iter([])))
show(lambda: repr(iter(())))
show(lambda: repr(iter({})))
show(lambda: repr(iter(range(3))))
show(lambda: repr(iter('é')))
show(lambda: repr(iter(set())))
show(lambda: repr(iter({}.values())))
show(lambda: repr(iter({}.items())))
show(lambda: repr(reversed([])))
show(lambda: repr(reversed(())))
show(lambda: repr(reversed({})))
show(lambda: repr(reversed('')))
show(lambda: repr(reversed(range(2))))
show(lambda: repr(zip()))
show(lambda: repr(map(int,[])))
show(lambda: repr(filter(int,[])))
show(lambda: repr(enumerate([])))
show(lambda: list(range(10))[::-2])
show(lambda: 5 in range(10))
show(lambda: 5.0 in range(10))
show(lambda: 'a' in range(10))
show(lambda: 2.5 in range(10))
show(lambda: range(0,-10,-3))
show(lambda: range(1,10,3))
show(lambda: list(range(10,0,-3)))
show(lambda: range(5)+range(5))
show(lambda: range(5)*2)
show(lambda: bool(range(0)))
show(lambda: range(3).start)
show(lambda: range(3).step)
try:
    range(3).start=2
    print('done')
except Exception as e:
    print(type(e).__name__, e)
show(lambda: range(3).foo)
