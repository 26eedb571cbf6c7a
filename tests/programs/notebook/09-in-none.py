# 非叶子节点的导数计算完之后即被清空,使用autograd.grad函数,hook函数，查看梯度
