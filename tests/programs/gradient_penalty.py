# A double backward in a training loss.
import torch
_ = torch.manual_seed(9)
w1 = torch.randn(2, 6, dtype=torch.float64).requires_grad_()
w2 = torch.randn(6, 1, dtype=torch.float64).requires_grad_()


def critic(x):
    return torch.tanh(x @ w1) @ w2


x = torch.randn(5, 2, dtype=torch.float64)
opt = torch.optim.Adam([w1, w2], lr=0.02)
for step in range(60):
    v = x.clone().requires_grad_()
    g, = torch.autograd.grad(critic(v).sum(), v, create_graph=True)
    loss = ((g.norm(2, dim=1) - 1) ** 2).mean()
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(step, f'{loss.item():.6f}')
print(loss.item() < 0.05, f'{w1.grad.norm().item() > 0}')
