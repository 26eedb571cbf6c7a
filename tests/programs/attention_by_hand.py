# Scaled dot-product attention with a causal mask, written out.
import torch
import math
_ = torch.manual_seed(2)
q, k, v = (torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True) for _ in range(3))


def attention(q, k, v, causal=False):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if causal:
        n = scores.size(-1)
        scores = scores.masked_fill(torch.ones(n, n).triu(1).bool(), float('-inf'))
    weights = scores.softmax(-1)
    return weights @ v, weights


out, w = attention(q, k, v)
print(out.shape, w.sum(-1).allclose(torch.ones(2, 4, dtype=torch.float64)))
out, w = attention(q, k, v, causal=True)
print(w[0].detach())
print([round(t, 6) for t in out[0, 0].tolist()], torch.equal(out[:, 0], v[:, 0]))
out.pow(2).sum().backward()
print([round(t.grad.norm().item(), 6) for t in (q, k, v)])
print(q.grad[0, 0].abs().max().item() < 1e-12)
