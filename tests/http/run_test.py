#!/usr/bin/env python3
"""Programs against the real binary: POST …/run, hooks written as source, limits, clients that leave, `gradd run`."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import BUILD, Server, run, start

LIMITS = ["--program-steps", "300000", "--program-seconds", "20", "--program-memory", "16M", "--program-recursion", "200", "--program-output", "64k"]
server = Server("--log-level", "error", *LIMITS)
draining = Server("--log-level", "info", "--program-steps", "0", "--program-seconds", "300")  # where programs go on
log = []
reader = threading.Thread(target=lambda: log.extend(draining.process.stderr), daemon=True)
reader.start()
tests = []
TEXT, PLAIN = {"Content-Type": "text/plain; charset=utf-8"}, {"Content-Type": "text/plain", "Accept": "text/plain"}
FOREVER = "while True:\n    pass\n"


def test(f):
    tests.append(f)
    return f


class Session:
    def __init__(self, name, at=server):
        self.base, self.at = f"/v1/sessions/{name}", at
        at.call("DELETE", self.base)
        assert at.call("PUT", self.base).status == 201

    def call(self, method, path, body=None, headers=None, status=None):
        answer = self.at.call(method, self.base + path, body, headers)
        assert answer.status == status if status else answer.status < 400, (method, path, answer.status, answer.body[:800])
        return answer

    def run(self, source, query="", status=200):
        return self.call("POST", "/run" + query, source.encode(), TEXT, status).json

    def result(self, source, query=""):
        return self.run(source, query)["result"]

    def text(self, source, status=200):
        answer = self.call("POST", "/run", source.encode(), PLAIN, status)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8", answer.headers
        return answer.body.decode()

    def fails(self, source, status, code, exception=None, detail=None):
        answer = self.call("POST", "/run", source.encode(), TEXT, status)
        assert answer.headers["content-type"] == "application/problem+json", answer.headers
        p = answer.json
        assert (p["code"], p["status"], p["type"]) == (code, status, "/problems/" + code), p
        assert exception is None or p["exception"] == exception, p
        assert detail is None or p["detail"] == detail, p
        assert "stdout" in p and "assigned" in p, p
        return p

    def put(self, name, data, **more):
        return self.call("PUT", f"/tensors/{name}", {"data": data, **more}).json

    def get(self, name):
        return self.call("GET", f"/tensors/{name}").json


def metric(name, at=server):
    return int(re.search(rf"^{re.escape(name)} (\d+)$", at.call("GET", "/metrics").body.decode(), re.M).group(1))


def wait_until(what, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def leave_behind(session, source):
    """A client that asks to run the program and does not wait for the answer: its connection, still open."""
    s = session.at.connect()
    body = source.encode()
    s.sendall(b"POST %s/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (session.base.encode(), len(body), body))
    return s


# ---- what a notebook shows ---------------------------------------------------------------------

CELL_1 = '''
import torch

# 标量的反向传播
x = torch.Tensor([2])

# autograd: set require_grad = True
w = torch.randn(1, requires_grad= True)
b = torch.randn(1, requires_grad= True)

# 前向传播，计算图，分步计算
y = torch.mul(x, w)
z = torch.add(y, b)

print('x,y,z,w,b是否为叶子节点:{},{},{},{},{}'.format(x.is_leaf, y.is_leaf, z.is_leaf, w.is_leaf, b.is_leaf))
print('x,w, b 的属性为{},{},{}'.format(x.requires_grad, w.requires_grad, b.requires_grad))
print('y, z 的 require_grad属性：{},{}'.format(y.requires_grad, z.requires_grad)) #与w, b有依赖关系
print('x, w, b grad_fn is {},{},{}'.format(x.grad_fn, w.grad_fn, b.grad_fn))
print('y, z grad_fn is {},{}'.format(y.grad_fn, z.grad_fn))

# 反向传播计算梯度
z.backward(retain_graph = True) # 梯度累加 ？
print('w, b grad is{},{}'.format(w.grad, b.grad))
print('y, z grad is {}, {}'.format(y.grad, z.grad))
'''
SHOWN_1 = '''x,y,z,w,b是否为叶子节点:True,False,False,True,True
x,w, b 的属性为False,True,True
y, z 的 require_grad属性：True,True
x, w, b grad_fn is None,None,None
y, z grad_fn is <MulBackward0 object at 0x…>,<AddBackward0 object at 0x…>
w, b grad istensor([2.]),tensor([1.])
y, z grad is None, None
'''
CELL_58 = """
import torch as t
def f(x):
    '''计算y'''
    y = x**2 * t.exp(x)
    return y
def gradf(x):
    '''手动求导函数'''
    dx = 2 * x * t.exp(x) + x ** 2 * t.exp(x)
    return dx

x = t.randn(3,4, requires_grad = True)
y = f(x)
y.backward(t.ones(y.size()))
print('grad by torch-autograd:',x.grad)
print('grad by def:', gradf(x))
"""
CELL_84 = """
print(z.grad_fn)
print(z.grad_fn.next_functions)
z.grad_fn.next_functions[0][0] == y.grad_fn
z.backward(retain_graph=True)
w.grad
"""
CELL_88 = """
t.set_grad_enabled(False)
with t.no_grad():
    x = t.ones(1)
    w = t.rand(1, requires_grad = True)
    y = x.mul(w)
print(x.requires_grad, w.requires_grad, y.requires_grad)
"""
CELL_129 = """
x = t.rand(10, requires_grad = True)
before = x.data.clone()
x.data *= 100
print(t.equal(x.data, before * 100), x.requires_grad, x.is_leaf)
"""


def without_addresses(text):
    return re.sub("0x[0-9a-f]+", "0x…", text)


@test
def the_notebook_s_cells_print_what_they_printed():
    s = Session("notebook")
    assert without_addresses(s.text(CELL_1)) == SHOWN_1
    assert s.run("z.backward()\n") == {"stdout": "", "result": None, "assigned": []}
    p = s.fails("z.backward()\nprint('never')\n", 409, "graph_freed", "RuntimeError")
    assert p["detail"].startswith("Trying to backward through the graph a second time") and p["line"] == 1 and p["stdout"] == "", p
    shown = s.text(CELL_58)
    by_autograd, by_hand = shown.removeprefix("grad by torch-autograd: ").split("grad by def: ")
    assert re.sub(r",\s+grad_fn=<AddBackward0>", "", by_hand) == by_autograd, shown
    s.run("x = t.ones(1)\nb = t.rand(1, requires_grad = True)\nw = t.rand(1, requires_grad = True)\ny = w.mul(x)\nz = y.add(b)\n")
    assert without_addresses(s.text(CELL_84)) == (
        "<AddBackward0 object at 0x…>\n((<MulBackward0 object at 0x…>, 0), (<AccumulateGrad object at 0x…>, 0))\ntensor([1.])\n")
    assert s.text(CELL_84).endswith("\ntensor([2.])\n")
    assert s.text(CELL_88) == "False True False\n"
    assert s.call("GET", "/grad-mode").json == {"mode": "no_grad"}
    assert s.text("t.set_grad_enabled(True)\n" + CELL_129).endswith("True True True\n")


@test
def results_are_documents_plain_values_or_null():
    s = Session("results")
    assert s.result("x = torch.tensor([1.0, 2.0], requires_grad=True)\nx")["name"] == "x"
    assert s.result("x")["data"] == [1.0, 2.0]
    doc = s.result("y = x * 2\ny")
    assert doc["name"] == "y" and doc["grad_fn"]["name"] == "MulBackward0" and doc["grad"] is None, doc
    assert s.result("x + 1")["name"] is None
    for source, value in (("1 + 1", 2), ("1.5", 1.5), ("True", True), ("None", None), ("a = 3", None), ("'é\\n'", "é\n"), ("[1, (2, 3), 'a']", [1, [2, 3], "a"]),
                          ("{'a': [1.0, None], 'b': {}}", {"a": [1.0, None], "b": {}}), ("float('nan')", "NaN"), ("[float('inf'), -float('inf')]", ["Infinity", "-Infinity"]),
                          ("2**62", 2**62), ("torch.float32", "torch.float32"), ("x.shape", [2]), ("", None), ("()", [])):
        got = s.result(source)
        assert got == value and type(got) is type(value), (source, got)
    pair = s.result("[x, {'y': x * 2}]")
    assert pair[0]["name"] == "x" and pair[1]["y"]["data"] == [2.0, 4.0], pair
    assert "data" not in s.result("x", "?data=none") and "data" not in s.result("torch.zeros(1001)")
    assert len(s.result("torch.zeros(1001)", "?data=full")["data"]) == 1001
    assert isinstance(s.result("lambda: 1"), str) and isinstance(s.result("x.grad_fn is None"), bool)
    a = s.run("l = [1]\nl.append(l)\nl")["result"]  # it holds itself: as deep as documents go, then text
    while isinstance(a, list):
        a = a[1]
    assert isinstance(a, str), a
    assert s.run("b = a = 1\nimport math\ndef f(): pass\n")["assigned"] == ["a", "b", "f"]
    s.call("POST", "/run?data=some", b"1", TEXT, 422)


@test
def text_answers_are_what_a_notebook_prints():
    s = Session("text")
    for source, shown in (("print('a')\n1 + 1", "a\n2\n"), ("print('a', end='')", "a"), ("", ""), ("None", ""), ("x = 1", ""), ("'s'", "'s'\n"),
                          ("torch.ones(2)", "tensor([1., 1.])\n"), ("print('a', end='')\n2", "a\n2\n"), ("[1.0, 'é']", "[1.0, 'é']\n")):
        assert s.text(source) == shown, (source, s.text(source))
    got = s.text("print('before')\ndef f(x):\n    return x / 0\nf(1)\n", 422)
    assert got.startswith("before\n") and got.endswith("ZeroDivisionError: division by zero\n") and "line 3" in got, got
    got = s.text("print(1)\nx = = 2\n", 400)
    assert not got.startswith("1\n") and "x = = 2" in got and got.endswith("SyntaxError: invalid syntax\n"), got
    for accept, kind in (("*/*", "application/json"), ("application/json, text/plain, */*", "application/json"), ("text/plain;q=0.5, application/json;q=0.1", "text/plain; charset=utf-8"),
                         ("text/html", "application/json"), ("text/plain, */*;q=0.1", "text/plain; charset=utf-8")):
        answer = s.call("POST", "/run", b"print(1)", {**TEXT, "Accept": accept})
        assert answer.headers["content-type"] == kind, (accept, answer.headers)


@test
def bodies_of_each_type():
    s = Session("types")
    for headers, body in (({"Content-Type": "text/plain"}, b"1"), ({"Content-Type": 'TEXT/Plain; charset="UTF-8"'}, b"1"), ({"Content-Type": "application/json"}, b'{"source":"1"}'),
                          ({"Content-Type": "application/json; charset=utf-8"}, b'{"source":"1"}'), ({"Content-Type": "application/x-www-form-urlencoded"}, b"1"),
                          ({"Content-Type": "application/x-www-form-urlencoded"}, b'\n {"source":"1"}'), ({}, b"1"), ({}, b'{"source":"1"}')):
        assert s.call("POST", "/run", body, headers).json["result"] == 1, (headers, body)
    for kind in ("text/html", "application/octet-stream", "text/plain; charset=latin1", "multipart/form-data", "text/plainer"):
        p = s.call("POST", "/run", b"1", {"Content-Type": kind}, 415).json
        assert p["code"] == "unsupported_media_type" and "text/plain" in p["detail"] and "application/json" in p["detail"] and kind in p["detail"], p
    for body, status, code in ((b"{", 400, "malformed_json"), (b"{}", 422, "missing_argument"), (b'{"source":1}', 422, "bad_argument"), (b'{"source":"1","x":1}', 422, "unknown_field"),
                               (b'["1"]', 422, "bad_argument"), (b"", 422, "missing_argument"), (b'{"source":null}', 422, "bad_argument")):
        p = s.call("POST", "/run", body, {"Content-Type": "application/json"}, status).json
        assert p["code"] == code, (body, p)
    assert s.call("POST", "/run", b"", TEXT).json == {"stdout": "", "result": None, "assigned": []}
    assert s.run("﻿print('é', '\U0001f600')\r\nx = 1\r\n")["stdout"] == "é \U0001f600\n"
    for bad in (b"x = '\xff'\n", b"\xc0\x80", b"x = 1\0"):
        p = s.call("POST", "/run", bad, TEXT, 400).json
        assert p["code"] == "syntax_error", p
    assert server.call("POST", "/v1/sessions/nobody/run", b"1", TEXT).json["code"] == "unknown_session"
    assert server.call("GET", s.base + "/run").status == 405


# ---- what goes wrong ---------------------------------------------------------------------------

@test
def syntax_errors_are_400_and_nothing_runs():
    s = Session("syntax")
    p = s.fails("print('no')\nx = 1\nif x\n    y = 2\n", 400, "syntax_error", "SyntaxError", "expected ':'")
    assert (p["line"], p["column"], p["stdout"], p["assigned"]) == (3, 5, "", []), p
    for source, exception in (("x = = 1", "SyntaxError"), ("  x = 1", "IndentationError"), ("if 1:\n\tx\n        y\n", "TabError"), ("(" * 500 + ")" * 500, "SyntaxError"),
                              ("class A: pass", "SyntaxError"), ("def f():\n    yield 1\n", "SyntaxError"), ("async def f(): pass", "SyntaxError"), ("'abc", "SyntaxError")):
        p = s.fails(source, 400, "syntax_error", exception)
        assert p["line"] >= 1 and p["column"] >= 1, p
    assert s.call("GET", "/tensors").json["tensors"] == []


@test
def exceptions_keep_what_ran_before():
    s = Session("exceptions")
    p = s.fails("a = torch.ones(2)\nprint('so far')\nb = nothing\n", 422, "program_error", "NameError", "name 'nothing' is not defined")
    assert (p["line"], p["column"], p["stdout"], p["assigned"]) == (3, 5, "so far\n", ["a"]), p
    assert s.get("a")["data"] == [1.0, 1.0]
    for source, exception, detail in (("1 / 0", "ZeroDivisionError", "division by zero"), ("[][0]", "IndexError", "list index out of range"), ("{}['a']", "KeyError", "'a'"),
                                      ("assert 1 == 2, 'é'", "AssertionError", "é"), ("raise ValueError('mine')", "ValueError", "mine"), ("'a' + 1", "TypeError", None),
                                      ("x = 1\nx.y", "AttributeError", "'int' object has no attribute 'y'"), ("import os", "ModuleNotFoundError", None),
                                      ("open('/etc/passwd')", "RuntimeError", None), ("int('x')", "ValueError", "invalid literal for int() with base 10: 'x'"),
                                      ("2**63", "OverflowError", None)):
        s.fails(source, 422, "program_error", exception, detail)
    assert len(s.fails("raise ValueError('x' * 1000000)", 422, "program_error")["detail"]) < 100000
    assert s.run("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    print(e)\n")["stdout"] == "division by zero\n"


@test
def engine_errors_keep_code_status_and_pytorch_s_words():
    s = Session("engine")
    s.run("w = torch.tensor([1.0, 2.0], requires_grad=True)\ni = torch.tensor([1, 2, 3])\n")
    s.fails("w.add_(1)", 409, "leaf_inplace", "RuntimeError", "a leaf Variable that requires grad is being used in an in-place operation.")
    s.fails("w + i", 422, "shape_mismatch", "RuntimeError", "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0")
    by_rest = s.call("POST", "/backward", {"tensors": "w"}, status=422).json
    s.fails("w.backward()", 422, by_rest["code"], "RuntimeError", "grad can be implicitly created only for scalar outputs")
    s.fails("i.sum().backward()", 409, "no_graph", "RuntimeError", "element 0 of tensors does not require grad and does not have a grad_fn")
    s.fails("e = w.exp()\nl = e.sum()\ne.add_(1)\nl.backward()\n", 409, "version_mismatch", "RuntimeError")
    s.fails("w.sum(3)", 422, "index_out_of_range", "IndexError", "Dimension out of range (expected to be in range of [-1, 0], but got 3)")
    s.fails("torch.nothing", 422, "program_error", "AttributeError", "module 'torch' has no attribute 'nothing'")


@test
def every_limit_is_a_413_that_names_it():
    for source, limit in ((FOREVER, "steps"), ("x = 'a'\nwhile True:\n    x = x + x\n", "memory"), ("def f(n):\n    return f(n + 1)\nf(0)\n", "recursion"),
                          ("while True:\n    print('x' * 1000)\n", "output"), ("[0] * 10**12", "steps|memory"), ("'x' * 10**12", "steps|memory"), ("sum(range(10**12))", "steps"),
                          ("print('x' * 100000)", "output"), ("x = []\nwhile True:\n    x = [x, x]\n", "steps|memory"), ("'%1000000000d' % 1", "steps|memory"),
                          ("'{:>1000000000}'.format(1)", "steps|memory")):
        s = Session("limits")
        p = s.fails("a = 1\n" + source, 413, "program_limit")
        assert re.fullmatch(limit, p["limit"]) and p["detail"] and "a" in p["assigned"], (source, p["limit"], p["detail"])
        if "memory" in limit:  # a session full of values can be emptied
            s.run("del a\nx = None")
    p = s.fails("print('kept')\ntry:\n    while True: pass\nexcept Exception:\n    print('caught')\n", 413, "program_limit")
    assert p["stdout"] == "kept\n" and p["line"] == 3, p
    assert s.text(FOREVER, 413).strip()
    quick = Server("--log-level", "error", "--program-seconds", "0.3", "--program-steps", "0")
    try:
        began = time.monotonic()
        assert Session("quick", quick).fails(FOREVER, 413, "program_limit")["limit"] == "time"
        assert 0.25 < time.monotonic() - began < 5
    finally:
        assert quick.stop() == 0
    assert s.result("6 * 7") == 42
    assert "program_limit" in server.call("GET", "/problems/program_limit").body.decode()


# ---- sessions ----------------------------------------------------------------------------------

@test
def variables_live_on_between_runs():
    s = Session("living")
    s.run("import torch.nn.functional as F\nn = 3\nnames = ['a']\nx = torch.ones(2)\ndef twice(v, by=2):\n    return v * by\n")
    assert s.result("names.append(n); names") == ["a", 3] and s.result("names") == ["a", 3]
    assert s.result("twice(x)")["data"] == [2.0, 2.0] and s.result("F.relu(-x)")["data"] == [0.0, 0.0]
    other = Session("living-too")
    other.fails("n", 422, "program_error", "NameError")
    before = s.call("GET", "").json["bytes"]
    s.run("big = [i for i in range(10000)]")
    grown = s.call("GET", "").json["bytes"] - before
    assert grown > 80000, grown
    s.run("del big")
    assert s.call("GET", "").json["bytes"] - before < 10000
    s.fails("big", 422, "program_error", "NameError")


@test
def rest_and_programs_share_the_names():
    s = Session("shared")
    s.put("x", [1.0, 2.0], requires_grad=True)
    assert s.run("y = (x * x).sum()\ny.backward()\n")["assigned"] == ["y"]
    assert s.get("x")["grad"]["data"] == [2.0, 4.0] and s.get("y")["data"] == 5.0
    s.call("POST", "/ops", {"op": "mul", "args": ["y", 2], "out": "z"}, status=201)
    assert s.result("z.item()") == 10.0
    assert s.result("z is z") is True and s.result("z")["name"] == "z"
    s.run("x = 'plain'")  # a plain value takes the name
    s.call("GET", "/tensors/x", status=404)
    assert s.result("x") == "plain" and [t["name"] for t in s.call("GET", "/tensors").json["tensors"]] == ["y", "z"]
    s.put("x", [7.0])  # and a tensor takes it back
    assert s.result("x")["data"] == [7.0]
    s.call("DELETE", "/tensors/x", status=204)
    s.fails("x", 422, "program_error", "NameError")
    s.run("del y")
    s.call("GET", "/tensors/y", status=404)
    s.fails("q = torch.zeros(1)\nz = torch.zeros(3)\n1 / 0\n", 422, "program_error")
    assert s.get("q")["data"] == [0.0] and s.get("z")["shape"] == [3]
    s.run("a = b = torch.ones(1)")
    assert s.result("a is b") is True and s.call("PUT", "/tensors/a/data", {"data": [4.0]}).status == 200 and s.result("b")["data"] == [4.0]
    # Names that tensors may not have stay the program's own.
    s.run("grad = torch.ones(2)\ndata = grad * 2\nπ = torch.ones(3)\n")
    assert s.result("grad + data")["data"] == [3.0, 3.0] and s.result("π")["shape"] == [3]
    assert not {"grad", "data", "π"} & {t["name"] for t in s.call("GET", "/tensors").json["tensors"]}


@test
def runs_of_one_session_queue():
    s = Session("queue")
    s.run("x = 0")
    got = []
    clients = [threading.Thread(target=lambda: got.append(s.run("y = x\nfor i in range(20000): pass\nx = y + 1\n")["assigned"])) for _ in range(8)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    assert got == [["i", "x", "y"]] * 8 and s.result("x") == 8


@test
def deleting_a_session_that_runs_is_safe():
    s = Session("doomed", draining)
    with leave_behind(s, "x = torch.ones(1000)\n" + FOREVER):
        wait_until(lambda: metric("gradd_programs_running", draining) == 1)
        assert draining.call("DELETE", s.base).status == 204
        assert draining.call("GET", s.base).status == 404
    wait_until(lambda: metric("gradd_programs_running", draining) == 0)
    assert draining.call("PUT", s.base).status == 201


# ---- clients that leave ------------------------------------------------------------------------

@test
def a_client_that_leaves_stops_its_program():
    """The next request on the session gets its turn soon after the client has gone, however the client goes."""
    for how in ("close", "reset", "half"):
        s = Session("left-" + how, draining)
        stopped, slowest = metric('gradd_program_limits_total{limit="stopped"}', draining), []
        for _ in range(3):
            client = leave_behind(s, "n = 0\nwhile n < 10**9:\n    n = sum(range(100))\n" if how == "half" else FOREVER)
            wait_until(lambda: metric("gradd_programs_running", draining) == 1)
            gone = time.monotonic()
            if how == "half":
                client.shutdown(socket.SHUT_WR)
            elif how == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            if how != "half":
                client.close()
            assert s.result("1") == 1
            slowest.append(time.monotonic() - gone)
            client.close()
        assert min(slowest) < 0.5, slowest
        assert metric('gradd_program_limits_total{limit="stopped"}', draining) == stopped + 3
    wait_until(lambda: sum(" /v1/sessions/left-" in line and "/run 499 " in line for line in log) == 9)


@test
def who_leaves_while_waiting_never_runs():
    s = Session("waiting", draining)
    first = leave_behind(s, FOREVER)
    wait_until(lambda: metric("gradd_programs_running", draining) == 1)
    leave_behind(s, "ran = 1").close()
    time.sleep(0.2)
    first.close()
    wait_until(lambda: metric("gradd_programs_running", draining) == 0)
    s.fails("ran", 422, "program_error", "NameError")


@test
def endless_programs_hold_up_nobody():
    """As many endless programs as there are processors, and more requests waiting for their sessions than workers."""
    sessions = [Session(f"busy{i}", draining) for i in range(2)]
    left = [leave_behind(s, FOREVER) for s in sessions] + [leave_behind(s, "1") for s in sessions * 6]
    try:
        wait_until(lambda: metric("gradd_programs_running", draining) == 2)
        worst = 0.0
        for _ in range(100):
            asked = time.monotonic()
            assert draining.call("GET", "/healthz").status == 200
            worst = max(worst, time.monotonic() - asked)
        assert worst < 1, worst
        asked = time.monotonic()
        assert Session("idle", draining).result("1 + 1") == 2
        assert time.monotonic() - asked < 2
    finally:
        for c in left:
            c.close()
    wait_until(lambda: metric("gradd_programs_running", draining) == 0)


# ---- hooks -------------------------------------------------------------------------------------

@test
def hooks_written_as_source():
    s = Session("hooks")
    s.run("seen = []\nw = torch.tensor([1.0, 2.0], requires_grad=True)\ny = w * 3\n")
    h = s.call("POST", "/tensors/w/hooks", {"source": "lambda grad: grad * 2"}, status=201)
    assert h.json == {"id": h.json["id"], "kind": "source", "tensor": "w", "source": "lambda grad: grad * 2"}, h.json
    assert h.headers["location"] == s.base + "/hooks/" + h.json["id"]
    spy = s.call("POST", "/tensors/y/hooks", {"source": "lambda g: seen.append(g.tolist())"}, status=201).json["id"]
    s.call("POST", "/backward", {"tensors": "y", "grad_tensors": [[1, 1]], "retain_graph": True})
    assert s.get("w")["grad"]["data"] == [6.0, 6.0] and s.result("seen") == [[1.0, 1.0]]
    s.run("y.sum().backward(retain_graph=True)")
    read = s.call("GET", "/hooks/" + h.json["id"]).json
    assert read == {**h.json, "count": 2}, read
    listed = s.call("GET", "/tensors/w/hooks").json
    assert listed == {"hooks": [read], "next": None}, listed
    s.call("DELETE", "/hooks/" + h.json["id"], status=204)
    s.call("GET", "/hooks/" + h.json["id"], status=404)
    s.run("w.grad = None")
    s.call("POST", "/backward", {"tensors": "y", "grad_tensors": [[1, 1]], "retain_graph": True})
    assert s.get("w")["grad"]["data"] == [3.0, 3.0]
    s.run("y2 = y * 1\nseen.clear()\ndel y")  # the graph keeps the hook of a tensor whose name is gone
    s.run("y2.sum().backward(retain_graph=True)")
    assert s.result("len(seen)") == 1
    s.call("DELETE", "/hooks/" + spy, status=204)
    s.run("y2.sum().backward()")
    assert s.result("len(seen)") == 1


@test
def hooks_that_fail_fail_the_backward():
    s = Session("hookfail")
    s.run("a = torch.ones(2, requires_grad=True)\nw = torch.ones(2, requires_grad=True)\ny = (a * 2 + w * w).sum()\ndef f(g):\n    raise ValueError('not this one')\n")
    for body, status, code in (({"source": "lambda grad:"}, 400, "syntax_error"), ({"source": "lambda grad: (grad"}, 400, "syntax_error"), ({"source": "nothing"}, 422, "program_error"),
                               ({"source": "1 +"}, 400, "syntax_error"), ({"source": "while True: pass"}, 400, "syntax_error"), ({"source": "sum(range(10**12))"}, 413, "program_limit"),
                               ({"source": 1}, 422, "bad_argument"), ({"source": "f", "record": True}, 422, "bad_argument"), ({}, 422, "missing_argument")):
        p = s.call("POST", "/tensors/w/hooks", body, status=status).json
        assert p["code"] == code and "stdout" not in p, p
        assert status != 400 or (p["line"] == 1 and p["column"] >= 1 and p["exception"] == "SyntaxError"), p
    s.run("c = torch.ones(1)")
    p = s.call("POST", "/tensors/c/hooks", {"source": "lambda g: g"}, status=409).json
    assert p["code"] == "bad_state" and p["detail"] == "cannot register a hook on a tensor that doesn't require gradient", p
    assert s.call("GET", "/tensors/w/hooks").json["hooks"] == []
    for source, detail in (("f", "not this one"), ("lambda g: g.nothing", "nothing"), ("lambda g: g[:1]", "hook '<lambda>' has changed the size of value"),
                           ("lambda g: 7", "expected Variable, but hook returned 'int'")):
        h = s.call("POST", "/tensors/w/hooks", {"source": source}, status=201).json["id"]
        for request in ("backward", "run"):
            if request == "run":
                p = server.call("POST", s.base + "/run", b"y.backward(retain_graph=True)", TEXT)
            else:
                p = server.call("POST", s.base + "/backward", {"tensors": "y", "retain_graph": True})
            assert p.status in (409, 422) and detail in p.json["detail"], (source, request, p.status, p.body)
        assert s.get("a")["grad"] is None and s.get("w")["grad"] is None and s.call("GET", "/hooks/" + h).json["count"] == 0
        s.call("DELETE", "/hooks/" + h, status=204)
    h = s.call("POST", "/tensors/w/hooks", {"source": "lambda g: [i for i in range(10**9)] and None"}, status=201).json["id"]
    p = server.call("POST", s.base + "/backward", {"tensors": "y", "retain_graph": True})
    assert p.status >= 400 and s.get("a")["grad"] is None, p.body
    s.call("DELETE", "/hooks/" + h, status=204)
    s.call("POST", "/backward", {"tensors": "y"})
    assert s.get("a")["grad"]["data"] == [2.0, 2.0]


# ---- gradd run ---------------------------------------------------------------------------------

@test
def the_command_line_runs_files_and_standard_input():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "fit.py")
        with open(path, "w", encoding="utf-8") as f:
            f.write("w = torch.zeros(2, requires_grad=True)\nopt = torch.optim.SGD([w], lr=0.1)\nfor step in range(50):\n"
                    "    loss = ((w - torch.tensor([3.0, -1.0])) ** 2).sum()\n    opt.zero_grad()\n    loss.backward()\n    opt.step()\nprint('学', w)\nw\n")
        r = start("run", path)
        assert (r.returncode, r.stdout, r.stderr) == (0, "学 tensor([ 3.0000, -1.0000], requires_grad=True)\n", ""), r
        r = start("run", "-", input="print(torch.arange(3) * 2)\n7\n")
        assert (r.returncode, r.stdout, r.stderr) == (0, "tensor([0, 2, 4])\n", ""), r
        r = start("run", "-", input="")
        assert (r.returncode, r.stdout, r.stderr) == (0, "", ""), r
        r = start("run", "-", input="print('so far')\nx = 1\ny = x / 0\n")
        assert r.returncode == 1 and r.stdout == "so far\n" and r.stderr.endswith("ZeroDivisionError: division by zero\n") and "line 3" in r.stderr, r
        r = start("run", "-", input="print(1)\nx = = 1\n")
        assert r.returncode == 1 and r.stdout == "" and r.stderr.endswith("SyntaxError: invalid syntax\n"), r
        r = start("run", os.path.join(d, "missing"))
        assert r.returncode == 66 and "No such file" in r.stderr and r.stderr.count("\n") == 1, r
        assert start("run", d).returncode == 66
        assert start("run").returncode == 64 and start("run", "a", "b").returncode == 64 and start("run", "--nonsense", "-").returncode == 64
        assert "gradd run FILE" in start("run", "--help").stdout.replace("[options] ", "")


@test
def the_command_line_s_limits():
    for flags, source in ((["--program-steps", "1000"], FOREVER), (["--program-seconds=0.2"], FOREVER), (["--program-memory", "1M"], "x = 'a' * 10**8"),
                          (["--program-output", "10"], "print('a' * 100)"), (["--program-recursion", "50"], "def f(n): return f(n + 1)\nf(0)"), ([], "def f(n): return f(n + 1)\nf(0)"),
                          (["--memory", "1M"], "torch.zeros(10**6)")):
        r = start("run", *flags, "-", input=source)
        assert r.returncode == 1 and r.stderr.strip(), (flags, r)
    r = start("run", "-", input=FOREVER, env={"GRADD_PROGRAM_SECONDS": "0.2"})
    assert r.returncode == 1 and r.stderr, r
    r = start("run", "-", input="def f(n):\n    return 0 if n == 0 else 1 + f(n - 1)\nprint(f(900))\n")
    assert r.stdout == "900\n", r


@test
def the_command_line_streams():
    # A shell that runs the tests in the background has them ignore SIGINT, and their children too.
    p = subprocess.Popen([f"{BUILD}/gradd", "run", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    p.stdin.write("print('first')\n" + FOREVER)
    p.stdin.close()
    assert p.stdout.readline() == "first\n"
    p.send_signal(signal.SIGINT)
    assert p.wait(10) != 0
    p.stdout.close()


# ---- counters, documents, the end --------------------------------------------------------------

@test
def counters_and_documents():
    s = Session("counters")
    ok, raised, limited = (metric(f'gradd_programs_total{{outcome="{o}"}}') for o in ("ok", "exception", "limit"))
    steps = metric('gradd_program_limits_total{limit="steps"}')
    s.run("1")
    s.fails("1 / 0", 422, "program_error")
    s.fails(FOREVER, 413, "program_limit")
    assert metric('gradd_programs_total{outcome="ok"}') == ok + 1 and metric('gradd_programs_total{outcome="exception"}') == raised + 1
    assert metric('gradd_programs_total{outcome="limit"}') == limited + 1 and metric('gradd_program_limits_total{limit="steps"}') == steps + 1
    api = server.call("GET", "/openapi.json").json
    post = api["paths"]["/v1/sessions/{s}/run"]["post"]
    assert set(post["requestBody"]["content"]) == {"application/json", "text/plain"} and set(post["responses"]["200"]["content"]) == {"application/json", "text/plain"}, post
    assert "text/plain" in post["responses"]["default"]["content"]
    for code in ("syntax_error", "program_error", "program_limit"):
        assert server.call("GET", "/problems/" + code).status == 200
    assert "unsupported_hook" not in json.dumps(api) and server.call("GET", "/problems/unsupported_hook").status == 404


@test
def draining_lets_programs_finish_and_then_stops_them():
    """SIGTERM: a short program finishes; an endless one is told at the end of the 30 seconds."""
    s, e = Session("short", draining), Session("endless", draining)
    short = leave_behind(s, "n = 0\nwhile n < 3000000:\n    n = n + 1\nprint('done')\n")
    endless = leave_behind(e, "print('begun')\n" + FOREVER)
    wait_until(lambda: metric("gradd_programs_running", draining) >= 1)
    time.sleep(0.1)
    draining.process.send_signal(signal.SIGTERM)
    short.settimeout(25)
    assert b'"stdout":"done\\n"' in short.recv(65536)
    began = time.monotonic()
    endless.settimeout(40)
    data = endless.recv(65536)
    assert b" 503 " in data and b'"code":"draining"' in data and b'"stdout":"begun\\n"' in data, data
    assert draining.process.wait(5) == 0 and time.monotonic() - began < 35
    reader.join()
    short.close()
    endless.close()


@test
def the_server_ends_well():
    assert server.stop() == 0


run("run", tests)
