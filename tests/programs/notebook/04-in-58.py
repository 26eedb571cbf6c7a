import torch as t 
def f(x):
    '''计算y'''
    y = x**2 * t.exp(x)
    return y 
def gradf(x):
    '''手动求导函数'''
    dx = 2 * x * t.exp(x) + x ** 2 * t.exp(x)
    return dx

# 测试一个tensor：x
x = t.randn(3,4, requires_grad = True)
y = f(x)
y.backward(t.ones(y.size()))

# 比较两种求导方法
print('grad by torch-autograd:',x.grad)
print('grad by def:', gradf(x))
