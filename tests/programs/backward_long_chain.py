# A chain of 200,000 nodes: backward and destruction do not recurse (semantics 22).
import torch
x = torch.tensor(1.0, requires_grad=True)
y = x
for i in range(200000):
    y = y + 0
y.backward()
print(x.grad)
y = x
for i in range(200000):
    y = y * 1
del y
print('gone')
v = torch.tensor(0.99999, requires_grad=True)
y = v
n = 0
while n < 3000:
    y = torch.mul(y, v)
    n += 1
y.backward()
print(f'{y.item():.5f} {v.grad:.3f}')
