#!/usr/bin/env python3
"""Stored functions against the real binary: storing, evaluating, derivatives, binary forms, encodings; and snapshots."""
import concurrent.futures
import gzip
import json
import math
import re
import shutil
import struct
import subprocess
import time

from harness import Server, run

server = Server("--log-level", "error", "--max-body", "4M", "--max-functions", "200", "--program-seconds", "5", "--program-steps", "300000")
tests = []
F = "/v1/functions/"
TEXT = {"Content-Type": "text/plain"}
NPY, SAFE = "application/x-npy", "application/vnd.safetensors"

ROSENBROCK = '''def rosenbrock(x: float64[3]):
    """A curved valley."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
'''
POINT = [1.5, 2, 3]
VALUE, GRADIENT = 107.5, [151, 752, -200]
HESSIAN = [[1902, -600, 0], [-600, 3802, -800], [0, -800, 200]]
TWO = '''def two(x, y):
    return {"sum": (x + y).sum(), "product": x * y}
'''


def test(f):
    tests.append(f)
    return f


def put(name, source, headers=None, status=(200, 201)):
    body, more = (source, {}) if isinstance(source, dict) else (source.encode(), TEXT)
    answer = server.call("PUT", F + name, body, {**more, **(headers or {})})
    assert answer.status in (status if isinstance(status, tuple) else (status,)), (answer.status, answer.body[:800])
    return answer


def post(name, what, body, headers=None, status=200, query=""):
    answer = server.call("POST", f"{F}{name}/{what}{query}", body, headers)
    assert answer.status == status, (what, answer.status, answer.body[:800])
    return answer


def ask(name, what, **fields):
    return post(name, what, fields).json


def fails(answer, status, code, pointer=None, detail=None):
    assert answer.headers["content-type"] == "application/problem+json", (answer.status, answer.headers)
    p = answer.json
    assert (answer.status, p["status"], p["code"]) == (status, status, code), p
    assert pointer is None or p.get("pointer") == pointer, p
    assert detail is None or detail in p["detail"], p
    return p


def refused(name, what, body, status, code, pointer=None, detail=None, headers=None, query=""):
    return fails(server.call("POST", f"{F}{name}/{what}{query}", body, headers), status, code, pointer, detail)


def npy(values, shape=None, descr="<f8"):
    shape = (len(values),) if shape is None else shape
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({''.join(f'{n},' for n in shape)}), }}".ljust(117) + "\n"
    kind = {"<f8": "d", "<f4": "f", "<i8": "q"}[descr]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(values)}{kind}", *values)


def read_npy(data):
    n = struct.unpack("<H", data[8:10])[0]
    head = eval(data[10:10 + n])  # our own server's
    kind = {"<f8": "d", "<f4": "f", "<i8": "q"}[head["descr"]]
    return head["shape"], list(struct.unpack(f"<{(len(data) - 10 - n) // struct.calcsize(kind)}{kind}", data[10 + n:]))


KINDS = {"F64": "d", "F32": "f", "I64": "q", "I32": "i", "U8": "B", "BOOL": "?"}


def safetensors(tensors, metadata=None):
    """{"x": ("F64", [3], [1, 2, 3])} as a file."""
    head, data = {}, b""
    if metadata is not None:
        head["__metadata__"] = metadata
    for name, (dtype, shape, values) in tensors.items():
        part = struct.pack(f"<{len(values)}{KINDS[dtype]}", *values)
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data


def read_safetensors(data):
    n = struct.unpack("<Q", data[:8])[0]
    assert n % 8 == 0
    head = json.loads(data[8:8 + n])
    metadata = head.pop("__metadata__", None)
    out, at = {}, 0
    for name, t in sorted(head.items(), key=lambda item: item[1]["data_offsets"]):
        start, stop = t["data_offsets"]
        kind = KINDS[t["dtype"]]
        assert start == at and start % struct.calcsize(kind) == 0
        at = stop
        out[name] = (t["dtype"], t["shape"], list(struct.unpack(f"<{(stop - start) // struct.calcsize(kind)}{kind}", data[8 + n + start:8 + n + stop])))
    assert at == len(data) - 8 - n
    return out, metadata


# ---- storing -----------------------------------------------------------------------------------

@test
def a_function_is_stored_described_and_removed():
    answer = put("r", ROSENBROCK, status=201)
    assert answer.headers["location"] == F + "r"
    etag = answer.headers["etag"]
    d = answer.json
    assert (d["name"], d["etag"], d["doc"], d["source"], d["captures"]) == ("r", etag, "A curved valley.", ROSENBROCK, []), d
    assert d["inputs"] == [{"name": "x", "kind": "tensor", "dtype": "float64", "shape": [3], "optional": False}], d
    assert d["outputs"] == [{"dtype": "float64", "shape": []}], d
    got = server.call("GET", F + "r")
    assert got.headers["etag"] == etag and got.json["source"] == ROSENBROCK and got.json["version"] == d["version"]
    again = put("r", {"source": ROSENBROCK.replace("100", "1.0")}, status=200)
    assert again.headers["etag"] != etag and again.json["version"] > d["version"] and "location" not in again.headers
    assert server.call("DELETE", F + "r").status == 204
    fails(server.call("DELETE", F + "r"), 404, "unknown_function")
    fails(server.call("GET", F + "r"), 404, "unknown_function")
    refused("r", "gradient", {"inputs": {}}, 404, "unknown_function")


@test
def conditions_are_kept():
    etag = put("c", ROSENBROCK).headers["etag"]
    assert server.call("GET", F + "c", headers={"If-None-Match": etag}).status == 304
    assert server.call("GET", F + "c", headers={"If-None-Match": f'"x", W/{etag}'}).status == 304
    answer = server.call("GET", F + "c", headers={"If-None-Match": "*"})
    assert (answer.status, answer.headers["etag"], answer.body) == (304, etag, b"")
    assert server.call("GET", F + "c", headers={"If-None-Match": '"other"'}).status == 200
    for headers in ({"If-Match": '"other"'}, {"If-None-Match": "*"}, {"If-None-Match": etag}):
        fails(put("c", ROSENBROCK, headers, 412), 412, "precondition_failed")
    assert server.call("GET", F + "c").headers["etag"] == etag
    newer = put("c", ROSENBROCK, {"If-Match": f'"other", {etag}'}, 200).headers["etag"]
    fails(put("c", ROSENBROCK, {"If-Match": etag}, 412), 412, "precondition_failed")
    fails(server.call("DELETE", F + "c", headers={"If-Match": etag}), 412, "precondition_failed")
    assert server.call("DELETE", F + "c", headers={"If-Match": newer}).status == 204
    fails(put("c", ROSENBROCK, {"If-Match": "*"}, 412), 412, "precondition_failed")
    put("c", ROSENBROCK, {"If-None-Match": "*"}, 201)


@test
def lists_come_in_pages():
    for name in ("page.a", "page.b", "page.c"):
        put(name, "def f(x):\n    return x * 2\n")
    first = server.call("GET", "/v1/functions?limit=2&after=page").json
    assert [f["name"] for f in first["functions"]] == ["page.a", "page.b"] and first["next"] == "page.b", first
    assert "source" not in first["functions"][0]
    rest = server.call("GET", "/v1/functions?limit=2&after=page.b").json
    assert rest["functions"][0]["name"] == "page.c"
    for name in ("page.a", "page.b", "page.c"):
        assert server.call("DELETE", F + name).status == 204


@test
def inputs_of_a_put_win_over_annotations():
    d = put("fixed", {"source": "def f(x: float32[2], n: int = 3):\n    return x ** n\n", "inputs": {"x": {"dtype": "float64", "shape": [2, 2]}}}).json
    assert d["inputs"] == [{"name": "x", "kind": "tensor", "dtype": "float64", "shape": [2, 2], "optional": False},
                           {"name": "n", "kind": "int", "dtype": None, "shape": None, "optional": True}], d
    assert ask("fixed", "evaluate", inputs={"x": [[1, 2], [3, 4]]}) == {"outputs": [{"dtype": "float64", "shape": [2, 2], "data": [[1, 8], [27, 64]]}]}
    assert ask("fixed", "evaluate", inputs={"x": [[1, 2], [3, 4]], "n": 1})["outputs"][0]["data"] == [[1, 2], [3, 4]]
    for inputs in ({"z": {}}, {"x": 3}, {"x": {"dtype": "float99"}}, {"x": {"shape": [-1]}}, {"x": {"shape": 2}}, {"x": {"what": 1}}, {"x": {"kind": "list"}}, 3):
        answer = server.call("PUT", F + "fixed", {"source": "def f(x):\n    return x\n", "inputs": inputs})
        assert answer.status == 422, (inputs, answer.body)
    assert server.call("GET", F + "fixed").json["inputs"][0]["shape"] == [2, 2]


@test
def captures_freeze_tensors_of_a_session():
    s = "/v1/sessions/captured"
    server.call("PUT", s)
    server.call("PUT", s + "/tensors/W", {"data": [[1.0, 2.0], [3.0, 4.0]], "requires_grad": True})
    source = "def f(x):\n    return (W @ x).sum()\n"
    d = put("captured", {"source": source, "captures": {"session": "captured", "tensors": ["W"]}}).json
    assert d["captures"] == ["W"]
    server.call("PUT", s + "/tensors/W", {"data": [[0.0]]})
    server.call("DELETE", s)
    assert ask("captured", "gradient", inputs={"x": [1.0, 1.0]}) == {"value": 10, "gradients": {"x": [4, 6]}}
    for captures in ({"session": "captured", "tensors": ["W"]}, {"session": 3, "tensors": []}, {"session": "captured"}, [], {"session": "captured", "tensors": [1]}):
        answer = server.call("PUT", F + "captured2", {"source": source, "captures": captures})
        assert answer.status in (404, 422), (captures, answer.body)
    server.call("PUT", s)
    fails(server.call("PUT", F + "captured2", {"source": source, "captures": {"session": "captured", "tensors": ["W"]}}), 404, "unknown_name", "/captures/tensors/0")


@test
def what_cannot_work_is_refused_when_it_is_stored():
    p = fails(put("bad", "def f(x):\n    return x +\n", status=400), 400, "syntax_error")
    assert p["line"] == 2 and p["column"] > 0
    fails(put("bad", "x = 3\n", status=422), 422, "bad_function")
    p = fails(put("bad", "def f(x: float64[2]):\n    return x + undefined\n", status=422), 422, "program_error", detail="undefined")
    assert p["line"] == 2
    fails(put("bad", "def f(x: float64[2]):\n    return 'text'\n", status=422), 422, "bad_function")
    fails(put("bad", "def f(x: float64[2]):\n    while True:\n        pass\n", status=413), 413, "program_limit")
    fails(put("bad", {"inputs": {}}, status=422), 422, "missing_argument", "/source")
    fails(put("bad", {"source": "def f(x):\n    return x\n", "more": 1}, status=422), 422, "unknown_field", "/more")
    fails(put(".bad", "def f(x):\n    return x\n", status=422), 422, "bad_name")
    fails(server.call("PUT", F + "bad", b"x", {"Content-Type": "image/png"}), 415, "unsupported_media_type")
    fails(server.call("GET", F + "bad"), 404, "unknown_function")
    fails(server.call("POST", F + "bad"), 405, "method_not_allowed")


@test
def there_are_only_so_many():
    small = Server("--log-level", "error", "--max-functions", "2")
    try:
        for name, status in (("a", 201), ("b", 201), ("c", 429), ("b", 200)):
            answer = small.call("PUT", F + name, b"def f(x):\n    return x\n", TEXT)
            assert answer.status == status, (name, answer.body)
        assert small.call("PUT", F + "c", b"def f(x):\n    return x\n", TEXT).json["code"] == "too_many_functions"
    finally:
        assert small.stop() == 0


# ---- evaluating --------------------------------------------------------------------------------

@test
def every_kind_answers():
    put("r", ROSENBROCK)
    x = {"x": POINT}
    y = [{"dtype": "float64", "shape": [], "data": VALUE}]
    assert ask("r", "evaluate", inputs=x) == {"outputs": y}
    assert ask("r", "gradient", inputs=x) == {"value": VALUE, "gradients": {"x": GRADIENT}}
    assert ask("r", "gradient", inputs=x, wrt=["x"]) == ask("r", "gradient", inputs=x, wrt="x") == ask("r", "gradient", inputs=x)
    assert ask("r", "vjp", inputs=x, cotangents=[2]) == {"outputs": y, "gradients": {"x": [2 * g for g in GRADIENT]}}
    assert ask("r", "vjp", inputs=x, cotangents={"0": [1, 2]}) == {"outputs": y, "gradients": {"x": [GRADIENT, [2 * g for g in GRADIENT]]}}
    assert ask("r", "jvp", inputs=x, tangents={"x": [1, 0, 1]}) == {"outputs": y, "tangents": [-49]}
    assert ask("r", "jvp", inputs=x, tangents={"x": [[1, 0, 1], [0, 1, 0]]})["tangents"] == [[-49, 752]]
    assert ask("r", "hvp", inputs=x, vectors={"x": [0, 1, 0]}) == {"value": VALUE, "products": {"x": HESSIAN[1]}}
    assert ask("r", "jacobian", inputs=x) == {"outputs": y, "jacobian": [{"x": GRADIENT}]}
    assert ask("r", "hessian", inputs=x) == {"value": VALUE, "hessian": {"x": {"x": HESSIAN}}}
    report = ask("r", "check", inputs=x)
    assert report["ok"] is True and report["gradcheck"]["ok"] and report["gradgradcheck"]["ok"] and report["detail"] == "", report


@test
def several_outputs_keep_their_names_and_order():
    put("two", TWO)
    inputs = {"x": [1.0, 2.0], "y": [3.0, 4.0]}
    y = [{"name": "sum", "dtype": "float32", "shape": [], "data": 10}, {"name": "product", "dtype": "float32", "shape": [2], "data": [3, 8]}]
    assert ask("two", "evaluate", inputs=inputs) == {"outputs": y}
    assert ask("two", "vjp", inputs=inputs, cotangents=[1, [1, 0]], wrt="x") == {"outputs": y, "gradients": {"x": [4, 1]}}
    assert ask("two", "vjp", inputs=inputs, cotangents={"product": [1, 0]}, wrt="x")["gradients"] == {"x": [3, 0]}
    assert ask("two", "vjp", inputs=inputs, cotangents=[None, [1, 0]])["gradients"] == {"x": [3, 0], "y": [1, 0]}
    assert ask("two", "jvp", inputs=inputs, tangents={"y": [1, 1]})["tangents"] == [2, [1, 2]]
    assert ask("two", "jacobian", inputs=inputs, wrt=["y"])["jacobian"] == [{"y": [1, 1]}, {"y": [[1, 0], [0, 2]]}]
    refused("two", "gradient", {"inputs": inputs}, 422, "not_scalar")
    put("tuple", "def f(x):\n    return x * 2, x.sum()\n")
    assert ask("tuple", "evaluate", inputs={"x": [1.5]})["outputs"] == [{"dtype": "float32", "shape": [1], "data": [3]}, {"dtype": "float32", "shape": [], "data": 1.5}]


@test
def batched_maps_over_the_leading_axis():
    put("r", ROSENBROCK)
    x = {"x": [POINT, [1, 1, 1]]}
    assert ask("r", "evaluate", inputs=x, batched=True)["outputs"][0] == {"dtype": "float64", "shape": [2], "data": [VALUE, 0]}
    assert ask("r", "gradient", inputs=x, batched=True) == {"value": [VALUE, 0], "gradients": {"x": [GRADIENT, [0, 0, 0]]}}
    assert post("r", "gradient", {"inputs": x}, query="?batched=true&wrt=x").json["value"] == [VALUE, 0]
    assert ask("r", "vjp", inputs=x, batched=True, cotangents=[[1, 1]])["gradients"]["x"][0] == GRADIENT
    assert ask("r", "jvp", inputs=x, batched=True, tangents={"x": [[1, 0, 1], [1, 0, 0]]})["tangents"] == [[-49, 0]]
    assert ask("r", "hessian", inputs=x, batched=True)["hessian"]["x"]["x"][0] == HESSIAN
    refused("r", "gradient", {"inputs": {"x": POINT}, "batched": True}, 422, "bad_input", "/inputs/x")


@test
def open_inputs_are_read_as_torch_tensor_reads_them():
    put("open", "def f(x):\n    return x * 2\n")
    assert ask("open", "evaluate", inputs={"x": [1, 2]})["outputs"][0] == {"dtype": "int64", "shape": [2], "data": [2, 4]}
    assert ask("open", "evaluate", inputs={"x": [1.0, 2]})["outputs"][0]["dtype"] == "float32"
    assert ask("open", "evaluate", inputs={"x": 3})["outputs"][0] == {"dtype": "int64", "shape": [], "data": 6}
    # Whole numbers are float32 where a derivative by them is asked for: many clients write 1.0 as 1.
    assert ask("open", "vjp", inputs={"x": [1, 2]}, cotangents=[[1, 1]])["gradients"]["x"] == [2, 2]
    put("indexed", "def f(x, i):\n    return x[i].sum()\n")
    assert ask("indexed", "gradient", inputs={"x": [1, 2, 3], "i": [0, 0]}, wrt="x")["gradients"] == {"x": [2, 0, 0]}


@test
def inputs_that_are_no_tensors():
    put("static", "def f(x: float64, n: int, s: float, up: bool, name: str = 'a'):\n    y = x ** n * s\n    return {name: -y if up else y}\n")
    inputs = {"x": 2, "n": 3, "s": 0.5, "up": True, "name": "out\u00e9\n"}
    assert ask("static", "evaluate", inputs=inputs)["outputs"] == [{"name": "out\u00e9\n", "dtype": "float64", "shape": [], "data": -4}]
    assert ask("static", "gradient", inputs={**inputs, "up": False, "n": 2})["gradients"] == {"x": 2}
    for name, value in (("n", 1.5), ("n", "1"), ("up", 1), ("s", [1]), ("name", 3), ("x", "a"), ("x", {}), ("x", [[1], 2])):
        refused("static", "evaluate", {"inputs": {**inputs, name: value}}, 422, "bad_input", f"/inputs/{name}")
    refused("static", "gradient", {"inputs": inputs, "wrt": ["n"]}, 422, "bad_input", "/wrt")


@test
def numbers_pass_as_they_are():
    put("same", "def f(x: float64):\n    return x * 1\n")
    for v in (5e-324, 1.7976931348623157e308, 0.1, -0.0, 1e22, 123456789.123456789):
        got = ask("same", "evaluate", inputs={"x": v})["outputs"][0]["data"]
        assert got == v and math.copysign(1, got) == math.copysign(1, v), (v, got)
    body = b'{"inputs":{"x":"-Infinity"}}'
    assert post("same", "evaluate", body).json["outputs"][0]["data"] == "-Infinity"
    assert post("same", "evaluate", b'{"inputs":{"x":NaN}}').json["outputs"][0]["data"] == "NaN"


@test
def wrong_inputs_are_named():
    put("r", ROSENBROCK)
    x = {"x": POINT}
    refused("r", "evaluate", {"inputs": {"x": [1, 2]}}, 422, "bad_input", "/inputs/x", "[3]")
    refused("r", "evaluate", {"inputs": {}}, 422, "bad_input", "/inputs/x")
    refused("r", "evaluate", {}, 422, "bad_input", "/inputs/x")
    refused("r", "evaluate", {"inputs": {**x, "z": 1}}, 422, "bad_input", "/inputs/z", "takes x")
    refused("r", "evaluate", {"inputs": {"x": [[1], [2, 3]]}}, 422, "bad_input", "/inputs/x", "expected sequence of length 1")
    refused("r", "evaluate", {"inputs": {"x": None}}, 422, "bad_input", "/inputs/x")
    refused("r", "evaluate", {"inputs": [1]}, 422, "bad_input", "/inputs")
    refused("r", "evaluate", {"inputs": x, "cotangents": [1]}, 422, "unknown_field", "/cotangents")
    refused("r", "gradient", {"inputs": x, "wrt": ["z"]}, 422, "bad_input", "/wrt")
    refused("r", "vjp", {"inputs": x}, 422, "missing_argument", "/cotangents")
    refused("r", "vjp", {"inputs": x, "cotangents": [1, 2]}, 422, "bad_input")
    refused("r", "vjp", {"inputs": x, "cotangents": {"z": 1}}, 422, "bad_input", "/cotangents/z")
    refused("r", "vjp", {"inputs": x, "cotangents": [[[1]]]}, 422, "bad_input")
    refused("r", "jvp", {"inputs": x, "tangents": {}}, 422, "missing_argument", "/tangents")
    refused("r", "jvp", {"inputs": x, "tangents": {"x": [1, 2]}}, 422, "bad_input")
    refused("r", "hvp", {"inputs": x, "vectors": {"z": [1]}}, 422, "bad_input", "/vectors/z")
    put("whole", "def f(i: int64[2]):\n    return i.sum()\n")
    refused("whole", "evaluate", {"inputs": {"i": [1, 2.5]}}, 422, "bad_input", "/inputs/i", "whole numbers")


@test
def malformed_bodies_are_placed():
    put("r", ROSENBROCK)
    for body, line, column in ((b'', None, None), (b'{', 1, 2), (b'{"inputs":{"x":[1,2,3]}', 1, 24), (b'{"inputs":\n{"x":[1,2,3]},}', 2, 15),
                               (b'{"inputs":{"x":[1,2,3}}', 1, 22), (b'{"inputs":{"x":[1,2,3]}} 1', 1, 26), (b'{"inputs":{"x":[1,,3]}}', 1, 19),
                               (b'{"inputs" {"x":1}}', 1, 11), (b'{inputs:1}', 1, 2), (b'{"inputs":{"x":[1,2,3],"x":[1,2,3]}}', None, None),
                               (b'{"inputs":{"x\\u0000":1}}', None, None), (b'{"inputs":{"x\xff":1}}', None, None)):
        p = refused("r", "evaluate", body, 400, "malformed_json")
        assert line is None or (p["line"], p["column"]) == (line, column), (body, p)
    refused("r", "evaluate", b'{"inputs":{"x":' + b"[" * 100 + b"]" * 100 + b"}}", 422, "bad_input")
    refused("r", "evaluate", b"[1]", 422, "bad_argument")
    refused("r", "evaluate", b"x=1", 415, "unsupported_media_type", headers={"Content-Type": "application/x-www-form-urlencoded"})


@test
def what_depends_on_values_is_evaluated_each_time():
    put("branch", "def f(x: float64):\n    if x > 0:\n        return x ** 2\n    return -x\n")
    assert ask("branch", "gradient", inputs={"x": 3})["gradients"] == {"x": 6}
    assert ask("branch", "gradient", inputs={"x": -3})["gradients"] == {"x": -1}
    assert ask("branch", "gradient", inputs={"x": [3, -3]}, batched=True)["gradients"] == {"x": [6, -1]}
    assert server.call("GET", F + "branch").json["dynamic"]


@test
def errors_of_a_run_have_a_place():
    put("late", "def f(x):\n    y = x * 2\n    return y @ y.reshape(3, 3)\n")
    p = refused("late", "evaluate", {"inputs": {"x": [1.0, 2.0]}}, 422, "shape_mismatch", detail="shape '[3, 3]' is invalid for input of size 2")
    assert p["line"] == 3
    put("endless", "def f(x):\n    while True:\n        x = x + 1\n    return x\n", status=(201, 413))


# ---- binary ------------------------------------------------------------------------------------

@test
def npy_in_and_out():
    put("r", ROSENBROCK)
    body = npy([float(v) for v in POINT])
    answer = post("r", "gradient", body, {"Content-Type": NPY, "Accept": NPY})
    assert answer.headers["content-type"] == NPY and read_npy(answer.body) == ((3,), GRADIENT)
    assert post("r", "gradient", body, {"Content-Type": NPY}).json == {"value": VALUE, "gradients": {"x": GRADIENT}}
    assert read_npy(post("r", "hessian", body, {"Content-Type": NPY, "Accept": NPY}).body) == ((3, 3), sum(HESSIAN, []))
    batch = npy([float(v) for v in POINT] * 500, (500, 3))
    answer = post("r", "gradient", batch, {"Content-Type": NPY, "Accept": NPY}, query="?batched=true")
    assert read_npy(answer.body) == ((500, 3), GRADIENT * 500)
    assert read_npy(post("r", "evaluate", batch, {"Content-Type": NPY, "Accept": NPY}, query="?batched=true").body) == ((500,), [VALUE] * 500)
    put("two", TWO)
    refused("two", "evaluate", body, 422, "bad_input", headers={"Content-Type": NPY})
    inputs = {"inputs": {"x": [1.0], "y": [2.0]}}
    refused("two", "evaluate", inputs, 406, "not_acceptable", detail=SAFE, headers={"Accept": NPY})
    assert post("two", "evaluate", inputs, {"Accept": NPY + ", application/json;q=0.1"}).headers["content-type"] == "application/json"
    refused("r", "evaluate", b"\x93NUMPX", 400, "bad_npy", headers={"Content-Type": NPY})
    refused("r", "evaluate", npy([1.0, 2.0]), 422, "bad_input", "/inputs/x", headers={"Content-Type": NPY})
    refused("r", "evaluate", body, 415, "unsupported_media_type", headers={"Content-Type": "application/octet-stream"})
    large = npy([0.5] * 60000, (20000, 3))
    assert len(read_npy(post("r", "gradient", large, {"Content-Type": NPY, "Accept": NPY}, query="?batched=1").body)[1]) == 60000


@test
def safetensors_in_and_out():
    put("two", TWO)
    file = safetensors({"y": ("F32", [2], [3, 4]), "x": ("F32", [2], [1, 2]), "cotangent.product": ("F32", [2], [1, 0])}, {"wrt": "x", "format": "pt"})
    got, _ = read_safetensors(post("two", "vjp", file, {"Content-Type": SAFE, "Accept": SAFE}).body)
    assert got == {"x": ("F32", [2], [3, 0]), "output.sum": ("F32", [], [10]), "output.product": ("F32", [2], [3, 8])}, got
    inputs = {"inputs": {"x": [1.0, 2.0], "y": [3.0, 4.0]}}
    got, _ = read_safetensors(post("two", "evaluate", inputs, {"Accept": SAFE}).body)
    assert got == {"sum": ("F32", [], [10]), "product": ("F32", [2], [3, 8])}, got
    got, _ = read_safetensors(post("two", "jacobian", {**inputs, "wrt": "y"}, {"Accept": SAFE}).body)
    assert got["product.y"] == ("F32", [2, 2], [1, 0, 0, 2]) and got["output.sum"][2] == [10], got
    put("r", ROSENBROCK)
    file = safetensors({"x": ("F64", [3], POINT), "vector.x": ("F64", [3], [0, 1, 0])})
    got, _ = read_safetensors(post("r", "hvp", file, {"Content-Type": SAFE, "Accept": SAFE}).body)
    assert got == {"value": ("F64", [], [VALUE]), "x": ("F64", [3], HESSIAN[1])}, got
    file = safetensors({"x": ("F64", [2, 3], POINT * 2), "tangent.x": ("F64", [2, 3], [1, 0, 1] * 2)}, {"batched": "true"})
    got, _ = read_safetensors(post("r", "jvp", file, {"Content-Type": SAFE, "Accept": SAFE}).body)
    assert got == {"0": ("F64", [2], [-49, -49]), "output.0": ("F64", [2], [VALUE, VALUE])}, got
    put("static", "def f(x: float64, n: int, name: str):\n    return {name: x ** n}\n")
    file = safetensors({"x": ("F64", [], [2])}, {"n": "3", "name": "cube"})
    assert post("static", "evaluate", file, {"Content-Type": SAFE}).json["outputs"] == [{"name": "cube", "dtype": "float64", "shape": [], "data": 8}]
    refused("static", "evaluate", safetensors({"x": ("F64", [], [2])}, {"n": "three", "name": "a"}), 422, "bad_input", "/inputs/n", headers={"Content-Type": SAFE})
    refused("r", "evaluate", safetensors({"z": ("F64", [], [2])}), 422, "bad_input", "/inputs/z", headers={"Content-Type": SAFE})
    refused("r", "evaluate", b"12345678{}", 400, "bad_safetensors", headers={"Content-Type": SAFE})
    refused("r", "vjp", safetensors({"x": ("F64", [3], POINT), "cotangent.1": ("F64", [], [1])}), 422, "bad_input", "/cotangents/1", headers={"Content-Type": SAFE})


# ---- encodings ---------------------------------------------------------------------------------

def zstd(data):
    return subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout


@test
def bodies_may_come_compressed():
    put("r", ROSENBROCK)
    body = json.dumps({"inputs": {"x": POINT}}).encode()
    forms = [("gzip", gzip.compress), ("GZIP", gzip.compress), ("identity", bytes)] + ([("zstd", zstd)] if shutil.which("zstd") else [])
    for name, encode in forms:
        headers = {"Content-Encoding": name, "Content-Type": "application/json"}
        assert post("r", "gradient", encode(body), headers).json["gradients"]["x"] == GRADIENT
        assert server.call("PUT", "/v1/sessions/zipped", encode(b"{}"), headers).status in (200, 201)
        big = npy([1.0] * 20000)
        answer = server.call("PUT", "/v1/sessions/zipped/tensors/x", encode(big), {"Content-Encoding": name, "Content-Type": NPY})
        assert answer.status in (200, 201) and answer.json["numel"] == 20000, answer.body[:300]
        source = encode(ROSENBROCK.encode())
        assert server.call("PUT", F + "zipped", source, {"Content-Encoding": name, "Content-Type": "text/plain"}).status in (200, 201)
        if name != "identity":
            refused("r", "gradient", encode(body)[:-5], 400, "bad_encoding", headers=headers)
            refused("r", "gradient", b"junk", 400, "bad_encoding", headers=headers)
            bomb = encode(bytes(64 << 20))
            assert len(bomb) < 1 << 20
            refused("r", "gradient", bomb, 413, "body_too_large", headers=headers)
    answer = server.call("POST", F + "r/gradient", body, {"Content-Encoding": "br"})
    fails(answer, 415, "unsupported_encoding", detail="br")
    assert answer.headers["accept-encoding"] == "gzip, zstd"


# ---- snapshots ---------------------------------------------------------------------------------

def session(name):
    base = f"/v1/sessions/{name}"
    server.call("DELETE", base)
    server.call("PUT", base)
    return base


@test
def a_session_goes_out_and_comes_back():
    a, b = session("snap"), "/v1/sessions/snap2"
    server.call("DELETE", b)
    source = "import torch\nw = torch.tensor([1., 2.], requires_grad=True)\nn = torch.arange(6).reshape(2, 3)\nt = n.T\ny = (w * 3).sum()\ny.backward(retain_graph=True)\nsame = w\ne = torch.empty(0, 4)\nm = torch.tensor([True, False])\n"
    assert server.call("POST", a + "/run", source.encode(), TEXT).status == 200
    answer = server.call("GET", a + "/snapshot")
    assert answer.status == 200 and answer.headers["content-type"] == SAFE
    tensors, metadata = read_safetensors(answer.body)
    assert metadata == {"format": "gradd", "grad_mode": "grad", "requires_grad": "same", "same": "w=same"}, metadata
    assert tensors["same.grad"] == ("F32", [2], [3, 3]) and tensors["t"] == ("I64", [3, 2], [0, 3, 1, 4, 2, 5]), tensors
    loaded = server.call("PUT", b + "/snapshot", answer.body, {"Content-Type": SAFE})
    assert loaded.status == 201 and loaded.headers["location"] == b, loaded.body
    assert sorted(loaded.json["loaded"]) == ["e", "m", "n", "same", "t", "w", "y"] and loaded.json["renamed"] == {}, loaded.json
    w, same, y = (server.call("GET", f"{b}/tensors/{name}").json for name in ("w", "same", "y"))
    assert w["requires_grad"] and w["is_leaf"] and w["grad"]["data"] == [3, 3] and same["data"] == [1, 2], w
    assert y["data"] == 9 and not y["requires_grad"] and y["is_leaf"], y
    server.call("POST", b + "/run", b"with torch.no_grad():\n    w += 1\n", TEXT)
    assert server.call("GET", b + "/tensors/same/data").json == [2, 3]
    assert read_safetensors(server.call("GET", b + "/snapshot").body)[0].keys() == tensors.keys()
    again = server.call("PUT", b + "/snapshot", answer.body, {"Content-Type": SAFE})
    assert again.status == 200 and server.call("GET", b + "/tensors/w/data").json == [1, 2]
    fails(server.call("GET", "/v1/sessions/none/snapshot"), 404, "unknown_session")


@test
def any_well_formed_file_loads():
    b = session("foreign")
    names = ["model.layers.0.weight", "layers/0:weight", "layers/0_weight", "layers_0_weight", "0", "", "a b", "a-b", "x.data", "w", "w.grad", "v.grad", "\u00e9", "n" * 200, "n" * 201, "weight\n"]
    file = {name: ("F32", [1], [i]) for i, name in enumerate(names)}
    file["w"] = ("F32", [2], [1, 2])  # so that w.grad is none of it
    answer = server.call("PUT", b + "/snapshot", safetensors(file, {"format": "pt"}), {"Content-Type": SAFE})
    assert answer.status == 200, answer.body
    got = answer.json
    assert len(set(got["loaded"])) == len(names) == len(got["loaded"]), got
    for name in got["loaded"]:
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]{0,127}", name), name
        assert server.call("GET", f"{b}/tensors/{name}").status == 200
    assert "model.layers.0.weight" in got["loaded"] and got["renamed"]["0"] == "_0" and got["renamed"][""] == "_", got
    assert got["renamed"]["w.grad"] == "w.grad_" and "layers_0_weight" in got["loaded"] and "layers_0_weight" not in got["renamed"], got
    for name in names:
        bound = got["renamed"].get(name, name)
        assert server.call("GET", f"{b}/tensors/{bound}/data").json == file[name][2], (name, bound)
    put_empty = server.call("PUT", b + "/snapshot", safetensors({}), {"Content-Type": "application/octet-stream"})
    assert put_empty.status == 200 and put_empty.json == {"loaded": [], "renamed": {}}


@test
def a_bad_file_changes_nothing():
    b = session("kept")
    server.call("PUT", b + "/tensors/x", {"data": [7.0]})
    good = safetensors({"x": ("F32", [1], [1]), "z": ("F32", [1], [2])})
    head = json.loads(good[8:8 + struct.unpack("<Q", good[:8])[0]])

    def with_header(change):
        copy = json.loads(json.dumps(head))
        change(copy)
        text = json.dumps(copy).encode()
        return struct.pack("<Q", len(text)) + text + good[-8:]
    wrong = [good[:-1], good + b"x", good[:20], b"", struct.pack("<Q", 1 << 40) + good[8:], struct.pack("<Q", 2 ** 64 - 1) + good[8:],
             with_header(lambda h: h["z"].update(data_offsets=[0, 4])), with_header(lambda h: h["z"].update(data_offsets=[4, 2 ** 62])),
             with_header(lambda h: h["z"].update(shape=[2])), with_header(lambda h: h["z"].update(dtype="F13"))]
    for file in wrong:
        for name in ("kept", "not-there"):
            answer = server.call("PUT", f"/v1/sessions/{name}/snapshot", file, {"Content-Type": SAFE})
            assert answer.json["code"] in ("bad_safetensors", "dtype_mismatch") and answer.status in (400, 422), answer.body
    assert server.call("GET", b + "/tensors/x/data").json == [7]
    assert server.call("GET", b).json["tensors"] == 1
    fails(server.call("GET", "/v1/sessions/not-there"), 404, "unknown_session")
    fails(server.call("PUT", "/v1/sessions/.x/snapshot", good, {"Content-Type": SAFE}), 422, "bad_name")
    fails(server.call("PUT", b + "/snapshot", {"a": 1}), 415, "unsupported_media_type")


@test
def a_snapshot_that_is_too_large_for_the_session_changes_nothing():
    tight = Server("--log-level", "error", "--session-memory", "64k")
    try:
        file = safetensors({"a": ("F32", [100], [1] * 100), "b": ("F32", [100000], [1] * 100000)})
        for status in (503, 503):
            answer = tight.call("PUT", "/v1/sessions/t/snapshot", file, {"Content-Type": SAFE})
            assert answer.status == status and answer.json["code"] == "memory_budget", answer.body
        assert tight.call("GET", "/v1/sessions/t").status == 404
        tight.call("PUT", "/v1/sessions/t")
        tight.call("PUT", "/v1/sessions/t/tensors/a", {"data": [1.0]})
        assert tight.call("PUT", "/v1/sessions/t/snapshot", file, {"Content-Type": SAFE}).status == 503
        assert tight.call("GET", "/v1/sessions/t/tensors/a/data").json == [1]
    finally:
        assert tight.stop() == 0


# ---- many at once ------------------------------------------------------------------------------

@test
def evaluations_run_while_the_function_is_replaced():
    sources = [f"def f(x: float64[4]):\n    return (x * {k}).sum()\n" for k in (2, 3)]
    put("busy", sources[0])

    def work(i):
        if i % 10 == 0:
            put("busy", sources[i // 10 % 2])
            return True
        got = ask("busy", "gradient", inputs={"x": [i, 1, 1, 1]})
        k = got["gradients"]["x"][0]
        return k in (2, 3) and got["value"] == k * (i + 3)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(300)))


@test
def who_leaves_stops_the_evaluation():
    patient = Server("--log-level", "error", "--program-steps", "0", "--program-seconds", "300", "--workers", "1")
    try:
        source = b"def f(x):\n    while x.sum() > 0:\n        x = x + 1\n    return x\n"
        assert patient.call("PUT", F + "endless", source, TEXT).status == 201
        for _ in range(3):  # with one worker, each waits for the one before to end
            with patient.connect() as s:
                body = b'{"inputs":{"x":[1.0]}}'
                s.sendall(b"POST /v1/functions/endless/gradient HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                time.sleep(0.3)
        answer = patient.call("POST", F + "endless/evaluate", {"inputs": {"x": [-1.0]}})
        assert answer.json["outputs"][0]["data"] == [-1], answer.body
    finally:
        assert patient.stop() == 0


@test
def small_evaluations_do_not_wait_for_long_ones():
    crowded = Server("--log-level", "error", "--program-steps", "0", "--program-seconds", "300", "--threads", "1", "--workers", "1")
    try:
        crowded.call("PUT", F + "endless", b"def f(x):\n    while x.sum() > 0:\n        x = x + 1\n    return x\n", TEXT)
        crowded.call("PUT", F + "r", ROSENBROCK.encode(), TEXT)
        body = {"inputs": {"x": POINT}}
        assert crowded.call("POST", F + "r/gradient", body).json["value"] == VALUE  # compiled from here on
        with crowded.connect() as s:
            long = b'{"inputs":{"x":[1.0]}}'
            s.sendall(b"POST /v1/functions/endless/evaluate HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(long), long))
            time.sleep(0.3)
            start = time.monotonic()
            for _ in range(20):
                assert crowded.call("POST", F + "r/gradient", body).json["value"] == VALUE
            assert time.monotonic() - start < 10
    finally:
        assert crowded.stop() == 0


@test
def metrics_count_functions_and_evaluations():
    put("r", ROSENBROCK)

    def metric(name):
        return int(re.search(rf"^{re.escape(name)} (\d+)$", server.call("GET", "/metrics").body.decode(), re.M).group(1))
    ok, bad = 'gradd_evaluations_total{kind="gradient",outcome="ok"}', 'gradd_evaluations_total{kind="gradient",outcome="error"}'
    before = metric(ok), metric(bad)
    ask("r", "gradient", inputs={"x": POINT})
    refused("r", "gradient", {"inputs": {"x": [1]}}, 422, "bad_input")
    assert (metric(ok), metric(bad)) == (before[0] + 1, before[1] + 1)
    assert metric("gradd_compiled_plans") > 0 and metric("gradd_compiled_plan_bytes") > 0
    assert metric("gradd_functions") == len(server.call("GET", "/v1/functions?limit=1000").json["functions"])


@test
def the_server_ends_cleanly():
    assert server.stop() == 0


run("functions", tests)
