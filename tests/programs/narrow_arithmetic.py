# What PyTorch's CPU computes in float16 and bfloat16, what it refuses, and gradients of narrow leaves.
import torch
import torch.nn.functional as F

torch.manual_seed(1)
base = torch.randn(3, 4)
ops = [
    ("add", lambda x: x + x), ("sub", lambda x: x - 1.5), ("mul", lambda x: x * x), ("div", lambda x: x / 3), ("neg", lambda x: -x), ("abs", lambda x: x.abs()),
    ("exp", lambda x: x.exp()), ("log", lambda x: x.abs().log()), ("sqrt", lambda x: x.abs().sqrt()), ("sin", lambda x: x.sin()), ("tanh", lambda x: x.tanh()),
    ("sigmoid", lambda x: x.sigmoid()), ("relu", lambda x: x.relu()), ("floor", lambda x: x.floor()), ("round", lambda x: x.round()), ("sign", lambda x: x.sign()),
    ("pow", lambda x: x.abs() ** 1.5), ("clamp", lambda x: x.clamp(-0.5, 0.5)), ("maximum", lambda x: torch.maximum(x, -x)), ("where", lambda x: torch.where(x > 0, x, -x)),
    ("lt", lambda x: x < 0.1), ("isnan", lambda x: x.isnan()), ("sum", lambda x: x.sum(0)), ("mean", lambda x: (x * 0 + 1).mean()), ("prod", lambda x: x.prod(1)),
    ("max", lambda x: x.max(1)), ("argmax", lambda x: x.argmax()), ("amin", lambda x: x.amin(0)), ("sort", lambda x: x.sort(1)), ("topk", lambda x: x.topk(2)),
    ("cumsum", lambda x: x.cumsum(1)), ("std", lambda x: x.std()), ("var", lambda x: x.var(0)), ("softmax", lambda x: x.softmax(1)), ("all", lambda x: x.all()),
    ("mm", lambda x: (x @ x.t()).dtype), ("mv", lambda x: (x @ x[0]).dtype), ("bmm", lambda x: torch.bmm(x[None], x.t()[None]).dtype), ("linear", lambda x: F.linear(x, x).shape),
    ("gather", lambda x: x.gather(1, torch.tensor([[0], [1], [3]]))), ("index_select", lambda x: x.index_select(0, torch.tensor([2, 0]))), ("masked", lambda x: x[x > 0]),
    ("tril", lambda x: x.tril()), ("flip", lambda x: x.flip(0)), ("roll", lambda x: x.roll(1)), ("unique", lambda x: x.sign().unique()), ("norm", lambda x: x.norm().dtype),
    ("linspace", lambda x: torch.linspace(0, 1, 5, dtype=x.dtype)), ("arange", lambda x: torch.arange(0, 2, 0.5, dtype=x.dtype)), ("eye", lambda x: torch.eye(2, dtype=x.dtype)),
    ("inverse", lambda x: x[:3, :3].inverse()), ("det", lambda x: x[:3, :3].det()), ("bitwise", lambda x: x & x), ("quantile", lambda x: x.quantile(0.5)),
    ("cross_entropy", lambda x: F.cross_entropy(x, torch.tensor([0, 1, 2]))), ("mse", lambda x: F.mse_loss(x, x)), ("dropout", lambda x: F.dropout(x, 0.0)),
    ("mixed add", lambda x: (x + x.double()).dtype), ("mixed gather", lambda x: torch.ones(3, 1).scatter(1, torch.tensor([[0], [0], [0]]), x[:, :1])),
]
for dtype in (torch.float16, torch.bfloat16):
    x = base.to(dtype)
    for name, op in ops:
        try:
            print(dtype, name, op(x))
        except (RuntimeError, TypeError, IndexError) as e:
            print(dtype, name, type(e).__name__, str(e).split("\n")[0])
    w = torch.tensor([0.5, -1.25, 3.0], dtype=dtype, requires_grad=True)
    y = (w * w + w.float()).sum()
    y.backward()
    print(y.dtype, w.grad, w.grad.dtype)
    (w * 2).sum().backward()
    print(w.grad)
    g, = torch.autograd.grad((w * w * w).sum(), w, create_graph=True)
    print(g, torch.autograd.grad(g.sum(), w))
    leaf = torch.tensor([1.0, 2.0], requires_grad=True)
    z = leaf.to(dtype)
    (z * z).sum().backward()
    print(leaf.grad, leaf.grad.dtype, z.grad_fn.name())
w = torch.tensor([0.5, -1.0], dtype=torch.bfloat16, requires_grad=True)
(w.exp() * w.sigmoid() + F.softplus(w)).sum().backward()
print(w.grad)
try:
    torch.tensor([1, 2], dtype=torch.int8, requires_grad=True)
except RuntimeError as e:
    print(e)
p = torch.tensor([1.0, 2.0], dtype=torch.bfloat16, requires_grad=True)
optimiser = torch.optim.SGD([p], lr=0.1)
(p * p).sum().backward()
optimiser.step()
print(p)
