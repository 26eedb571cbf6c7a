# A program that ends in PyTorch's error.
import torch
x = torch.tensor([2.], requires_grad=True)
y = x * x
y.backward()
print('once', x.grad)
def again():
    y.backward()
again()
print('never')
