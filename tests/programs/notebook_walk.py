# The notebook's own steps in one program, with their errors caught.
import torch as t
_ = t.manual_seed(4)
x = t.Tensor([2])
w = t.randn(1, requires_grad=True)
b = t.randn(1, requires_grad=True)
y = t.mul(x, w)
z = t.add(y, b)
print('叶子节点:{},{},{},{},{}'.format(x.is_leaf, y.is_leaf, z.is_leaf, w.is_leaf, b.is_leaf))
z.backward(retain_graph=True)
print('w, b grad is{},{}'.format(w.grad, b.grad), y.grad, z.grad)
z.backward()
print(w.grad, b.grad)
try:
    z.backward()
except RuntimeError as e:
    print(f'{type(e).__name__}: {e}')
def f(x):
    '''计算y'''
    y = x**2 * t.exp(x)
    return y
def gradf(x):
    '''手动求导函数'''
    dx = 2 * x * t.exp(x) + x ** 2 * t.exp(x)
    return dx
x = t.randn(3, 4, requires_grad=True)
y = f(x)
y.backward(t.ones(y.size()))
print(x.grad)
print(gradf(x), f.__doc__, gradf.__name__)
print(t.allclose(x.grad, gradf(x)))
