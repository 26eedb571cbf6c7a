x = []
x.append(x)
print(x)
def f(n): return f(n + 1)
try:
    f(0)
except: pass
finally: print('no')
