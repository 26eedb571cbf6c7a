import torch
x = torch.ones(3, requires_grad=True)
h = x.register_hook(lambda g: g * 2)
(x * x).sum().backward()
h.remove()
print(x.grad)
print(torch.autograd.functional.jacobian(lambda v: v ** 2, torch.ones(2)))
