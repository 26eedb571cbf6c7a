# 想改变tensor的数据，而不影响grad时
x = t.rand(10, requires_grad = True)
print(x)
# 直接访问tensor的data，而不影响grad，独立计算图之外
print(x.data)

#改变数据
x.data *= 100
print(x)
