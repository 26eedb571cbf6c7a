"""What the tests of the server share: raw bytes out, raw answers in. Standard library only."""
import http.client
import json
import re
import socket

TOKEN = "correct-horse-battery-staple"
OK_GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HIDDEN = b"GET /version?hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=30)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s, patience=3.0):
    """What comes until the server closes; a connection that stays open fails."""
    data = b""
    s.settimeout(patience)
    while True:
        try:
            part = s.recv(65536)
        except ConnectionResetError:
            return data
        if not part:
            return data
        data += part


def raw(port, data, patience=3.0):
    with connect(port) as s:
        s.sendall(data)
        return read_all(s, patience)


def statuses(data):
    return [int(x) for x in re.findall(rb"HTTP/1\.[01] (\d+) ", data)]


def problem_of(data):
    head, body = data.split(b"\r\n\r\n", 1)
    assert b"application/problem+json" in head, head
    p = json.loads(body)
    for key in ("type", "title", "status", "detail", "code"):
        assert key in p, (key, p)
    return head, p


def refused(data, status, code=None):
    """One problem answer, then the end of the connection."""
    got = statuses(data)
    assert got == [status], (got, data[:300])
    head, p = problem_of(data)
    assert p["status"] == status and (code is None or p["code"] == code), p
    assert b"connection: close" in head.lower(), head
    return p


def post(*headers, body=HIDDEN, method=b"POST"):
    return method + b" /v1/sessions HTTP/1.1\r\nHost: localhost\r\n" + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body


def get(port, path="/version", **headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    c.putrequest("GET", path, skip_host=True)
    headers.setdefault("Host", "localhost")
    for name, value in headers.items():
        c.putheader(name.replace("_", "-"), value)
    c.endheaders()
    r = c.getresponse()
    body = r.read()
    c.close()
    return r.status, {k.lower(): v for k, v in r.getheaders()}, body
