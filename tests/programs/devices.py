import torch

# The usual beginning of a script, on a machine without CUDA.
device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
print(device, torch.cuda.device_count())

w = torch.ones(2, 3, device=device, requires_grad=True)
b = torch.zeros(3, device='cpu', dtype=torch.float64)
print(w, b, w.device, (w + b).device == device)
print(torch.tensor([1, 2], device=device), torch.as_tensor([1.5], device=device))
print(torch.full((2,), 7, device=device), torch.arange(4, device=device), torch.eye(2, device=device))
print(torch.zeros_like(w, device=device), torch.linspace(0, 1, 3, device=device))
print(w.new_zeros(2, device=device), w.new_full((2,), 1.5, device=None))
print(torch.empty(0, layout=torch.strided, pin_memory=False), torch.ones(1, device=None))
torch.manual_seed(0)
print(torch.rand(2, device=device), torch.randn(2, device=device), torch.randint(0, 9, (3,), device=device))
print(torch.randperm(4, device=device), torch.rand_like(w, device=device))

for wrong in ['gpu', 'tpu:0', '']:
    try:
        torch.ones(2, device=wrong)
    except RuntimeError as e:
        print(e)
try:
    torch.zeros(2, device='cuda')
except AssertionError as e:
    print(e)

model = {'w': w, 'b': b}
model = {name: p.to(device) for name, p in model.items()}
print(model['w'] is w, model['b'] is b)
