"""What the HTTP tests share: the real binary on a free port, requests, and a runner that counts. Standard library only."""
import atexit
import http.client
import json
import os
import signal
import subprocess
import sys
import traceback

import wire

BUILD = os.environ.get("BUILD", "build")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    def __init__(self, *flags, env=None):
        self.process = subprocess.Popen([f"{BUILD}/gradd", "--listen", "127.0.0.1:0", *flags], stderr=subprocess.PIPE,
                                        text=True, env={**os.environ, **(env or {})})
        atexit.register(self.process.kill)  # a failed test leaves none behind
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if line.startswith("gradd: listening on http://"):
                self.port = int(line.rsplit(":", 1)[1])
                break
        else:
            raise RuntimeError("gradd did not start: " + "".join(self.log))

    def call(self, method, path, body=None, headers=None):
        """One request on a connection of its own; a dict or list body is sent as JSON."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            r = connection.getresponse()
            return Answer(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        finally:
            connection.close()

    def raw(self, data, patience=3.0):
        return wire.raw(self.port, data, patience)

    def get(self, path="/version", **headers):
        return wire.get(self.port, path, **headers)

    def connect(self):
        return wire.connect(self.port)

    def stop(self, kind=signal.SIGTERM):
        self.process.send_signal(kind)
        try:
            self.process.stderr.read()
            return self.process.wait(60)
        finally:
            self.process.stderr.close()


def start(*args, env=None, input=None):
    """The binary with these arguments until it ends."""
    return subprocess.run([f"{BUILD}/gradd", *args], capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})}, input=input)


def run(name, tests):
    """Calls each test; prints what failed and the closing line; exits 1 if any did."""
    passed = failed = 0
    for test in tests:
        try:
            test()
            passed += 1
        except Exception:
            failed += 1
            print(f"FAILED {name} {test.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{name}: {passed} passed, {failed} failed", flush=True)
    sys.exit(failed > 0)
