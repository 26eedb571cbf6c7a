"""The server as a process: starting, settings, log, slow and many clients, draining. Knows nothing of tensors."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

import harness
import wire
from harness import BUILD, Server, start
from wire import OK_GET, TOKEN, post, problem_of, read_all, statuses

server = Server("--log-level", "error", "--max-body", "1M", "--allow-host", "gradd.example", "--allow-origin", "https://app.example")


raw, get, connect = server.raw, server.get, server.connect


# ---- starting ----------------------------------------------------------------------------------

def start_matrix():
    with tempfile.TemporaryDirectory() as d:
        short, good, missing = (os.path.join(d, n) for n in ("short", "good", "missing"))
        for path, text in ((short, "tooshort\n"), (good, TOKEN)):
            with open(path, "w") as f:
                f.write(text)
        for args, code in (
            (["--listen", "0.0.0.0:0"], 78), (["--listen", "[::]:0"], 78), (["--listen", "0.0.0.0:0", "--token-file", short], 78),
            (["--listen", "0.0.0.0:0", "--token-file", missing], 78), (["--token-file", short], 78), (["--listen", "nowhere"], 64),
            (["--listen", "1.2.3.4"], 64), (["--listen", "127.0.0.1:99999"], 64), (["--threads", "many"], 64), (["--threads"], 64),
            (["--max-body", "1Q"], 64), (["--data", d], 64), (["--nonsense"], 64), (["dance"], 64), (["run"], 64), (["run", "-", "again"], 64), (["serve", "again"], 64),
            (["--config", missing], 78), (["--log-level", "loud"], 64), (["--allow-origin", "https://x/y"], 78),
        ):
            r = start(*args)
            assert r.returncode == code, (args, r.returncode, r.stderr)
            assert r.stderr.startswith("gradd: ") and r.stderr.count("\n") == 1, (args, r.stderr)
        assert "--token-file" in start("--listen", "0.0.0.0:0").stderr
        assert start("--threads=2", env={"GRADD_WORKERS": "x"}).returncode == 78
        s = Server("--listen", "0.0.0.0:0", "--token-file", good, "--log-level", "error")
        assert s.get("/healthz")[0] == 200 and s.stop() == 0


def sources_of_settings():
    with tempfile.TemporaryDirectory() as d:
        config = os.path.join(d, "c")
        with open(config, "w") as f:
            f.write("# a comment\nthreads = 3   # trailing\n workers=4\nmax-body = 2M\nallow-host = a.example, b.example\n")
        env = {"GRADD_WORKERS": "5", "GRADD_MAX_BODY": "3M", "GRADD_CONFIG": config}
        r = start("--check-config", "--max-body", "4M", env=env)
        assert r.returncode == 0, r.stderr
        for line in ("threads = 3 # config file", "workers = 5 # environment", "max-body = 4194304 # flag", "allow-host = a.example, b.example # config file",
                     "listen = 127.0.0.1:4242 # default"):
            assert line in r.stdout, (line, r.stdout)
        again = os.path.join(d, "again")
        with open(again, "w") as f:
            f.write(r.stdout)
        assert start("--check-config", "--config", again).returncode == 0
        for bad in ("threads 3", "treads = 3", "config = x", "threads = x"):
            with open(config, "w") as f:
                f.write(bad)
            assert start("--check-config", "--config", config).returncode == 78, bad


def help_and_version():
    r = start("--help")
    assert r.returncode == 0 and not r.stderr
    for word in ("--listen", "GRADD_LISTEN", "--token-file", "healthcheck", "gradd run", "--program-seconds", "examples", "127.0.0.1:4242"):
        assert word in r.stdout, word
    r = start("run", "--help")
    assert r.returncode == 0 and not r.stderr and "usage: gradd run" in r.stdout and "--program-steps" in r.stdout
    r = start("--version")
    assert r.returncode == 0 and r.stdout.startswith("gradd ") and "libmicrohttpd" in r.stdout


def healthcheck():
    assert start("healthcheck", "--listen", f"127.0.0.1:{server.port}").returncode == 0
    assert start("healthcheck", "--url", f"http://localhost:{server.port}").returncode == 0
    assert start("healthcheck", "--url", f"http://127.0.0.1:{server.port}/nothing").returncode == 1
    assert start("healthcheck", env={"GRADD_LISTEN": f"0.0.0.0:{server.port}"}).returncode == 0
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        assert start("healthcheck", "--listen", f"127.0.0.1:{s.getsockname()[1]}").returncode == 1


def a_taken_port_is_an_error():
    r = start("--listen", f"127.0.0.1:{server.port}")
    assert r.returncode == 1 and "in use" in r.stderr, r


def ipv6():
    if not socket.has_ipv6:
        return
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        return
    s = Server("--listen", "[::1]:0", "--log-level", "error")
    with socket.create_connection(("::1", s.port), timeout=10) as c:
        c.sendall(b"GET /healthz HTTP/1.1\r\nHost: [::1]:%d\r\nConnection: close\r\n\r\n" % s.port)
        assert statuses(read_all(c)) == [200]
    assert s.stop() == 0


# ---- the log -----------------------------------------------------------------------------------

def json_log():
    s = Server("--log-format", "json")
    s.get("/v1/sessions/none?x=\"y", X_Request_Id="my-id")
    s.get("/healthz")
    time.sleep(0.3)
    s.process.send_signal(signal.SIGTERM)
    text = s.process.stderr.read()
    assert s.process.wait(40) == 0
    lines = [json.loads(x) for x in text.splitlines()]
    line = next(x for x in lines if x.get("id") == "my-id")
    assert line["method"] == "GET" and line["status"] == 404 and line["session"] == "none" and line["path"] == "/v1/sessions/none", line
    assert sum(x.get("path") == "/healthz" for x in lines) == 1


def a_log_that_nobody_reads_stops_nobody():
    s = Server()
    c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=20)
    for _ in range(3000):
        c.request("GET", "/healthz")
        assert c.getresponse().read() is not None
    c.close()
    s.process.send_signal(signal.SIGTERM)
    assert s.process.wait(40) == 0
    s.process.stderr.close()


# ---- slow and many -----------------------------------------------------------------------------

def slow_heads_and_bodies_are_cut():
    """A head that drips is ended after 10 seconds, a body after 20; meanwhile others are answered."""
    head, silent, body = connect(), connect(), connect()
    head.sendall(b"GET /healthz HTTP/1.1\r\nX-A: ")
    body.sendall(post(b"Content-Length: 100000", body=b"{"))
    began, ended, got, worst = time.monotonic(), {}, {}, 0.0
    while time.monotonic() - began < 32 and len(ended) < 3:
        for name, s in (("head", head), ("silent", silent), ("body", body)):
            if name in ended:
                continue
            try:
                if name != "silent":
                    s.sendall(b"a")
                s.settimeout(0.02)
                part = s.recv(4096)
                got[name] = got.get(name, b"") + part
                if not part:
                    ended[name] = time.monotonic() - began
            except socket.timeout:
                pass
            except OSError:
                ended[name] = time.monotonic() - began
        asked = time.monotonic()
        assert server.call("GET", "/healthz").status == 200
        worst = max(worst, time.monotonic() - asked)
        time.sleep(0.3)
    for s in (head, silent, body):
        s.close()
    assert 9 < ended["head"] < 13 and 9 < ended["silent"] < 13 and 19 < ended["body"] < 24, ended
    assert statuses(got["head"]) == [408] and statuses(got["body"]) == [408], got
    problem_of(got["body"])
    assert worst < 1, worst


def idle_connections_make_room():
    """With few file descriptors and four times as many idle clients, health is still answered."""
    process = subprocess.Popen(["sh", "-c", f"ulimit -n 192; exec {BUILD}/gradd --listen 127.0.0.1:0 --log-level error"], stderr=subprocess.PIPE, text=True)
    port = int(process.stderr.readline().rsplit(":", 1)[1])
    idle, worst = [], 0.0
    try:
        for i in range(500):
            idle.append(wire.connect(port))
            if i % 50 == 49:
                asked = time.monotonic()
                assert wire.get(port, "/healthz")[0] == 200
                worst = max(worst, time.monotonic() - asked)
    finally:
        for s in idle:
            s.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        process.stderr.close()
    assert worst < 1, worst


def connect_and_abort():
    before = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    for i in range(1000):
        s = connect()
        if i % 2:
            s.sendall(OK_GET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        s.close()
    deadline = time.monotonic() + 5
    while len(os.listdir(f"/proc/{server.process.pid}/fd")) > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) <= before
    assert server.call("GET", "/healthz").status == 200


def long_work_holds_up_nobody():
    """More long computations than HTTP threads and workers together; health is answered between them, clients may leave."""
    s = Server("--log-level", "error", "--threads", "2", "--workers", "2")
    long = [{"op": "matmul", "args": ["W", "W"], "out": "V"}] * 5
    for i in range(8):
        assert s.call("PUT", f"/v1/sessions/s{i}").status == 201
        assert s.call("POST", f"/v1/sessions/s{i}/ops", {"op": "randn", "args": [[700, 700]], "out": "W"}).status == 201
    got = []
    clients = [threading.Thread(target=lambda i=i: got.append(s.call("POST", f"/v1/sessions/s{i % 8}/ops?data=none", long).status)) for i in range(12)]
    for t in clients:
        t.start()
    for i in range(6):  # these do not wait for their answers
        with s.connect() as c:
            body = json.dumps(long).encode()
            c.sendall(b"POST /v1/sessions/s%d/ops HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (i, len(body), body))
    worst = 0.0
    while any(t.is_alive() for t in clients):
        asked = time.monotonic()
        assert s.get("/healthz")[0] == 200
        worst = max(worst, time.monotonic() - asked)
        time.sleep(0.01)
    assert got == [201] * 12 or set(got) <= {200, 201}, got
    assert worst < 1, worst
    assert s.stop() == 0


# ---- ending ------------------------------------------------------------------------------------

def draining_fails_no_request():
    s = Server("--log-level", "error")
    failed, done, stop = [], [], threading.Event()

    def client():
        while not stop.is_set():
            try:
                c = socket.create_connection(("127.0.0.1", s.port), timeout=10)
            except OSError:
                return  # it no longer accepts
            try:
                while True:
                    c.sendall(OK_GET)
                    data = b""
                    while b"\r\n\r\n" not in data:
                        part = c.recv(4096)
                        if not part:
                            break
                        data += part
                    if not data.startswith(b"HTTP/1.1 200"):
                        failed.append(data)
                        return
                    done.append(1)
                    if b"connection: close" in data.lower():
                        break
            except OSError as e:
                failed.append(e)
                return
            finally:
                c.close()

    clients = [threading.Thread(target=client) for _ in range(4)]
    for t in clients:
        t.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert s.stop() == 0
    stop.set()
    for t in clients:
        t.join()
    assert time.monotonic() - began < 5 and len(done) > 100, len(done)
    # A connection that is closed between two requests is no failure of an answered one; one in the race may see it.
    assert len(failed) <= len(clients), failed[:3]


def a_second_signal_ends_at_once():
    s = Server("--log-level", "error")
    with s.connect() as c:
        c.sendall(post(b"Content-Length: 10", body=b"{"))  # a request that does not end
        time.sleep(0.3)
        s.process.send_signal(signal.SIGTERM)
        time.sleep(0.7)
        assert s.process.poll() is None
        s.process.send_signal(signal.SIGTERM)
        assert s.process.wait(2) == 0
    s.process.stderr.close()


def readyz_is_503_while_draining():
    s = Server("--log-level", "error")
    with s.connect() as running, s.connect() as other:
        running.sendall(post(b"Content-Length: 2", body=b"{"))
        other.sendall(OK_GET)
        assert statuses(other.recv(4096)) == [200]
        s.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        other.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        data = read_all(other)
        assert statuses(data) == [503] and b"connection: close" in data.lower(), data
        running.sendall(b"}")
        assert statuses(read_all(running)) in ([201], [200])
        assert s.process.wait(5) == 0
    s.process.stderr.close()


def small_and_quick():
    """Started in milliseconds (generous here: sanitizers, busy machines), idle in few MB on the plain build."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        s = Server("--log-level", "error")
        assert s.get("/healthz")[0] == 200
        times.append(time.monotonic() - began)
        with open(f"/proc/{s.process.pid}/status") as f:
            rss = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        assert s.stop() == 0
    sanitized = "sanitizer" in start("--version").stdout
    assert sanitized or (min(times) < 0.25 and rss < 24 * 1024), (times, rss)


def the_server_ends_well():
    assert server.stop() == 0


harness.run("process", [
    start_matrix, sources_of_settings, help_and_version, healthcheck, a_taken_port_is_an_error, ipv6, json_log,
    a_log_that_nobody_reads_stops_nobody, slow_heads_and_bodies_are_cut, idle_connections_make_room, connect_and_abort, long_work_holds_up_nobody, draining_fails_no_request,
    a_second_signal_ends_at_once, readyz_is_503_while_draining, small_and_quick, the_server_ends_well,
])
