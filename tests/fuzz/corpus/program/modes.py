import torch
@torch.no_grad()
def f(x): return x * 2
x = torch.ones(1, requires_grad=True)
with torch.no_grad(), torch.enable_grad() as m:
    y = x * 3
with (torch.inference_mode()):
    z = x * 4
torch.set_grad_enabled(True)
print(f(x), y, z)
