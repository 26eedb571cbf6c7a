# The largest eigenvalue by power iteration, and its gradient.
import torch
A = torch.tensor([[4., 1., 0.], [1., 3., 1.], [0., 1., 2.]], dtype=torch.float64, requires_grad=True)
v = torch.ones(3, dtype=torch.float64)
with torch.no_grad():
    for i in range(100):
        v = A @ v
        v = v / v.norm()
print([round(t, 6) for t in v.tolist()])
value = v @ A @ v / (v @ v)
print(round(value.item(), 8))
value.backward()
print(torch.allclose(A.grad, torch.outer(v, v)))
with torch.no_grad():
    print((A @ v - value * v).norm().item() < 1e-10)
deflated = (A - value * torch.outer(v, v)).detach()
u = torch.tensor([1., 0., -1.], dtype=torch.float64)
for i in range(300):
    u = deflated @ u
    u /= u.norm()
print(round((u @ deflated @ u).item(), 6), abs((u @ v).item()) < 1e-6)
