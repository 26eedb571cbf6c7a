# Lists, tuples, sizes and slices: items, methods, errors.
import torch
t = torch.tensor([1., 2.])
i = torch.tensor(2)


def show(f):
    try:
        print(repr(f()))
    except Exception as e:
        print(type(e).__name__, e)


show(lambda: [1]+1)
show(lambda: [1]+t)
show(lambda: t+[1])
show(lambda: [1]*2.0)
show(lambda: 2.0*[1])
show(lambda: None*[1])
show(lambda: [1]*i)
show(lambda: i*[1])
try:
    l=[]
    l+=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l='a'
    l*=[]
    print(l)
except Exception as e:
    print(type(e).__name__, e)
show(lambda: +[])
show(lambda: []<1)
show(lambda: [1]<['a'])
show(lambda: t==[1])
show(lambda: [1]==t)
show(lambda: t in [1,t])
show(lambda: 5[0])
show(lambda: None[0])
show(lambda: print[0])
show(lambda: int[0])
show(lambda: len(5))
show(lambda: len(list))
show(lambda: 5())
show(lambda: None())
show(lambda: []())
show(lambda: 'a'())
show(lambda: [1]['a'])
show(lambda: [1][1.0])
show(lambda: (1,)['a'])
show(lambda: (1,)[None])
show(lambda: (1,)[1])
show(lambda: [1][1])
show(lambda: [1][i])
try:
    l=[]
    l[0]=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=[]
    l['a']=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=()
    l[0]=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    del ()[0]
    print('done')
except Exception as e:
    print(type(e).__name__, e)
try:
    l=()
    del l[0]
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=[]
    del l[0]
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l='a'
    l[0]=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=1
    l[0]=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=1
    del l[0]
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=print
    l[0]=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
show(lambda: [1]['a':])
show(lambda: [1][::0])
try:
    l=[1,2,3]
    l[::2]=[1]
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=[1,2,3]
    l[::2]=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=[1,2,3]
    l[0:1]=1
    print(l)
except Exception as e:
    print(type(e).__name__, e)
try:
    l=[1]
    del l['a']
    print(l)
except Exception as e:
    print(type(e).__name__, e)
show(lambda: [].pop())
show(lambda: [1].pop(3))
show(lambda: [1].pop('a'))
show(lambda: [].remove(1))
show(lambda: [].index('q'))
show(lambda: ().index('q'))
show(lambda: [1,2].index(1,1))
show(lambda: [3,'a'].sort())
show(lambda: [3].sort(1))
show(lambda: [3].sort(x=1))
show(lambda: list(1,2))
show(lambda: tuple(1,2))
show(lambda: list(5))
show(lambda: slice(1,2))
show(lambda: slice())
show(lambda: slice(1,2,3,4))
show(lambda: slice(1,2,3).indices(2))
show(lambda: slice(1,'a').indices(2))
show(lambda: torch.Size([1,2]))
show(lambda: torch.Size([1,2])[0:1])
show(lambda: torch.Size([1,2])+(3,))
show(lambda: (3,)+torch.Size([1]))
show(lambda: torch.Size([1])*2)
show(lambda: 2*torch.Size([1]))
show(lambda: torch.Size([1])-1)
show(lambda: torch.Size([1])+1)
show(lambda: torch.Size(['a']))
show(lambda: torch.Size(5))
show(lambda: torch.Size([1.5]))
show(lambda: torch.Size([t]))
show(lambda: torch.Size([i]))
show(lambda: torch.Size([2,3]).numel())
show(lambda: torch.Size())
show(lambda: torch.Size([]))
show(lambda: torch.Size([2])==(2,))
show(lambda: torch.Size([2])['a'])
show(lambda: list.append)
show(lambda: [].append)
try:
    [].append=1
    print('done')
except Exception as e:
    print(type(e).__name__, e)
show(lambda: [].append.__name__)
show(lambda: type([].append))
show(lambda: [1,2]==[1,2])
show(lambda: [1,2]<(1,2))
show(lambda: slice(1)[0])
show(lambda: t['a'])
show(lambda: len(i))
show(lambda: [1][t])
show(lambda: [t]==[t])
show(lambda: [t]==[t+0])
show(lambda: [i]==[i+0])
show(lambda: [1,2][True])
show(lambda: [].insert())
show(lambda: [].insert(1))
show(lambda: [].insert('a',1))
show(lambda: [1,2].extend(5))
show(lambda: [1].index())
show(lambda: [].append())
show(lambda: [].append(1,2))
show(lambda: [].pop(1,2))
show(lambda: ().count())
show(lambda: ().index())
show(lambda: [3,1,2].sort(key=1))
show(lambda: [3,1,2].sort(key=None,reverse=1.5))
show(lambda: [3,1,2].sort(reverse='a'))
show(lambda: ()+[])
show(lambda: []+())
show(lambda: []-[])
show(lambda: []<())
show(lambda: [1,2,3][-1:])
show(lambda: [1]*-1)
show(lambda: slice(1,2).start)
