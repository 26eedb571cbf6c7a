# 计算图，测试grad_fn
x = t.ones(1)
b = t.rand(1, requires_grad = True)
w = t.rand(1, requires_grad = True)
y = w.mul(x)
z = y.add(b)
