# Dicts, sets, views and hashes.
import torch
t = torch.tensor([1., 2.])
i = torch.tensor(2)


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__name__, e)


show(lambda: dict(1))
show(lambda: dict([1]))
show(lambda: dict(['abc']))
show(lambda: dict([(1,2,3)]))
show(lambda: dict(1,2))
show(lambda: set(1,2))
show(lambda: set(x=1))
show(lambda: set([[]]))
show(lambda: {}[1])
show(lambda: {}['a'])
show(lambda: {[]:1})
show(lambda: {}.pop(1))
show(lambda: {}.pop())
show(lambda: {}.popitem())
try:
    d={}
    del d[3]
    print(d)
except Exception as e:
    print(type(e).__name__, e)
show(lambda: {}|1)
show(lambda: 1|{})
show(lambda: {1}|1)
show(lambda: {1}|[1])
show(lambda: {1}<1)
try:
    d={}
    d|=1
    print(d)
except Exception as e:
    print(type(e).__name__, e)
try:
    d={}
    d|=[1]
    print(d)
except Exception as e:
    print(type(e).__name__, e)
try:
    s=set()
    s|=[1]
    print(s)
except Exception as e:
    print(type(e).__name__, e)
show(lambda: set().pop())
show(lambda: set().remove(1))
show(lambda: set().remove([]))
show(lambda: set().discard([]))
show(lambda: hash([]))
show(lambda: hash({}))
show(lambda: hash(set()))
show(lambda: hash((1,[])))
show(lambda: hash((1,2)))
show(lambda: hash(1.5))
show(lambda: hash(-1))
show(lambda: hash(2**62))
show(lambda: hash(1e300))
show(lambda: hash(float('inf')))
show(lambda: hash(()))
show(lambda: hash(True))
show(lambda: hash(slice(1)))
show(lambda: {}.keys())
show(lambda: {1:2}.items())
show(lambda: {1:2}.values())
show(lambda: {1:2}.keys()[0])
show(lambda: {}.keys()|[1])
show(lambda: hash(torch.Size([1,2]))==hash((1,2)))
show(lambda: dict.fromkeys([1,2],3))
show(lambda: {}.fromkeys('ab'))
show(lambda: dict.fromkeys(1))
show(lambda: set([3,1,2]))
show(lambda: {}<{})
show(lambda: hash(i)==hash(i))
show(lambda: {}.get())
show(lambda: {}.get(1,2,3))
show(lambda: {}.update(1))
show(lambda: {}.update(1,2))
show(lambda: {}.setdefault())
show(lambda: {}.keys(1))
show(lambda: {}.items(1))
show(lambda: {}.clear(1))
show(lambda: set().add())
show(lambda: set().add(1,2))
show(lambda: set().union(1))
show(lambda: set().issubset(1))
show(lambda: 1 in {}.keys())
show(lambda: (1,2) in {1:2}.items())
show(lambda: 2 in {1:2}.values())
show(lambda: {}+{})
show(lambda: {1}+{1})
show(lambda: {1}-[1])
show(lambda: {}<[])
show(lambda: {1}<[1])
try:
    d={1:1}
    d[[]]=2
    print(d)
except Exception as e:
    print(type(e).__name__, e)
show(lambda: {1:2}[[]])
show(lambda: {1:2}.get([]))
show(lambda: [] in {})
show(lambda: {1,2}.union([3],[4]))
show(lambda: {1,2}.intersection([2],[2]))
show(lambda: {1,2}.difference([2]))
show(lambda: {1,2}.symmetric_difference([2,3]))
show(lambda: {1,2}.isdisjoint([3]))
show(lambda: {1,2}.issuperset([1]))
show(lambda: {1,2}<{1,2,3})
show(lambda: {1,2}=={2,1})
show(lambda: {1,2}^{2,3})
show(lambda: hash(2**61-1))
show(lambda: hash(2**61))
show(lambda: hash(-2**61))
show(lambda: hash(0.1))
show(lambda: hash(1e-300))
show(lambda: hash(3.0))
show(lambda: hash(-1.0))
show(lambda: hash((1.5,True,-1)))
show(lambda: hash(1.7976931348623157e308))
show(lambda: hash(5e-324))
