#!/usr/bin/env python3
"""A client of Tesseract, written from the protocol's description, against the real binary: every endpoint in every encoding,
and what is told of bad input. Standard library only."""
import base64
import json
import math
import struct

from harness import Server, run

server = Server("--log-level", "error")
LETTERS = {"float32": "f", "float64": "d", "int64": "q", "int32": "i", "uint8": "B", "bool": "?"}

ROSENBROCK = '''def rosenbrock(x: float64[3]):
    """The banana."""
    return {"y": (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()}
'''
LAYER = '''def layer(W: float64[2, 3], x: float64[3], n: int, scale: float = 1.0, flip: bool = False, act: str = "sin"):
    h = W @ x * scale
    h = h.sin() if act == "sin" else h
    return {"h": (-h if flip else h) * n, "norm": (x ** 2).sum(), "count": (x > 0).sum()}
'''
OPEN = "def f(a, b):\n    return a * b\n"
PAIR = "def f(x: float32[2], y: float32[2]):\n    return x * y, x.sum()\n"
WHOLE = "def f(n: int64[2], m: int32[2], u: uint8[2], p: torch.bool[2]):\n    return n + m + u + p\n"
DEEP = "def f(x: float64[2, 2]):\n    return {\"out\": x @ x}\n"


def store(name, source):
    answer = server.call("PUT", f"/v1/functions/{name}", source, {"Content-Type": "text/plain"})
    assert answer.status == 201, answer.body


for name, source in dict(rosenbrock=ROSENBROCK, layer=LAYER, open=OPEN, pair=PAIR, whole=WHOLE, deep=DEEP).items():
    store(name, source)


def flat(v):
    return [w for u in v for w in flat(u)] if isinstance(v, list) else [v]


def shape(v):
    return [len(v)] + (shape(v[0]) if v else []) if isinstance(v, list) else []


def nested(values, sizes):
    if not sizes:
        return values[0]
    step = len(values) // sizes[0] if sizes[0] else 0
    return [nested(values[i * step:(i + 1) * step], sizes[1:]) for i in range(sizes[0])]


def encode(v, encoding="base64", dtype="float64", marked=False):
    """An array as the client sends it: without object_type."""
    values = flat(v)
    buffer = base64.b64encode(struct.pack("<%d%s" % (len(values), LETTERS[dtype]), *values)).decode() if encoding == "base64" else v
    array = {"shape": shape(v), "dtype": dtype, "data": {"buffer": buffer, "encoding": encoding}}
    return {"object_type": "array", **array} if marked else array


def decode(a, dtype="float64"):
    assert sorted(a) == ["data", "dtype", "object_type", "shape"] and a["object_type"] == "array" and a["dtype"] == dtype, a
    assert sorted(a["data"]) == ["buffer", "encoding"]
    if a["data"]["encoding"] == "json":
        assert shape(a["data"]["buffer"]) == a["shape"], a
        return a["data"]["buffer"]
    assert a["data"]["encoding"] == "base64"
    raw = base64.b64decode(a["data"]["buffer"], validate=True)
    values = list(struct.unpack("<%d%s" % (math.prod(a["shape"]), LETTERS[dtype]), raw))
    return nested(values, a["shape"])


class Tesseract:
    """What a client does with a URL: it reads what there is, then posts to it."""

    def __init__(self, name, accept=None, encoding="json"):
        self.base, self.accept, self.encoding = f"/tesseract/{name}", accept, encoding
        self.schema = server.call("GET", self.base + "/openapi.json").json
        self.endpoints = {path.lstrip("/") for path in self.schema["paths"]}

    def call(self, endpoint, **body):
        assert endpoint in self.endpoints
        headers = {"Content-Type": "application/json", **({"Accept": self.accept} if self.accept else {})}
        answer = server.call("POST", f"{self.base}/{endpoint}", json.dumps(body), headers)
        assert answer.status == 200, (endpoint, body, answer.status, answer.body)
        return answer.json

    def inputs(self, values):
        return {k: encode(v, self.encoding) if isinstance(v, list) else v for k, v in values.items()}

    def apply(self, **values):
        return self.call("apply", inputs=self.inputs(values))


def close(a, b, tolerance=1e-9):
    a, b = flat(a), flat(b)
    assert len(a) == len(b) and all(abs(p - q) <= tolerance * (1 + abs(q)) for p, q in zip(a, b)), (a, b)


def details(path, body, *wanted, status=422, headers=None):
    """Each of `wanted` is (type, loc): all of them, in any order."""
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    answer = server.call("POST", f"/tesseract/{path}", text, {"Content-Type": "application/json", **(headers or {})})
    assert answer.status == status, (path, body, answer.status, answer.body)
    assert answer.headers["content-type"] == "application/json" and list(answer.json) == ["detail"]
    got = answer.json["detail"]
    assert all({"type", "loc", "msg", "input"} <= set(d) and isinstance(d["msg"], str) and d["msg"] for d in got), got
    assert sorted((d["type"], d["loc"]) for d in got) == sorted((t, ["body", *loc]) for t, loc in wanted), (body, got)
    return got


X = [0.5, -1.0, 2.0]
W = [[1.0, 2.0, 3.0], [-0.5, 0.25, 0.125]]


def health_and_description():
    assert server.call("GET", "/tesseract/rosenbrock/health").json == {"status": "ok"}
    t = Tesseract("rosenbrock")
    assert t.endpoints == {"health", "apply", "abstract_eval", "jacobian", "jacobian_vector_product", "vector_jacobian_product"}
    assert t.schema["info"]["title"] == "rosenbrock" and "banana" in t.schema["info"]["description"]
    schemas = t.schema["components"]["schemas"]
    assert list(schemas["Apply_InputSchema"]["properties"]) == ["x"] and schemas["Apply_InputSchema"]["required"] == ["x"]
    assert list(schemas["Apply_OutputSchema"]["properties"]) == ["y"]
    assert schemas["ApplyInputSchema"]["differentiable_arrays"] == {"x": {"shape": [3], "dtype": "float64"}}
    assert schemas["ApplyOutputSchema"]["differentiable_arrays"] == {"y": {"shape": [], "dtype": "float64"}}


def description_of_static_and_open_inputs():
    schemas = Tesseract("layer").schema["components"]["schemas"]
    assert list(schemas["Apply_InputSchema"]["properties"]) == ["W", "x", "n", "scale", "flip", "act"]
    assert schemas["Apply_InputSchema"]["required"] == ["W", "x", "n"]
    assert schemas["Apply_InputSchema"]["properties"]["n"] == {"type": "integer"}
    assert list(schemas["ApplyInputSchema"]["differentiable_arrays"]) == ["W", "x"]
    schemas = Tesseract("open").schema["components"]["schemas"]
    assert list(schemas["Apply_InputSchema"]["properties"]) == ["a", "b"]
    assert schemas["ApplyInputSchema"]["differentiable_arrays"]["a"] == {"shape": None, "dtype": None}
    assert Tesseract("whole").endpoints == {"health", "apply", "abstract_eval"}
    schemas = Tesseract("pair").schema["components"]["schemas"]
    assert list(schemas["ApplyOutputSchema"]["differentiable_arrays"]) == ["0", "1"]


def references_in_descriptions_resolve():
    for name in ["rosenbrock", "layer", "open", "whole"]:
        schema = Tesseract(name).schema
        found = []

        def walk(j):
            if isinstance(j, dict):
                found.extend([j["$ref"]] if "$ref" in j else [])
                j = list(j.values())
            for v in j if isinstance(j, list) else []:
                walk(v)

        walk(schema)
        assert found and all(r.rsplit("/", 1)[1] in schema["components"]["schemas"] for r in found), found


def apply_in_every_encoding():
    want = 100 * (-1 - 0.25) ** 2 + 0.25 + 100 * (2 - 1) ** 2 + 4
    for encoding in ["json", "base64", "raw"]:
        for accept in [None, "*/*", "application/json", "application/json+base64"]:
            t = Tesseract("rosenbrock", accept, encoding)
            out = t.apply(x=X)
            close(decode(out["y"]), want)
            assert out["y"]["data"]["encoding"] == ("base64" if accept == "application/json+base64" else "json") and out["y"]["shape"] == []
    t = Tesseract("rosenbrock")
    for x in [X, encode(X, "json", marked=True), encode(X, "base64", marked=True), {**encode(X), "shape": [3]},
              {"shape": [3], "dtype": "float64", "data": {"buffer": X, "encoding": "json", "compression": None}}]:
        close(decode(t.call("apply", inputs={"x": x})["y"]), want)
    answer = server.call("POST", "/tesseract/rosenbrock/apply", {"inputs": {"x": X}}, {"Accept": "application/json+base64"})
    assert answer.headers["content-type"] == "application/json+base64"


def arrays_of_any_shape_and_dtype():
    t = Tesseract("layer")
    out = t.call("apply", inputs={"W": encode(W), "x": encode(X, "json"), "n": 2})
    h = [math.sin(sum(w * v for w, v in zip(row, X))) for row in W]
    close(decode(out["h"]), [2 * v for v in h])
    assert decode(out["count"], "int64") == 2 and out["h"]["shape"] == [2]
    flat_w = {"shape": [2, 3], "dtype": "float64", "data": {"buffer": flat(W), "encoding": "json"}}  # flat where nested is meant
    assert t.call("apply", inputs={"W": flat_w, "x": X, "n": 2}) == out
    assert t.call("apply", inputs={"W": encode(W, dtype="float32"), "x": encode([1, 2, 3], "base64", "int64"), "n": 2})["h"]["dtype"] == "float64"
    whole = {"n": encode([1, 2], "base64", "int64"), "m": encode([3, 4], "json", "int32"), "u": encode([5, 6], "base64", "uint8"),
             "p": encode([True, False], "base64", "bool")}
    assert decode(Tesseract("whole").call("apply", inputs=whole)["0"], "int64") == [10, 12]
    whole.update(n=[1, 2], p=[True, False], u=encode([5, 6], "json", "uint8"))
    assert decode(Tesseract("whole", "application/json+base64").call("apply", inputs=whole)["0"], "int64") == [10, 12]
    out = Tesseract("pair").call("apply", inputs={"x": [1, 2.5], "y": encode([2, 4], "json", "float32")})
    assert decode(out["0"], "float32") == [2.0, 10.0] and decode(out["1"], "float32") == 3.5
    ones = {"W": encode([[1.0, 2.0, 3.0]]), "x": encode([2.0]), "n": 1}  # dimensions of one broadcast
    close(decode(t.call("apply", inputs=ones)["h"]), [math.sin(12)] * 2)


def open_functions_take_what_comes():
    t = Tesseract("open")
    assert decode(t.call("apply", inputs={"a": 2, "b": 3})["0"], "int64") == 6
    assert decode(t.call("apply", inputs={"a": [0.1, 0.2], "b": 3})["0"]) == [0.1 * 3, 0.2 * 3]
    assert decode(t.call("apply", inputs={"a": encode([1.0, 2.0], dtype="float32"), "b": encode([[3.0], [4.0]], dtype="float32")})["0"],
                  "float32") == [[3, 6], [4, 8]]
    assert t.call("abstract_eval", inputs={"a": {"shape": [5, 1], "dtype": "float32"}, "b": {"shape": [4], "dtype": "float32"}}) == \
        {"0": {"shape": [5, 4], "dtype": "float32"}}
    assert decode(t.call("apply", inputs={"a": [], "b": []})["0"]) == []
    out = details("open/apply", {"inputs": {"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]}}, ("value_error", ["inputs"]))
    assert "must match the size" in out[0]["msg"]


def static_inputs_are_plain():
    t = Tesseract("layer")
    base = {"W": W, "x": X}
    one = decode(t.call("apply", inputs={**base, "n": 1, "act": "none"})["h"])
    close(one, [sum(w * v for w, v in zip(row, X)) for row in W])
    close(decode(t.call("apply", inputs={**base, "n": 3, "act": "none", "flip": True, "scale": 2})["h"]), [-6 * v for v in one])
    for key, value, kind in [("n", 1.5, "int_type"), ("n", "1", "int_type"), ("n", None, "int_type"), ("scale", "x", "float_type"),
                             ("flip", 1, "bool_type"), ("act", 3, "string_type"), ("n", [1], "int_type"), ("n", [1] * 100, "int_type")]:
        details("layer/apply", {"inputs": {**base, "n": 1, key: value}}, (kind, ["inputs", key]))


def abstract_eval_reads_no_values():
    t = Tesseract("layer")
    shapes = {"W": {"shape": [2, 3], "dtype": "float64"}, "x": {"shape": [3], "dtype": "float64"}, "n": 4}
    assert t.call("abstract_eval", inputs=shapes) == {"h": {"shape": [2], "dtype": "float64"}, "norm": {"shape": [], "dtype": "float64"},
                                                      "count": {"shape": [], "dtype": "int64"}}
    details("layer/abstract_eval", {"inputs": {**shapes, "x": {"shape": [4], "dtype": "float64"}}}, ("value_error", ["inputs", "x"]))
    details("layer/abstract_eval", {"inputs": {**shapes, "x": {"dtype": "float64"}}}, ("missing", ["inputs", "x", "shape"]))
    details("layer/abstract_eval", {"inputs": {**shapes, "x": [1, 2, 3]}}, ("model_attributes_type", ["inputs", "x"]))
    details("open/abstract_eval", {"inputs": {"a": {"shape": [2 ** 40, 2 ** 40], "dtype": "float64"}, "b": {"shape": [], "dtype": "float64"}}},
            ("value_error", ["inputs", "a"]))


def jacobian_has_both_shapes():
    for accept, encoding in [(None, "json"), ("application/json+base64", "base64")]:
        t = Tesseract("layer", accept, encoding)
        inputs = {**t.inputs({"W": W, "x": X}), "n": 1, "act": "none"}
        out = t.call("jacobian", inputs=inputs, jac_inputs=["x"], jac_outputs=["h", "norm"])
        assert sorted(out) == ["h", "norm"] and list(out["h"]) == ["x"]
        assert out["h"]["x"]["shape"] == [2, 3] and out["norm"]["x"]["shape"] == [3]
        close(decode(out["h"]["x"]), W)
        close(decode(out["norm"]["x"]), [2 * v for v in X])
        out = t.call("jacobian", inputs=inputs, jac_inputs=["W", "x"], jac_outputs=["norm", "h"])
        assert out["h"]["W"]["shape"] == [2, 2, 3] and out["norm"]["W"]["shape"] == [2, 3]
        close(decode(out["h"]["W"]), [[X, [0] * 3], [[0] * 3, X]])
        close(decode(out["norm"]["W"]), [[0] * 3] * 2)
    out = Tesseract("deep").call("jacobian", inputs={"x": [[1.0, 2.0], [3.0, 4.0]]}, jac_inputs=["x"], jac_outputs=["out"])
    assert out["out"]["x"]["shape"] == [2, 2, 2, 2]


def products_agree_with_the_jacobian():
    t = Tesseract("layer", "application/json+base64", "base64")
    inputs = {**t.inputs({"W": W, "x": X}), "n": 3}
    jac = t.call("jacobian", inputs=inputs, jac_inputs=["W", "x"], jac_outputs=["h", "norm"])
    j = {o: {i: flat(decode(jac[o][i])) for i in ["W", "x"]} for o in ["h", "norm"]}
    tangent = {"x": [0.3, -0.2, 0.7], "W": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]}
    rows = {"h": 2, "norm": 1}

    def times(o, i):
        v, m = flat(tangent[i]), j[o][i]
        return [sum(a * b for a, b in zip(m[r * len(v):], v)) for r in range(rows[o])]

    out = t.call("jacobian_vector_product", inputs=inputs, jvp_inputs=["x"], jvp_outputs=["h"], tangent_vector={"x": encode(tangent["x"])})
    assert list(out) == ["h"] and out["h"]["shape"] == [2]
    close(decode(out["h"]), times("h", "x"))
    out = t.call("jacobian_vector_product", inputs=inputs, jvp_inputs=["x", "W"], jvp_outputs=["norm", "h"],
                 tangent_vector={k: encode(v, "json") for k, v in tangent.items()})
    close(decode(out["h"]), [a + b for a, b in zip(times("h", "x"), times("h", "W"))])
    close(decode(out["norm"]), times("norm", "x"))
    cotangent = {"h": [0.5, -2.0], "norm": 3.0}

    def across(o, i):
        n, u = len(flat(tangent[i])), flat([cotangent[o]])
        return [sum(u[r] * j[o][i][r * n + k] for r in range(rows[o])) for k in range(n)]

    out = t.call("vector_jacobian_product", inputs=inputs, vjp_inputs=["W"], vjp_outputs=["h"], cotangent_vector={"h": encode(cotangent["h"])})
    assert list(out) == ["W"] and out["W"]["shape"] == [2, 3]
    close(decode(out["W"]), across("h", "W"))
    out = t.call("vector_jacobian_product", inputs=inputs, vjp_inputs=["x", "W"], vjp_outputs=["norm", "h"], cotangent_vector=cotangent)
    assert sorted(out) == ["W", "x"]
    close(decode(out["x"]), [a + b for a, b in zip(across("h", "x"), across("norm", "x"))])
    close(decode(out["W"]), across("h", "W"))


def missing_and_foreign_fields_are_told():
    body = {"inputs": {"W": W, "x": X, "n": 1}}
    details("layer/apply", {}, ("missing", ["inputs"]))
    details("layer/apply", {"inputs": {}}, ("missing", ["inputs", "W"]), ("missing", ["inputs", "x"]), ("missing", ["inputs", "n"]))
    (d,) = details("layer/apply", {"inputs": {"W": W, "n": 1}}, ("missing", ["inputs", "x"]))
    assert d["msg"] == "Field required" and d["input"] == {"W": W, "n": 1}
    details("layer/apply", {"inputs": {**body["inputs"], "z": 1}}, ("extra_forbidden", ["inputs", "z"]))
    details("layer/apply", {**body, "input": 1}, ("extra_forbidden", ["input"]))
    details("layer/apply", {"inputs": {"W": W, "x": None, "n": True, "z": 0}}, ("value_error", ["inputs", "x"]), ("int_type", ["inputs", "n"]),
            ("extra_forbidden", ["inputs", "z"]))
    for bad in [[], 3, "x", None]:
        details("layer/apply", {"inputs": bad}, ("model_attributes_type", ["inputs"]))
    details("layer/apply", "[]", ("model_attributes_type", []))
    details("layer/apply", "", ("missing", []))


def bad_json_is_told():
    for text, at in [("{\n 'x'", 3), ("{", None), ('{"inputs": ', None), ("nonsense", None), ("3", None), ('{"inputs":{"x":[1,]}}', None)]:
        answer = server.call("POST", "/tesseract/layer/apply", text, {"Content-Type": "application/json"})
        assert answer.status == 422, answer.body
        (d,) = answer.json["detail"]
        assert d["type"] == "json_invalid" and d["msg"] == "JSON decode error" and d["loc"][0] == "body" and isinstance(d["loc"][1], int), d
        assert at is None or d["loc"][1] == at, d


def bad_arrays_are_told():
    at, good = ["inputs", "x"], encode(X)
    data = good["data"]
    for x, *wanted in [
            ("x", ("value_error", at)), (None, ("value_error", at)), ([1.0, "a", 2.0], ("value_error", at)), ([[1.0], [2.0, 3.0]], ("value_error", at)),
            ([1.0, 2.0], ("value_error", at)), ([1.0, 2.0, 3.0, 4.0], ("value_error", at)), (1.0, ("value_error", at)), ([X], ("value_error", at)),
            ({}, ("missing", [*at, "shape"]), ("missing", [*at, "dtype"])),
            ({"shape": [3], "dtype": "float64"}, ("missing", [*at, "data"])),
            ({**good, "more": 1}, ("extra_forbidden", [*at, "more"])),
            ({**good, "object_type": "list"}, ("literal_error", [*at, "object_type"])),
            ({**good, "dtype": "float128"}, ("literal_error", [*at, "dtype"])), ({**good, "dtype": 3}, ("literal_error", [*at, "dtype"])),
            ({**good, "shape": 3}, ("tuple_type", [*at, "shape"])), ({**good, "shape": [3.0]}, ("int_type", [*at, "shape", 0])),
            ({**good, "shape": [-3]}, ("greater_than_equal", [*at, "shape", 0])), ({**good, "shape": [1] * 100}, ("tuple_type", [*at, "shape"])),
            ({**good, "shape": [4]}, ("value_error", [*at, "data", "buffer"])), ({**good, "shape": [2 ** 62, 8]}, ("value_error", [*at, "data", "buffer"])),
            ({**good, "shape": [0, 2 ** 62, 2 ** 62]}, ("value_error", [*at, "data", "buffer"])),
            ({**good, "data": X}, ("model_attributes_type", [*at, "data"])), ({**good, "data": {}}, ("missing", [*at, "data", "encoding"]),
                                                                             ("missing", [*at, "data", "buffer"])),
            ({**good, "data": {**data, "encoding": "binref"}}, ("literal_error", [*at, "data", "encoding"])),
            ({**good, "data": {**data, "encoding": 1}}, ("literal_error", [*at, "data", "encoding"])),
            ({**good, "data": {**data, "compression": "lz4"}}, ("none_required", [*at, "data", "compression"])),
            ({**good, "data": {**data, "buffer": X}}, ("string_type", [*at, "data", "buffer"])),
            ({**good, "data": {**data, "buffer": data["buffer"][:-4]}}, ("value_error", [*at, "data", "buffer"])),
            ({**good, "data": {**data, "buffer": "*" + data["buffer"][1:]}}, ("value_error", [*at, "data", "buffer"])),
            ({**good, "data": {"buffer": "AAAA", "encoding": "json"}}, ("list_type", [*at, "data", "buffer"])),
            ({**good, "data": {"buffer": X + X, "encoding": "json"}}, ("value_error", [*at, "data", "buffer"])),
            (encode([1.0, 2.0, 3.0], "json", "int64"), ("value_error", [*at, "data", "buffer"])),
            (encode([X]), ("value_error", at))]:
        details("layer/apply", {"inputs": {"W": W, "x": x, "n": 1}}, *wanted)
    details("whole/apply", {"inputs": {"n": [1.5, 2], "m": encode([1, 2], "json", "int32"), "u": encode([1, 300], "json", "uint8"), "p": [True, False]}},
            ("value_error", ["inputs", "n"]), ("value_error", ["inputs", "u", "data", "buffer"]))


def bad_names_and_vectors_are_told():
    inputs = {"W": W, "x": X, "n": 1}
    jac = {"inputs": inputs, "jac_inputs": ["x"], "jac_outputs": ["h"]}
    for key, value, *wanted in [("jac_inputs", ["z"], ("literal_error", ["jac_inputs", 0])), ("jac_inputs", ["x", "n"], ("literal_error", ["jac_inputs", 1])),
                                ("jac_inputs", [3], ("literal_error", ["jac_inputs", 0])), ("jac_inputs", "x", ("list_type", ["jac_inputs"])),
                                ("jac_inputs", [], ("too_short", ["jac_inputs"])), ("jac_outputs", ["count"], ("literal_error", ["jac_outputs", 0])),
                                ("jac_outputs", ["x"], ("literal_error", ["jac_outputs", 0])), ("jac_outputs", None, ("list_type", ["jac_outputs"]))]:
        details("layer/jacobian", {**jac, key: value}, *wanted)
    (d,) = details("layer/jacobian", {**jac, "jac_inputs": ["z"]}, ("literal_error", ["jac_inputs", 0]))
    assert d["msg"] == "Input should be 'W' or 'x'" and d["input"] == "z"
    details("layer/jacobian", {"inputs": inputs}, ("missing", ["jac_inputs"]), ("missing", ["jac_outputs"]))
    details("layer/jacobian", {**jac, "inputs": {}}, *[("missing", ["inputs", k]) for k in ["W", "x", "n"]])
    jvp = {"inputs": inputs, "jvp_inputs": ["x"], "jvp_outputs": ["h"], "tangent_vector": {"x": X}}
    vjp = {"inputs": inputs, "vjp_inputs": ["x"], "vjp_outputs": ["h"], "cotangent_vector": {"h": [1.0, 2.0]}}
    for path, body, key, name in [("jacobian_vector_product", jvp, "tangent_vector", "x"), ("vector_jacobian_product", vjp, "cotangent_vector", "h")]:
        details("layer/" + path, {k: v for k, v in body.items() if k != key}, ("missing", [key]))
        details("layer/" + path, {**body, key: [1.0]}, ("dict_type", [key]))
        details("layer/" + path, {**body, key: {}}, ("missing", [key, name]))
        details("layer/" + path, {**body, key: {**body[key], "z": 1.0}}, ("extra_forbidden", [key, "z"]))
        details("layer/" + path, {**body, key: {name: [1.0, 2.0, 3.0, 4.0]}}, ("value_error", [key, name]))
        details("layer/" + path, {**body, key: {name: {**encode([1.0]), "dtype": "x"}}}, ("literal_error", [key, name, "dtype"]))


def exceptions_are_told():
    store("steps", "def f(x: float64[1]):\n    if x[0] > 1000:\n        raise ValueError(\"too far\")\n    return x * 2\n")
    (d,) = details("steps/apply", {"inputs": {"x": [2000.0]}}, ("value_error", ["inputs"]))
    assert "too far" in d["msg"] and "line 3" in d["msg"], d
    assert decode(Tesseract("steps").apply(x=[2.0])["0"]) == [4.0]
    assert server.call("DELETE", "/v1/functions/steps").status == 204


def unknown_functions_are_not_found():
    for method, path in [("GET", "health"), ("GET", "openapi.json"), ("POST", "apply"), ("POST", "jacobian"), ("POST", "abstract_eval")]:
        answer = server.call(method, f"/tesseract/nobody/{path}", "{}" if method == "POST" else None)
        assert answer.status == 404 and answer.json == {"detail": "Not Found"} and answer.headers["content-type"] == "application/json", answer.body


def unknown_paths_are_not_found():
    for method, path in [("GET", "nothing"), ("POST", "open/nothing"), ("GET", "open/health/x"), ("POST", "nobody/x"), ("GET", "")]:
        answer = server.call(method, f"/tesseract/{path}", "{}" if method == "POST" else None)
        assert answer.status == 404 and answer.json == {"detail": "Not Found"} and answer.headers["content-type"] == "application/json", answer.body
    assert server.call("GET", "/tesseract").json["code"] == "not_found"


def what_is_not_finite_passes():
    t = Tesseract("open", "application/json+base64")
    got = decode(t.call("apply", inputs={"a": encode([math.inf, math.nan, 1.0]), "b": 1.0})["0"])
    assert got[0] == math.inf and math.isnan(got[1]) and got[2] == 1
    answer = server.call("POST", "/tesseract/open/apply", '{"inputs":{"a":[NaN,Infinity],"b":1.0}}')
    assert answer.json["0"]["data"]["buffer"] == ["NaN", "Infinity"], answer.body


def large_arrays_pass():
    x = [math.sin(i) for i in range(50000)]
    for encoding, accept in [("json", None), ("base64", "application/json+base64")]:
        t = Tesseract("open", accept)
        assert decode(t.call("apply", inputs={"a": encode(x, encoding), "b": 2.0})["0"]) == [2 * v for v in x]


run("tesseract", [health_and_description, description_of_static_and_open_inputs, references_in_descriptions_resolve, apply_in_every_encoding,
                  arrays_of_any_shape_and_dtype, open_functions_take_what_comes, static_inputs_are_plain, abstract_eval_reads_no_values,
                  jacobian_has_both_shapes, products_agree_with_the_jacobian, missing_and_foreign_fields_are_told, bad_json_is_told,
                  bad_arrays_are_told, bad_names_and_vectors_are_told, exceptions_are_told, unknown_functions_are_not_found, unknown_paths_are_not_found, what_is_not_finite_passes, large_arrays_pass])
