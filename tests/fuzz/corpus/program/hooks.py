import torch
x = torch.ones(1, requires_grad=True)
h = x.register_hook(lambda g: g * 2)
(x * x).backward()
h.remove()
print(x.grad, torch.autograd.grad((x * 3).sum(), x))
