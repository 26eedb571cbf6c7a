# grad_fn.net_functions,元组的形式，回溯fn，动态图
print(z.grad_fn)
print(z.grad_fn.next_functions)
z.grad_fn.next_functions[0][0] == y.grad_fn

# 保存计算图梯度的buffer，多次反向传播，梯度累加
z.backward(retain_graph=True)
w.grad
