# del, global names, shadowing built-ins, names that come and go.
x = 1
del x
try:
    x
except NameError as e:
    print(e)
a = [1, 2, 3]
del a[1], a[0]
print(a)
d = {'k': 1, 'j': 2}
del d['k']
print(d)
b, c = 1, 2
del (b, c)
try:
    b
except NameError as e:
    print(e)


def f():
    y = 1
    del y
    try:
        return y
    except UnboundLocalError as e:
        return type(e).__name__, str(e)


print(f())
sum = 5
print(sum + 1)
del sum
print(sum([1, 2]))
list_ = list
print(list_((1, 2)))
_ = 3
print(_)
__private = 4
print(__private)
变量 = 7
print(变量 + 1)
Ünï = 'identifier'
print(Ünï)
def set_globals():
    global fresh
    fresh = [1]
    fresh.append(2)
set_globals()
print(fresh)
def reads(): return fresh[0]
fresh[0] = 'seen'
print(reads())
try:
    del fresh[10]
except IndexError as e:
    print(e)
try:
    del never_there
except NameError as e:
    print(e)
lambda_value = lambda: fresh
print(lambda_value())
match = 1
case = 2
type_ = type
print(match + case)
