"""ops.py: thirty ops at three sizes, each as one line of a program that gradd and CPython with PyTorch both run.

For bench.py, which imports it. A figure is the time of one turn of a loop over the line, so the interpreter's share is in
it on both sides.
"""

SIZES = {1: (1, 1), 1000: (25, 40), 1_000_000: (1000, 1000)}
TURNS = {1: 20_000, 1000: 5_000, 1_000_000: 60}

SETUP = """import torch
torch.manual_seed(0)
x = torch.rand({n}) + 0.5
y = torch.rand({n}) + 0.5
m = torch.rand({rows}, {columns})
w = torch.rand({columns}, {rows})
b = x > 1
i = torch.randint(0, {rows}, ({rows},))
j = torch.randint(0, {columns}, ({rows}, {columns}))
"""

LINES = """x + y
x * y
x / y
x - 2.5
x ** 2
torch.exp(x)
torch.log(x)
torch.sqrt(x)
torch.tanh(x)
torch.sigmoid(x)
torch.sin(x)
torch.relu(x)
x > y
torch.where(b, x, y)
x.clamp(0.6, 1.2)
torch.maximum(x, y)
torch.addcmul(x, x, y)
x.sum()
m.sum(0)
m.sum(1)
x.mean()
x.max()
m.amax(0)
m.amax(1)
m.argmax(1)
m.var(1)
m.softmax(1)
m.log_softmax(1)
x.cumsum(0)
m @ w
m.t().contiguous()
torch.cat([x, y])
m.index_select(0, i)
m.gather(1, j)
x.norm()
torch.ones({n})""".splitlines()


def source(line, n, turns):
    rows, columns = SIZES[n]
    text = SETUP + "def turn(x, y, m, w, b, i, j):\n    for k in range({turns}):\n        " + line + "\nturn(x, y, m, w, b, i, j)\n"
    return text.format(n=n, rows=rows, columns=columns, turns=turns)


def compare(time_ours, time_peer):
    """{n: [(line, gradd's µs, PyTorch's µs)]}; the two functions take a list of sources and give milliseconds, or None for what
    does not run."""
    found = {}
    for n in SIZES:
        pairs = [(source(line, n, 0), source(line, n, TURNS[n])) for line in LINES]
        flat = [s for pair in pairs for s in pair]
        ours, peer = time_ours(flat), time_peer(flat)
        micros = lambda times, k: (times[2 * k + 1] - times[2 * k]) / TURNS[n] * 1e3
        found[n] = [(line.format(n=n), micros(ours, k), micros(peer, k)) for k, line in enumerate(LINES) if None not in (ours[2 * k + 1], peer[2 * k + 1])]
    return found


# Lines with a setup of their own: what networks are made of.
LAYERS = {
    "matmul, 256 x 256": ("a = torch.rand(256, 256)\nb = torch.rand(256, 256)\n", "a @ b", 100),
    "matmul, 1024 x 1024": ("a = torch.rand(1024, 1024)\nb = torch.rand(1024, 1024)\n", "a @ b", 10),
    "conv2d, 64x3x32x32, 3 to 64, 3x3": ("a = torch.rand(64, 3, 32, 32)\nb = torch.rand(64, 3, 3, 3)\n", "torch.nn.functional.conv2d(a, b, padding=1)", 10),
    "layer_norm, 128 x 1000": ("a = torch.rand(128, 1000)\nb = torch.rand(1000)\n", "torch.nn.functional.layer_norm(a, (1000,), b, b)", 100),
    "softmax, 128 x 1000": ("a = torch.rand(128, 1000)\nb = 1\n", "a.softmax(1)", 100),
    "cross_entropy, 128 x 1000": ("a = torch.rand(128, 1000)\nb = torch.randint(0, 1000, (128,))\n", "torch.nn.functional.cross_entropy(a, b)", 100),
}

STEP = """import torch
torch.manual_seed(0)
F = torch.nn.functional
x = torch.rand(64, 784)
t = torch.randint(0, 10, (64,))
w1 = (torch.randn(256, 784) * 0.05).requires_grad_()
b1 = torch.zeros(256, requires_grad=True)
w2 = (torch.randn(10, 256) * 0.05).requires_grad_()
b2 = torch.zeros(10, requires_grad=True)
opt = torch.optim.SGD([w1, b1, w2, b2], lr=0.1)
for k in range({turns}):
    opt.zero_grad(set_to_none=True)
    F.cross_entropy(F.linear(F.relu(F.linear(x, w1, b1)), w2, b2), t).backward()
    opt.step()
"""


def layers():
    """{what: (source of no turns, source of all, turns)}"""
    text = "import torch\ntorch.manual_seed(0)\n{setup}def turn(a, b):\n    for k in range({turns}):\n        {line}\nturn(a, b)\n"
    found = {what: (text.format(setup=setup, turns=0, line=line), text.format(setup=setup, turns=turns, line=line), turns)
             for what, (setup, line, turns) in LAYERS.items()}
    found["training step, 784-256-10, batch 64"] = (STEP.format(turns=0), STEP.format(turns=50), 50)
    return found
