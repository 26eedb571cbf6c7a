# A recurrent cell over a sequence: gradients through time.
import torch
_ = torch.manual_seed(5)
W = (torch.randn(3, 3, dtype=torch.float64) * 0.5).requires_grad_()
U = (torch.randn(2, 3, dtype=torch.float64) * 0.5).requires_grad_()
V = (torch.randn(3, 1, dtype=torch.float64) * 0.5).requires_grad_()
xs = torch.randn(6, 2, dtype=torch.float64)


def run(xs, h=None):
    h = torch.zeros(3, dtype=torch.float64) if h is None else h
    outs = []
    for x in xs:
        h = torch.tanh(x @ U + h @ W)
        outs.append(h @ V)
    return torch.stack(outs), h


outs, h = run(xs)
print(outs.shape, [round(v, 6) for v in outs.flatten().tolist()])
loss = ((outs.squeeze(1) - xs[:, 0].roll(1)) ** 2).mean()
loss.backward()
for name, p in (('W', W), ('U', U), ('V', V)):
    print(name, round(p.grad.norm().item(), 6), [round(v, 5) for v in p.grad.flatten().tolist()[:3]])
norms = []
h0 = torch.zeros(3, dtype=torch.float64, requires_grad=True)
outs, _ = run(xs, h0)
for o in outs:
    g, = torch.autograd.grad(o.sum(), h0, retain_graph=True)
    norms.append(round(g.norm().item(), 6))
print(norms)
