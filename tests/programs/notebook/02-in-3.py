# 返回，自动求导
# z.backward(retain_graph= True) 保留图，否则运行一次缓存被释放
z.backward()
# 看梯度
print('参数w,b的梯度为:{},{}'.format(w.grad, b.grad))
