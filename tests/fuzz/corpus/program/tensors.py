import torch as t
x = t.ones(2, 3, requires_grad=True)
w = t.tensor([[1., 2.], [3., 4.]])
y = (w @ x).sum()
y.backward()
print(x.grad, y.grad_fn.next_functions[0][0], x[0, 1:], x.T.shape)
with t.no_grad():
    x -= 0.1 * x.grad
x
