# 测试推理时，不需要反向传播，求导，即可以关闭自动求导autograd，反向传播，节省内存，显存开销
t.set_grad_enabled(False)
# 或
with t.no_grad():
    x = t.ones(1)
    w = t.rand(1, requires_grad = True)
    y = x.mul(w)
# 按理说y应该是True，因为叶子节点w是True，但是设置了不使用grad所以为False
print(x.requires_grad, w.requires_grad, y.requires_grad)
