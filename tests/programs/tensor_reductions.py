# Reductions with and without dimensions, keepdim, named results.
import torch
x = torch.tensor([[1., 5., 3.], [4., 2., 6.]])
print(x.sum(), x.sum(0), x.sum(1), x.sum(dim=1, keepdim=True), x.sum((0, 1)), x.sum(-1), torch.sum(x, 0), x.mean(), x.mean(0), x.mean(1, keepdim=True), x.prod(), x.prod(0))
print(x.max(), x.min(), x.max(0), x.min(dim=1), x.max(1, keepdim=True).values, x.argmax(), x.argmax(0), x.argmin(1), x.amax(), x.amax(0), x.amin(1), x.amax((0, 1)))
values, indices = x.max(1)
print(values, indices, x.max(1)[0], x.max(1).indices, type(x.max(1)).__name__)
print(x.std(), x.var(), x.std(0), x.var(1), x.std(unbiased=False), x.var(0, unbiased=False), x.std(1, keepdim=True), x.norm(), x.norm(1), x.norm(dim=1), x.norm(p=3), x.norm(float('inf')), torch.norm(x, dim=0, p=1))
print(x.cumsum(0), x.cumsum(1), x.logsumexp(0), x.softmax(1), x.log_softmax(0), torch.softmax(x, dim=0).sum(0))
print((x > 2).any(), (x > 0).all(), (x > 4).any(0), (x > 1).all(1), (x > 2).sum(), (x > 2).sum(1), torch.all(x > 0), torch.any(x > 100), x.bool().all())
i = torch.tensor([[1, 2], [3, 4]])
print(i.sum(), i.prod(), i.max(), i.float().mean(), i.sum(dtype=torch.float64), i.cumsum(0), i.max(0).values, i.argmax(), i.sum().item())
print(torch.tensor([]).sum(), torch.tensor([]).prod(), torch.zeros(2, 0).sum(1), torch.zeros(0, 2).sum(0), torch.tensor(5.).sum(), torch.tensor(5.).max())
for bad in (lambda: x.sum(2), lambda: torch.tensor([]).max(), lambda: x.mean(5), lambda: torch.tensor([]).argmax(), lambda: x.max(3), lambda: x.sum((0, 0)), lambda: torch.zeros(0, 2).max(0)):
    try:
        bad()
    except (RuntimeError, IndexError, TypeError) as e:
        print(type(e).__name__, str(e).split('\n')[0][:120])
