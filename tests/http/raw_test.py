"""The server under raw bytes: framing, smuggling, limits, bodies, and the Host/Origin/token matrix. Knows nothing of tensors."""
import http.client
import json
import os
import re
import socket
import tempfile

import harness
from harness import Server
from wire import HIDDEN, OK_GET, TOKEN, post, problem_of, read_all, refused, statuses

server = Server("--log-level", "error", "--max-body", "1M", "--allow-host", "gradd.example", "--allow-origin", "https://app.example")


raw, get, connect = server.raw, server.get, server.connect


# ---- framing -----------------------------------------------------------------------------------

def smuggling_length_and_chunked():
    refused(raw(post(b"Content-Length: %d" % (len(HIDDEN) + 5), b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN)), 400, "ambiguous_length")


def smuggling_chunked_and_length():
    refused(raw(post(b"Transfer-Encoding: chunked", b"Content-Length: %d" % (len(HIDDEN) + 5), body=b"0\r\n\r\n" + HIDDEN)), 400, "ambiguous_length")


def smuggling_two_lengths():
    for a, b in ((0, len(HIDDEN)), (len(HIDDEN), 0)):
        for method in (b"POST", b"GET", b"DELETE"):
            refused(raw(post(b"Content-Length: %d" % a, b"Content-Length: %d" % b, method=method)), 400)


def smuggling_chunked_and_identity():
    for first, second in ((b"chunked", b"identity"), (b"identity", b"chunked")):
        refused(raw(post(b"Transfer-Encoding: " + first, b"Transfer-Encoding: " + second, body=b"0\r\n\r\n" + HIDDEN)), 400)
    refused(raw(post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + HIDDEN)), 501)


def smuggling_space_before_colon():
    refused(raw(post(b"Transfer-Encoding : chunked", b"Content-Length: %d" % (len(HIDDEN) + 5), body=b"0\r\n\r\n" + HIDDEN)), 400)


def other_encodings_are_501():
    for value in (b"gzip", b"xchunked", b"chunked;q=1", b"gzip, chunked"):
        refused(raw(post(b"Transfer-Encoding: " + value)), 501, "bad_transfer_encoding")


def chunked_is_case_insensitive():
    data = raw(post(b"Transfer-Encoding: CHUNKED", b"Connection: close", body=b"2\r\n{}\r\n0\r\n\r\n"))
    assert statuses(data) in ([201], [200]), data


def lengths_that_are_no_numbers():
    # These never get past the library, whose own page this is: what matters is that nothing else is answered.
    for value in (b"+5", b"-1", b"0x10", b"5 5", b"5,5", b"1e3", b""):
        got = statuses(raw(post(b"Content-Length: " + value)))
        assert got and set(got) <= {400, 413} and b"gradd" not in raw(post(b"Content-Length: " + value)), (value, got)


def lengths_over_the_limit_are_413_at_once():
    for value in (b"1048577", b"18446744073709551615", b"99999999999999999999999", b"9223372036854775808"):
        data = raw(post(b"Content-Length: " + value, body=b""))
        assert set(statuses(data)) == {413}, (value, data)
        assert b"problem+json" in data or len(value) > 20, data  # more digits than a number has never get past the library


def header_names_and_values():
    for line in (b"Bad Name: x", b"Bad(Name: x", b"X-V: a\x01b", b"X-V: a\x7fb"):
        got = statuses(raw(post(line, b"Content-Length: 2", body=b"{}")))
        assert got == [400], (line, got)


def host_must_be_there_once():
    refused(raw(b"GET /healthz HTTP/1.1\r\n\r\n"), 400)
    refused(raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"), 400)
    assert statuses(raw(b"GET /healthz HTTP/1.0\r\n\r\n")) == [200]


def methods_and_versions():
    for method in (b"BREW", b"TRACE", b"CONNECT", b"get"):
        refused(raw(method + b" /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), 501, "unknown_method")
    for version in (b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9"):
        got = statuses(raw(b"GET /healthz " + version + b"\r\nHost: localhost\r\n\r\n"))
        assert len(got) == 1 and got[0] in (400, 505), (version, got)


def targets():
    for target in (b"/v1%2fsessions", b"/v1%2Fsessions", b"/a%00b", b"/a%5cb", b"/%2e%2e/x", b"/a%zz", b"/a%4", b"/caf\xc3\xa9", b"/a\\b", b"relative",
                   b"/x?y=%00"):
        refused(raw(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400, "bad_target")
    for target in (b"http://evil.example/healthz", b"http://localhost@evil.example/healthz"):
        got = statuses(raw(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
        assert got == [403], (target, got)
    assert statuses(raw(b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) == [200]


def long_targets_and_heads():
    refused(raw(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"), 414)
    refused(raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n"), 431)
    refused(raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: a\r\n" % i for i in range(101)) + b"\r\n"), 431)
    for huge in (b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 60000 + b"\r\n\r\n"):
        got = statuses(raw(huge))
        assert got in ([414], [431]), got


def garbage_kills_nothing():
    for data in (b"\x00\x01\x02\r\n\r\n", b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n"):
        with connect() as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            read_all(s, 15)  # the head's deadline at the latest; the end of the client's stream mostly
    assert server.call("GET", "/healthz").status == 200


def pipelined_requests_are_answered_in_order():
    data = raw(OK_GET * 20 + OK_GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert statuses(data) == [200] * 21, statuses(data)


def no_state_changes_by_refused_requests():
    raw(post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}", method=b"PUT").replace(b"/v1/sessions", b"/v1/sessions/smuggled"))
    assert server.call("GET", "/v1/sessions/smuggled").status == 404


# ---- bodies ------------------------------------------------------------------------------------

def chunked_bodies_over_the_limit_are_413():
    with connect() as s:
        s.sendall(post(b"Transfer-Encoding: chunked", body=b""))
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        try:
            for _ in range(64):
                s.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        refused(read_all(s), 413)


def a_large_refused_body_still_gets_its_answer():
    for _ in range(5):
        answer = server.call("POST", "/v1/sessions", body=b"x" * 8_000_000)
        assert answer.status == 413, answer.status


def expect_continue():
    with connect() as s:
        s.sendall(post(b"Content-Length: 2", b"Expect: 100-continue", b"Connection: close", body=b""))
        first = s.recv(100)
        assert first.startswith(b"HTTP/1.1 100 "), first
        s.sendall(b"{}")
        assert statuses(read_all(s)) in ([201], [200])
    data = raw(post(b"Content-Length: 9999999", b"Expect: 100-continue", body=b""))
    assert statuses(data) == [413], data


def bodies_byte_by_byte():
    with connect() as s:
        for byte in post(b"Content-Length: 2", b"Connection: close", body=b"{}"):
            s.sendall(bytes([byte]))
        assert statuses(read_all(s)) in ([201], [200])


def half_a_request_then_gone():
    for _ in range(50):
        with connect() as s:
            s.sendall(post(b"Content-Length: 1000", body=b"{"))
    assert server.call("GET", "/healthz").status == 200


# ---- who may ask -------------------------------------------------------------------------------

def hosts():
    for host in ("localhost", "localhost:4242", "LOCALHOST", "127.0.0.1:1", "127.0.0.1", "[::1]:4242", "gradd.example", "Gradd.Example:80"):
        assert get(Host=host)[0] == 200, host
    for host in ("evil.example", "localhost.evil.example", "evil.example:4242", "gradd.example.evil.example", "xgradd.example", "0.0.0.0", "[::]", "10.0.0.1",
                 "localhost:4242:1", "localhost:x", "[::1", "", "user@localhost", "localhost.", "127.0.0.1.nip.io", "2130706433"):
        status, headers, body = get(Host=host)
        assert status == 403 and json.loads(body)["code"] == "forbidden_host", (host, status)


def origins():
    for origin in ("http://localhost", "https://localhost", "https://app.example", "HTTPS://APP.EXAMPLE"):
        status, headers, _ = get(Origin=origin)
        assert status == 200 and headers["access-control-allow-origin"] == origin, origin
        assert "Origin" in headers["vary"]
    assert get(Host="127.0.0.1:7", Origin="http://127.0.0.1:7")[0] == 200
    for origin in ("https://evil.example", "null", "", "https://app.example.evil.example", "https://app.example:8443", "http://app.example", "https://app.exampl",
                   "http://localhost:99", "http://127.0.0.1", "file://", "https://xapp.example"):
        status, headers, body = get(Origin=origin)
        assert status == 403 and json.loads(body)["code"] == "forbidden_origin", (origin, status)
        assert "access-control-allow-origin" not in headers
    assert "access-control-allow-origin" not in get()[1]


def preflight():
    def ask(origin, method="PUT"):
        return server.call("OPTIONS", "/v1/sessions/s", headers={"Host": "localhost", "Origin": origin, "Access-Control-Request-Method": method,
                                                                   "Access-Control-Request-Headers": "authorization,content-type"})
    a = ask("https://app.example")
    assert a.status == 204 and a.headers["access-control-allow-origin"] == "https://app.example" and a.body == b""
    assert "PUT" in a.headers["access-control-allow-methods"] and "authorization" in a.headers["access-control-allow-headers"].lower()
    assert ask("https://evil.example").status == 403


def tokens():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "token")
        with open(path, "w") as f:
            f.write(TOKEN + "\nsecond line\n")
        s = Server("--token-file", path, "--log-level", "error", "--allow-origin", "https://app.example")
        try:
            assert s.get("/healthz")[0] == 200 and s.get("/readyz")[0] == 200
            good = (f"Bearer {TOKEN}", f"bearer {TOKEN}")
            for value in good:
                assert s.get("/version", Authorization=value)[0] == 200, value
            for value in (None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer " + "x" * len(TOKEN),
                          f"Bearer {TOKEN}{TOKEN}", f"Bearer second line"):
                for target in ("/version", "/v1/sessions", "/healthz/../version", "/nothing", "//healthz", "/healthzz"):
                    status, headers, body = s.get(target, **({} if value is None else {"Authorization": value}))
                    assert status == 401 and headers["www-authenticate"].startswith("Bearer"), (value, target, status)
                    assert json.loads(body)["code"] == "unauthorized" and TOKEN.encode() not in body
            a = s.call("OPTIONS", "/version", headers={"Origin": "https://app.example", "Access-Control-Request-Method": "GET"})
            assert a.status == 204
            doubled = b"GET /version HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nAuthorization: Bearer %s\r\n\r\n" % TOKEN.encode()
            assert statuses(s.raw(doubled)) == [400]
        finally:
            assert s.stop() == 0


# ---- answers -----------------------------------------------------------------------------------

def headers_of_every_answer():
    for status, headers, _ in (get(), get("/nothing/here"), get(Host="evil.example")):
        assert headers["x-content-type-options"] == "nosniff" and "date" in headers, headers
        assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"])
    assert get("/healthz")[1]["cache-control"] == "no-store"
    ids = {get()[1]["x-request-id"] for _ in range(50)}
    assert len(ids) == 50


def request_ids():
    small = b"PUT /v1/sessions/ids HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: 0\r\n\r\n"
    assert b"x-request-id" not in raw(small % b"").lower()
    assert b"x-request-id: mine\r\n" in raw(small % b"X-Request-Id: mine\r\n").lower()
    assert b"x-request-id" in raw(b"PUT /v1/sessions/-/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").lower()
    assert get(X_Request_Id="abc-123_x.y:z")[1]["x-request-id"] == "abc-123_x.y:z"
    for bad in ("a b", "x" * 65, 'a"b', "<script>"):
        assert get(X_Request_Id=bad)[1]["x-request-id"] != bad


def the_server_ends_well():
    assert server.stop() == 0


harness.run("raw", [
    smuggling_length_and_chunked, smuggling_chunked_and_length, smuggling_two_lengths, smuggling_chunked_and_identity, smuggling_space_before_colon,
    other_encodings_are_501, chunked_is_case_insensitive, lengths_that_are_no_numbers, lengths_over_the_limit_are_413_at_once,
    header_names_and_values, host_must_be_there_once, methods_and_versions, targets, long_targets_and_heads, garbage_kills_nothing,
    pipelined_requests_are_answered_in_order, no_state_changes_by_refused_requests, chunked_bodies_over_the_limit_are_413,
    a_large_refused_body_still_gets_its_answer, expect_continue, bodies_byte_by_byte, half_a_request_then_gone, hosts, origins, preflight, tokens,
    headers_of_every_answer, request_ids, the_server_ends_well,
])
