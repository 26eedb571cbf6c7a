"""ops.py: thirty ops at three sizes, each as one line of a program that gradd and CPython with PyTorch both run.

For bench.py, which imports it. A figure is the time of one turn of a loop over the line, so the interpreter's share is in
it on both sides.
"""

SIZES = {1: (1, 1), 1000: (25, 40), 1_000_000: (1000, 1000)}
TURNS = {1: 20_000, 1000: 5_000, 1_000_000: 8}

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
