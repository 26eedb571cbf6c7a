# The names of grad_fn, one for each operation (semantics 5).
import torch
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
y = torch.tensor([[2.0, 0.5], [1.5, 1.0]], requires_grad=True) + 0
v = torch.tensor([1.0, 2.0], requires_grad=True)
table = {
    'x+y': lambda: x + y, 'x-y': lambda: x - y, '1-x': lambda: 1 - x, 'x*y': lambda: x * y, '2*x': lambda: 2 * x, 'x/y': lambda: x / y, '1/x': lambda: 1 / x,
    '-x': lambda: -x, '+x': lambda: (+x), 'x**2': lambda: x ** 2, '2**x': lambda: 2 ** x, 'x**y': lambda: x ** y, 'square': lambda: x.square(), 'abs': lambda: abs(x),
    'exp': lambda: x.exp(), 'log': lambda: x.log(), 'log1p': lambda: x.log1p(), 'expm1': lambda: x.expm1(), 'sqrt': lambda: x.sqrt(), 'rsqrt': lambda: x.rsqrt(),
    'sin': lambda: x.sin(), 'cos': lambda: x.cos(), 'tan': lambda: x.tan(), 'asin': lambda: (x / 9).asin(), 'atan': lambda: x.atan(), 'sinh': lambda: x.sinh(), 'tanh': lambda: x.tanh(),
    'sigmoid': lambda: x.sigmoid(), 'relu': lambda: x.relu(), 'sum': lambda: x.sum(), 'sum0': lambda: x.sum(0), 'mean': lambda: x.mean(), 'mean0': lambda: x.mean(0), 'prod': lambda: x.prod(),
    'prod0': lambda: x.prod(0), 'max': lambda: x.max(), 'max0': lambda: x.max(0).values, 'max2': lambda: torch.max(x, y), 'min': lambda: x.min(), 'amax': lambda: x.amax(0), 'maximum': lambda: torch.maximum(x, y),
    'minimum': lambda: torch.minimum(x, y), 'T': lambda: x.T, 't': lambda: x.t(), 'transpose': lambda: x.transpose(0, 1), 'permute': lambda: x.permute(1, 0), 'reshape': lambda: x.reshape(4), 'view': lambda: x.view(4),
    'reshape copy': lambda: x.t().reshape(4), 'flatten': lambda: x.flatten(), 'squeeze': lambda: x.squeeze(), 'unsqueeze': lambda: x.unsqueeze(0), 'expand': lambda: v.expand(2, 2), 'repeat': lambda: x.repeat(2, 1),
    'clamp': lambda: x.clamp(0, 1), 'clamp_min': lambda: x.clamp_min(0), 'where': lambda: torch.where(x > 1, x, y), 'masked_fill': lambda: x.masked_fill(x > 1, 0), 'lerp': lambda: torch.lerp(x, y, 0.5), 'cat': lambda: torch.cat([x, y]),
    'stack': lambda: torch.stack([x, y]), 'split': lambda: x.split(1)[0], 'chunk': lambda: x.chunk(2)[0], 'unbind': lambda: x.unbind()[0], 'select': lambda: x[0], 'slice': lambda: x[0:1], 'index': lambda: x[[0]], 'mask': lambda: x[x > 1],
    'index_select': lambda: x.index_select(0, torch.tensor([0])), 'gather': lambda: x.gather(0, torch.tensor([[0, 1]])), 'mm': lambda: x @ y, 'mv': lambda: x @ v, 'dot': lambda: v @ v, 'bmm': lambda: torch.bmm(x[None], y[None]),
    'outer': lambda: torch.outer(v, v), 'addmm': lambda: torch.addmm(x, x, y), 'softmax': lambda: x.softmax(0), 'log_softmax': lambda: x.log_softmax(0), 'logsumexp': lambda: x.logsumexp(0), 'norm': lambda: x.norm(), 'std': lambda: x.std(), 'var': lambda: x.var(0),
    'cumsum': lambda: x.cumsum(0), 'clone': lambda: x.clone(), 'double': lambda: x.double(), 'tril': lambda: x.tril(), 'triu': lambda: x.triu(), 'diag': lambda: v.diag(), 'diagonal': lambda: x.diagonal(), 'trace': lambda: x.trace(),
    'flip': lambda: x.flip(0), 'roll': lambda: x.roll(1), 'floor': lambda: x.floor(), 'sign': lambda: x.sign(), 'reciprocal': lambda: x.reciprocal(), 'remainder': lambda: x % 2, 'fmod': lambda: x.fmod(2), 'narrow': lambda: x.narrow(0, 0, 1),
}
for text, f in table.items():
    r = f()
    print(f'{text:14}', r.grad_fn.name() if r.grad_fn is not None else None, type(r.grad_fn).__name__)
print(x)
print((x + 1), x.sum())
print(f'{(x * 2).grad_fn}'[:14])
