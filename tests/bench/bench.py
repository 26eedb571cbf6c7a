#!/usr/bin/env python3
"""make bench: every figure that the README claims, as a ratio against a peer measured in the same run.

Standard library only. Peers that are missing (PyTorch) leave their rows' ratios empty, and the table says so.
"""
import array
import http.client
import json
import math
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import ops

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
rows = []


def row(what, ours, peer, goal, met):
    rows.append((what, ours, peer, goal, "yes" if met else "no" if met is False else "-"))
    print("  …", what, ours, peer, flush=True)


class Server:
    """One gradd on a free port."""

    def __init__(self, *flags):
        self.started = time.perf_counter()
        self.process = subprocess.Popen([f"{BUILD}/gradd", "--listen", "127.0.0.1:0", "--log-level", "error", *flags],
                                        stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.port = int(line.rsplit(":", 1)[1])

    def call(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {data[:300]}")
        return data

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def torch_python():
    """A Python that has PyTorch, or None."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0:
            return python
    return None


TORCH = torch_python()
TORCH_BENCH = r'''
import json, time, torch
torch.set_num_threads(1)
def best(f, n):
    return min(f() for _ in range(n))
def chain():
    v = torch.tensor(0.9999999, requires_grad=True); y = v
    s = time.perf_counter()
    for _ in range(1000): y = torch.mul(y, v)
    y.backward(); del y
    return time.perf_counter() - s
def fused():
    v = x.detach().requires_grad_()
    s = time.perf_counter()
    y = v**2 * torch.exp(v); y.backward(ones); del y
    return time.perf_counter() - s
def summed():
    v = x.detach().requires_grad_()
    s = time.perf_counter()
    y = (v**2 * torch.exp(v)).sum(); y.backward(); y.item(); del y
    return time.perf_counter() - s
print("mul_ns", best(chain, 20) / 1000 * 1e9)
x = torch.full((20_000_000,), 0.5); ones = torch.ones(20_000_000)
print("fused_ms", best(fused, 3) * 1e3)
print("large_ms", best(summed, 3) * 1e3)
del x, ones
data = torch.rand(1_000_000, dtype=torch.float64)
def out():
    s = time.perf_counter(); json.dumps(data.tolist()); return time.perf_counter() - s
text = json.dumps(data.tolist())
def into():
    s = time.perf_counter(); torch.tensor(json.loads(text), dtype=torch.float64); return time.perf_counter() - s
print("json_in_ms", best(into, 3) * 1e3)
print("json_out_ms", best(out, 3) * 1e3)
'''


def figures(command, **kw):
    text = subprocess.run(command, capture_output=True, text=True, check=True, **kw).stdout
    return {k: float(v) for k, v in (line.split() for line in text.splitlines())}


def wrk(port, path, body):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method='POST'\nwrk.headers['Content-Type']='application/json'\nwrk.body='{body}'\n")
        script.flush()
        text = subprocess.run(["wrk", "-t1", "-c8", "-d2s", "-s", script.name, f"http://127.0.0.1:{port}{path}"],
                              capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(text)
    return float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1))


def start_floor():
    """libmicrohttpd alone on a free port, answering a constant: the process and its port."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    floor = subprocess.Popen([f"{BUILD}/tests/bench/floor", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    floor.stdout.readline()
    return floor, port


def against_floor(what, server, path, body, goal):
    """Requests per second beside those of libmicrohttpd alone, which gets the same ones."""
    floor, floor_port = start_floor()
    pairs = [(wrk(server.port, path, body), wrk(floor_port, path, body)) for _ in range(5)]
    floor.stdin.close()
    floor.wait(10)
    ratio = statistics.median(a / b for a, b in pairs)
    row(what, f"{statistics.median(a for a, _ in pairs):,.0f}/s",
        f"libmicrohttpd alone {statistics.median(b for _, b in pairs):,.0f}/s: {ratio:.2f}", f">= {goal}", ratio >= goal)


def http_mul():
    if not shutil.which("wrk"):
        return
    server = Server("--threads", "1")
    server.call("PUT", "/v1/sessions/b")
    server.call("PUT", "/v1/sessions/b/tensors/x", '{"data":[2.0]}')
    server.call("PUT", "/v1/sessions/b/tensors/w", '{"data":[2.1],"requires_grad":true}')
    against_floor("one `mul` over HTTP, 8 connections, 1 thread", server, "/v1/sessions/b/ops", '{"op":"mul","args":["x","w"],"out":"y"}', 0.8)
    server.stop()


ROSENBROCK = "def f(x: float64[100]):\n    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()\n"


def http_functions():
    """Value and gradient of Rosenbrock-100 in JSON, by gradd's own endpoint and by UM-Bridge's."""
    if not shutil.which("wrk"):
        return
    server = Server("--threads", "1")
    server.call("PUT", "/v1/functions/rosenbrock", ROSENBROCK, {"Content-Type": "text/plain"})
    point = [math.sin(i) for i in range(100)]
    bridge = {"name": "rosenbrock", "input": [point], "config": {}}
    for what, path, body in (("gradient", "/v1/functions/rosenbrock/gradient", {"inputs": {"x": point}}),
                             ("UM-Bridge /Gradient", "/Gradient", {**bridge, "outWrt": 0, "inWrt": 0, "sens": [1.0]}),
                             ("UM-Bridge /Evaluate", "/Evaluate", bridge)):
        against_floor(f"Rosenbrock-100, {what} over HTTP, 8 connections, 1 thread", server, path, json.dumps(body), 0.35)
    server.stop()


def batched():
    """10,000 points of Rosenbrock-100 as one .npy, their gradients as another, beside the same within the process."""
    n = 10_000
    ours = figures([f"{BUILD}/tests/bench/engine", "gradients"])["gradients_ms"]
    head = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, 100), }" % n).encode().ljust(117) + b"\n"
    payload = head + array.array("d", [math.sin(i) for i in range(100 * n)]).tobytes()
    server = Server()
    server.call("PUT", "/v1/functions/rosenbrock", ROSENBROCK, {"Content-Type": "text/plain"})
    request = (f"POST /v1/functions/rosenbrock/gradient?batched=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-npy\r\n"
               f"Accept: application/x-npy\r\nContent-Length: {len(payload)}\r\n\r\n").encode()
    buffer, times = bytearray(len(payload) + 65536), []
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        for _ in range(20):
            view, got, wanted = memoryview(buffer), 0, len(payload)
            start = time.perf_counter()
            s.sendall(request)
            s.sendall(payload)
            while got < wanted:
                got += s.recv_into(view[got:])
                if got and wanted == len(payload):
                    wanted = buffer.index(b"\r\n\r\n") + 4 + len(payload)
            times.append((time.perf_counter() - start) * 1e3)
            assert buffer.startswith(b"HTTP/1.1 200"), buffer[:300]
    server.stop()
    row("10,000 gradients of Rosenbrock-100 in one binary request", f"{min(times):.1f} ms", f"in process {ours:.1f} ms: {min(times) / ours:.2f} times that",
        "<= 2", min(times) <= 2 * ours)


def npy():
    n = 12_500_000
    head = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }" % n).encode().ljust(117) + b"\n"
    payload = head + bytes(8 * n)
    server = Server()
    server.call("PUT", "/v1/sessions/b")
    best_in = best_out = 1e9
    for _ in range(4):
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            request = (f"PUT /v1/sessions/b/tensors/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-npy\r\n"
                       f"Content-Length: {len(payload)}\r\n\r\n").encode()
            start = time.perf_counter()
            s.sendall(request)
            s.sendall(payload)
            answer = s.recv(65536)
            best_in = min(best_in, time.perf_counter() - start)
            assert answer.startswith(b"HTTP/1.1 20"), answer
            buffer = bytearray(len(payload) + 65536)
            view, got = memoryview(buffer), 0
            start = time.perf_counter()
            s.sendall(b"GET /v1/sessions/b/tensors/a/data HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-npy\r\nConnection: close\r\n\r\n")
            while k := s.recv_into(view[got:]):
                got += k
            best_out = min(best_out, time.perf_counter() - start)
            assert got > 8 * n, buffer[:200]
    server.stop()
    for what, seconds in (("100 MB .npy in", best_in), ("100 MB .npy out", best_out)):
        rate = len(payload) / seconds / 1e9
        row(what, f"{rate:.2f} GB/s", "-", ">= 1 GB/s", rate >= 1)


def start_and_memory():
    times, memory = [], []
    for _ in range(5):
        server = Server()
        server.call("GET", "/healthz")
        times.append((time.perf_counter() - server.started) * 1e3)
        time.sleep(0.2)
        status = open(f"/proc/{server.process.pid}/status").read()
        memory.append(int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024)
        server.stop()
    row("start to first answer", f"{statistics.median(times):.1f} ms", "-", "< 20 ms", statistics.median(times) < 20)
    row("idle resident memory", f"{statistics.median(memory):.1f} MB", "-", "< 12 MB", statistics.median(memory) < 12)


def engine():
    ours = {**figures([f"{BUILD}/tests/bench/engine"]), **figures([f"{BUILD}/tests/bench/engine", "functions"])}
    peer = figures([TORCH, "-W", "ignore", "-c", TORCH_BENCH], env={**os.environ, "OMP_NUM_THREADS": "1"}) if TORCH else {}

    def against(key, unit, label, goal):
        if key not in peer:
            return row(label, f"{ours[key]:.1f} {unit}", "PyTorch is not installed", f">= {goal} times", None)
        ratio = peer[key] / ours[key]
        row(label, f"{ours[key]:.1f} {unit}", f"PyTorch {peer[key]:.1f} {unit}: {ratio:.1f} times faster", f">= {goal} times", ratio >= goal)

    against("json_in_ms", "ms", "1 M doubles from JSON", 5)
    against("json_out_ms", "ms", "1 M doubles to JSON", 4)
    against("fused_ms", "ms", "x**2*exp(x), 20 M float32, forward+backward", 3)
    large, hand = ours["large_ms"], ours["hand_ms"]
    against("large_ms", "ms", "stored function sum(x**2*exp(x)), 20 M float32, value and gradient", 10)
    row("the same beside one SIMD loop written by hand", f"{large:.1f} ms", f"{hand:.1f} ms: {large / hand:.2f} of its time", "<= 2", large <= 2 * hand)
    row("stored Rosenbrock-100, value and gradient", f"{ours['rosenbrock_us']:.2f} us", "-", "< 3 us", ours["rosenbrock_us"] < 3)
    row("the same on two threads", f"{ours['two_threads']:.2f} times one", "-", ">= 1.8 times", ours["two_threads"] >= 1.8)
    row("a function of 200 lines, from text to its first gradient", f"{ours['compile_ms']:.1f} ms", "-", "< 20 ms", ours["compile_ms"] < 20)
    p = f"PyTorch {peer['mul_ns']:.0f} ns" if peer else "-"
    row("scalar mul, forward+backward, an op", f"{ours['mul_ns']:.0f} ns", p, "< 300 ns", ours["mul_ns"] < 300)
    row("chain of 1,000,000 ops, forward+backward+free", f"{ours['chain_s']:.2f} s", "-", "< 1 s", ours["chain_s"] < 1)
    row("a one-element tensor", f"{ours['tensor_bytes']:.0f} B", "-", "< 300 B", ours["tensor_bytes"] < 300)


# Programs that gradd and CPython both run as they stand; the second number is how many of what the row counts.
COUNTING = ("def count(n):\n    i = total = 0\n    while i < n:\n        total += i & 7\n        i += 1\n    return total\n"
            "count(1000000)\n", 1_000_000)
TOP_LEVEL = "i = total = 0\nwhile i < 1000000:\n    total += i & 7\n    i += 1\n", 1_000_000
CALLS = ("def add(a, b=1):\n    return a + b\ndef count(n):\n    x = 0\n    for i in range(n):\n        x = add(x, i)\n    return x\n"
         "count(500000)\n", 500_000)
LISTS = ("def build(n):\n    a = []\n    for i in range(n):\n        a.append(i * 2)\n    return sum([v + 1 for v in a if v % 3])\n"
         "build(500000)\n", 500_000)
MULTIPLYING = ("import torch\ndef chain():\n    v = torch.tensor(0.9999999, requires_grad=True)\n    y = v\n"
               "    for i in range(1000):\n        y = torch.mul(y, v)\n    y.backward()\nfor k in range(100):\n    chain()\n", 100_000)
RUN_IN_CPYTHON = r'''
import sys, time
source = open(sys.argv[1]).read()
times = []
for _ in range(7):
    names = {}
    start = time.perf_counter()
    code = compile(source, "program", "exec")
    if sys.argv[2] == "run":
        exec(code, names)
    times.append(time.perf_counter() - start)
print("program_ms", min(times) * 1e3)
'''


def thousand_lines():
    """A program of a thousand lines as people write them, all in functions that nobody calls."""
    body = ["    total = {0} + x * 2", "    y = torch.mul(x, total) if x > {0} else [i * {0} for i in range(x)]", "    if total > {0} and not y:",
            "        print(f'{{total:.2f}} of {0}', y[0], sep=', ')", "    for i, (a, b) in enumerate(zip(x[1:], values['k{0}'])):",
            "        total += a ** 2 - b / {0}.5", "    loss = ((model(x, w=total) - y) ** 2).mean(dim=0)", "    result = {{'a': (1, {0}), 'b': x.shape[-1]}}",
            "    return total, loss.item()"]
    lines = []
    for k in range(100):
        lines += [f"def f{k}(x, values, model=None):", *(line.format(k) for line in body)]
    return "\n".join(lines) + "\n"


def time_program(source, with_torch=False, how="run"):
    """Milliseconds in gradd, and in CPython or None: the best of several turns, so that other load hits both alike."""
    python = TORCH if with_torch else TORCH or sys.executable
    ours, peer = [], []
    with tempfile.NamedTemporaryFile("w", suffix=".py") as f:
        f.write(source)
        f.flush()
        for _ in range(4):
            ours.append(figures([f"{BUILD}/tests/bench/engine", "program", f.name])["program_ms"])
            if python:
                command = [python, "-W", "ignore", "-c", RUN_IN_CPYTHON, f.name, how]
                peer.append(figures(command, env={**os.environ, "OMP_NUM_THREADS": "1"})["program_ms"])
    return min(ours), min(peer, default=None)


def programs():
    ours, peer = time_program(MULTIPLYING[0], with_torch=True)
    ns, goal = 1e6 / MULTIPLYING[1], ">= 8 times"
    if peer is None:
        row("`y = torch.mul(y, v)` in a program, a backward per 1000, an op", f"{ours * ns:.0f} ns", "PyTorch is not installed", goal, None)
    else:
        row("`y = torch.mul(y, v)` in a program, a backward per 1000, an op", f"{ours * ns:.0f} ns",
            f"CPython, PyTorch {peer * ns:.0f} ns: {peer / ours:.1f} times faster", goal, peer / ours >= 8)
    for what, (source, n) in (("`while` over ints in a function, a turn", COUNTING), ("the same at top level", TOP_LEVEL),
                              ("a call of a function", CALLS), ("append to a list, then a comprehension, an item", LISTS)):
        ours, peer = time_program(source)
        row(what, f"{ours / n * 1e6:.0f} ns", f"CPython {peer / n * 1e6:.0f} ns: {ours / peer:.2f} of its time", "<= 1", ours <= peer)
    ours, peer = time_program(thousand_lines(), how="compile")
    row("compiling a program of 1,000 lines", f"{ours:.2f} ms", f"CPython {peer:.2f} ms", "< 5 ms", ours < 5)


TIME_SOURCES = r'''
import json, sys, time, torch
torch.set_num_threads(1)
for source in json.load(sys.stdin):
    code, times = compile(source, "program", "exec"), []
    for _ in range(5):
        start = time.perf_counter()
        exec(code, {})
        times.append(time.perf_counter() - start)
    print(min(times) * 1e3)
'''


def times_in_gradd(sources):
    times = []
    for text in sources:
        with tempfile.NamedTemporaryFile("w", suffix=".py") as f:
            f.write(text)
            f.flush()
            times.append(figures([f"{BUILD}/tests/bench/engine", "program", f.name])["program_ms"])
    return times


def times_in_pytorch(sources):
    run = subprocess.run([TORCH, "-W", "ignore", "-c", TIME_SOURCES], input=json.dumps(sources), capture_output=True, text=True, check=True,
                         env={**os.environ, "OMP_NUM_THREADS": "1"})
    return [float(line) for line in run.stdout.split()]


def many_ops():
    if not TORCH:
        return row("36 ops at 1, 1,000 and 1,000,000 elements", "-", "PyTorch is not installed", "none slower", None)
    for n, lines in ops.compare(times_in_gradd, times_in_pytorch).items():
        ratios = sorted(((ours / peer, line) for line, ours, peer in lines), reverse=True)
        for ratio, line in ratios[:5]:
            print(f"  … {n:,} elements: {line} takes {ratio:.2f} of PyTorch's time", file=sys.stderr)
        most = 1.2 if n == 1_000_000 else 1
        slow = sum(ratio > most for ratio, _ in ratios)
        row(f"{len(lines)} ops on {n:,} elements, of PyTorch's time", f"median {statistics.median(r for r, _ in ratios):.2f}",
            f"slowest {ratios[0][0]:.2f} ({ratios[0][1]}), {slow} above {most}", f"<= {most}, median < 1", slow == 0)


def layers():
    if not TORCH:
        return row("layers and a training step", "-", "PyTorch is not installed", "<= 1", None)
    for what, (none, full, turns) in ops.layers().items():
        ours, peer = times_in_gradd([none, full]), times_in_pytorch([none, full])
        ours, peer = (ours[1] - ours[0]) / turns * 1e3, (peer[1] - peer[0]) / turns * 1e3
        row(what, f"{ours:.0f} us", f"PyTorch {peer:.0f} us: {ours / peer:.2f} of its time", "<= 1", ours <= peer)


def main():
    http_mul()
    http_functions()
    batched()
    npy()
    start_and_memory()
    engine()
    programs()
    many_ops()
    layers()
    head = ("what", "gradd", "peer", "should be", "met")
    widths = [max(len(str(r[i])) for r in [head, *rows]) for i in range(5)]
    for r in [head, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(str(c).ljust(w) for c, w in zip(r, widths)) + " |")


main()
