#!/usr/bin/env python3
"""The wire contract against the real binary: resources, tensors, ops, autograd, errors. One server, a session a test."""
import json
import math
import struct

from harness import Server, run

server = Server("--log-level", "error", "--max-body", "64M")
tests = []


def test(f):
    tests.append(f)
    return f


class Session:
    def __init__(self, name):
        self.base = f"/v1/sessions/{name}"
        server.call("DELETE", self.base)
        assert server.call("PUT", self.base).status == 201

    def call(self, method, path, body=None, headers=None, status=None):
        answer = server.call(method, self.base + path, body, headers)
        if status is not None:
            assert answer.status == status, (answer.status, answer.body[:500])
        elif answer.status >= 400:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.body[:500]}")
        return answer

    def put(self, name, data, **more):
        return self.call("PUT", f"/tensors/{name}", {"data": data, **more}).json

    def op(self, op, *args, out=None, status=201, **kwargs):
        body = {"op": op, "args": list(args), "kwargs": kwargs}
        if out is not None:
            body["out"] = out
        return self.call("POST", "/ops", body, status=status).json

    def get(self, name):
        return self.call("GET", f"/tensors/{name}").json

    def problem(self, method, path, body, status, code=None, text=None, headers=None):
        p = self.call(method, path, body, headers, status=status)
        return check_problem(p, status, code, text)


def check_problem(answer, status, code=None, text=None):
    assert answer.status == status, (answer.status, answer.body[:500])
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.headers
    p = answer.json
    for field in ("type", "title", "status", "detail", "code", "instance"):
        assert field in p, (field, p)
    assert p["status"] == status and p["type"] == "/problems/" + p["code"], p
    assert code is None or p["code"] == code, p
    assert text is None or text in p["detail"], p
    return p


@test
def sessions_are_created_listed_described_and_deleted():
    server.call("DELETE", "/v1/sessions/crud")
    a = server.call("POST", "/v1/sessions", {"name": "crud", "ttl_seconds": 60})
    assert a.status == 201 and a.headers["location"] == "/v1/sessions/crud", (a.status, a.headers)
    assert server.call("PUT", "/v1/sessions/crud").status == 200
    info = server.call("GET", "/v1/sessions/crud").json
    assert info["name"] == "crud" and info["grad_mode"] == "grad" and "created" in info and "last_used" in info, info
    made = server.call("POST", "/v1/sessions", {})
    assert made.status == 201 and made.headers["location"].startswith("/v1/sessions/")
    names = [s["name"] for s in server.call("GET", "/v1/sessions").json["sessions"]]
    assert "crud" in names and names == sorted(names)
    page = server.call("GET", "/v1/sessions?limit=1").json
    assert len(page["sessions"]) == 1 and page["next"] is not None
    after = server.call("GET", f"/v1/sessions?limit=1000&after={page['next']}").json
    assert after["next"] is None and page["sessions"][0]["name"] not in [s["name"] for s in after["sessions"]]
    assert server.call("DELETE", "/v1/sessions/crud").status == 204
    check_problem(server.call("DELETE", "/v1/sessions/crud"), 404)
    check_problem(server.call("GET", "/v1/sessions/crud"), 404)
    assert server.call("PUT", "/v1/sessions/-bad").status in (400, 422)
    assert server.call("PUT", "/v1/sessions/" + "a" * 129).status in (400, 422)


@test
def tensor_documents_have_the_contract_fields_in_order():
    s = Session("doc")
    s.put("x", [2.0])
    s.put("w", [2.1], requires_grad=True)
    doc = s.op("mul", "x", "w", out="y")["outputs"][0]
    want = ["name", "dtype", "shape", "stride", "numel", "nbytes", "is_leaf", "requires_grad", "retains_grad", "is_view", "version",
            "grad_fn", "output_nr", "data", "grad", "repr"]
    assert list(doc) == want, list(doc)
    assert doc["data"] == [4.2] and doc["grad_fn"]["name"] == "MulBackward0" and doc["grad_fn"]["id"].startswith("n"), doc
    assert doc["repr"] == "tensor([4.2000], grad_fn=<MulBackward0>)", doc["repr"]
    assert not doc["is_leaf"] and doc["requires_grad"] and doc["dtype"] == "float32" and doc["nbytes"] == 4


@test
def dtypes_are_inferred_as_torch_tensor_does():
    s = Session("infer")
    for data, dtype, shape in ((1, "int64", []), (1.5, "float32", []), (True, "bool", []), ([1, 2.5], "float32", [2]), ([True, 2], "int64", [2]),
                               ([], "float32", [0]), ([[1], [2]], "int64", [2, 1]), (["NaN", "Infinity"], "float32", [2])):
        doc = s.put("t", data)
        assert (doc["dtype"], doc["shape"]) == (dtype, shape), (data, doc)
    assert s.put("t", [1, 2], dtype="float64")["data"] == [1.0, 2.0]
    assert s.call("PUT", "/tensors/t", '{"data":[NaN,Infinity,-Infinity]}').json["data"] == ["NaN", "Infinity", "-Infinity"]
    assert "0.1," in s.call("PUT", "/tensors/t", '{"data":[0.1,0.2]}').body.decode()


@test
def a_rebound_name_is_200_and_graphs_keep_the_old_tensor():
    s = Session("rebind")
    assert s.call("PUT", "/tensors/w", {"data": 3.0, "requires_grad": True}).status == 201
    s.op("mul", "w", "w", out="y")
    assert s.call("PUT", "/tensors/w", {"data": 5.0, "requires_grad": True}).status == 200
    s.call("POST", "/backward", {"tensors": "y"}, status=200)
    assert s.get("w")["grad"] is None


@test
def binary_values_go_in_and_out():
    s = Session("binary")
    raw = struct.pack("<6d", *range(6))
    s.call("PUT", "/tensors/a?dtype=float64&shape=2,3&requires_grad=true", raw, {"Content-Type": "application/octet-stream"}, status=201)
    doc = s.get("a")
    assert doc["shape"] == [2, 3] and doc["data"] == [[0, 1, 2], [3, 4, 5]] and doc["requires_grad"]
    assert s.call("GET", "/tensors/a/data", headers={"Accept": "application/octet-stream"}).body == raw
    npy = s.call("GET", "/tensors/a/data", headers={"Accept": "application/x-npy"})
    assert npy.headers["content-type"] == "application/x-npy" and npy.body[:6] == b"\x93NUMPY" and npy.body.endswith(raw)
    s.call("PUT", "/tensors/b", npy.body, {"Content-Type": "application/x-npy"}, status=201)
    assert s.get("b")["data"] == doc["data"] and s.get("b")["dtype"] == "float64"
    assert s.call("GET", "/tensors/b/data").json == doc["data"]
    s.call("PUT", "/tensors/e?dtype=float32&shape=0,3", b"", {"Content-Type": "application/octet-stream"}, status=201)
    assert s.get("e")["shape"] == [0, 3]
    s.problem("PUT", "/tensors/c?dtype=float64&shape=7", raw, 422, headers={"Content-Type": "application/octet-stream"})
    s.problem("PUT", "/tensors/c", b"\x93NUMPY\x01\x00\xff\xff{", 400, headers={"Content-Type": "application/x-npy"})
    s.problem("PUT", "/tensors/c", "{}", 415, headers={"Content-Type": "text/plain"})
    s.problem("GET", "/tensors/c", None, 404)


@test
def big_tensors_show_data_only_when_asked():
    s = Session("big")
    s.op("zeros", [1001], out="z")
    assert "data" not in s.get("z")
    assert len(s.call("GET", "/tensors/z?data=full").json["data"]) == 1001
    s.op("zeros", [1000], out="z")
    assert len(s.get("z")["data"]) == 1000
    assert "data" not in s.call("GET", "/tensors/z?data=none").json


@test
def the_notebook_runs():
    s = Session("notebook")
    s.put("x", [2.0])
    s.op("randn", 1, requires_grad=True, out="w")
    s.op("randn", 1, requires_grad=True, out="b")
    s.op("mul", "x", "w", out="y")
    s.op("add", "y", "b", out="z")
    assert s.call("POST", "/backward", {"tensors": "z", "retain_graph": True}).json == {"accumulated": ["b", "w"]}
    assert s.get("w")["grad"] == {"dtype": "float32", "shape": [1], "data": [2.0]} and s.get("b")["grad"]["data"] == [1.0]
    assert s.get("y")["grad"] is None
    s.call("POST", "/backward", {"tensors": ["z"]})
    p = s.problem("POST", "/backward", {"tensors": "z"}, 409, "graph_freed", "Trying to backward through the graph a second time")
    assert s.get("w")["grad"]["data"] == [4.0], p


@test
def a_failed_backward_accumulates_nothing():
    s = Session("atomic")
    s.put("x", 1.0, requires_grad=True)
    s.put("w", 3.0, requires_grad=True)
    s.op("mul", "w", "w", out="ww")
    s.op("add", "x", 1, out="x1")
    s.op("add", "x1", "ww", out="z")
    s.call("POST", "/backward", {"tensors": "z"})
    s.problem("POST", "/backward", {"tensors": "z"}, 409, "graph_freed")
    assert s.get("x")["grad"]["data"] == 1.0 and s.get("w")["grad"]["data"] == 6.0


@test
def state_errors_are_409_with_pytorch_s_words():
    s = Session("conflict")
    s.put("w", [1.0, 2.0], requires_grad=True)
    s.put("c", [1.0, 2.0])
    s.problem("POST", "/ops", {"op": "add_", "args": ["w", 1]}, 409, None, "a leaf Variable that requires grad is being used in an in-place operation.")
    assert s.get("w")["version"] == 0 and s.get("w")["data"] == [1.0, 2.0]
    s.op("__getitem__", "w", [0], out="v")
    s.problem("POST", "/ops", {"op": "mul_", "args": ["v", 2]}, 409, None, "a view of a leaf Variable that requires grad is being used in an in-place operation.")
    s.op("exp", "w", out="e")
    s.op("sum", "e", out="l")
    s.op("add_", "e", 1)
    p = s.problem("POST", "/backward", {"tensors": "l"}, 409, "version_mismatch",
                  "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [2]], "
                  "which is output 0 of ExpBackward0, is at version 1; expected version 0 instead.")
    s.problem("POST", "/backward", {"tensors": "c", "grad_tensors": [[1, 1]]}, 409, None, "element 0 of tensors does not require grad and does not have a grad_fn")
    s.problem("PATCH", "/tensors/e", {"requires_grad": False}, 409, None, "you can only change requires_grad flags of leaf variables.")
    s.problem("PATCH", "/tensors/c", {"retains_grad": True}, 409, None, "can't retain_grad on Tensor that has requires_grad=False")
    assert p["instance"].startswith("/v1/sessions/conflict/backward")


@test
def wrong_requests_are_422_and_change_nothing():
    s = Session("wrong")
    s.put("x", [1.0, 2.0, 3.0], requires_grad=True)
    s.put("i", [1, 2])
    s.problem("POST", "/backward", {"tensors": "x"}, 422, None, "grad can be implicitly created only for scalar outputs")
    s.problem("POST", "/ops", {"op": "add", "args": ["x", "i"], "out": "z"}, 422, "shape_mismatch",
              "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0")
    s.problem("GET", "/tensors/z", None, 404)
    s.problem("POST", "/ops", {"op": "frobnicate", "args": ["x"]}, 422, "unknown_op")
    s.problem("POST", "/ops", {"op": "mul", "args": ["x"]}, 422, "missing_argument")
    s.problem("POST", "/ops", {"op": "mul", "args": ["x", "x"], "kwargs": {"bogus": 1}}, 422)
    s.problem("POST", "/ops", {"op": "mul", "args": ["x", "nope"]}, 404, "unknown_name")
    s.problem("POST", "/ops", {"op": "mul", "args": ["x", "x"], "out": "a.grad"}, 422)
    s.problem("PUT", "/tensors/t", {"data": [1], "requires_grad": True}, 422, None, "Only Tensors of floating point and complex dtype can require gradients")
    s.problem("PUT", "/tensors/t", {"data": [[1, 2], [3]]}, 422, None, "expected sequence of length 2 at dim 1 (got 1)")
    s.problem("PUT", "/tensors/t", {"data": [1], "dtype": "float99"}, 422)
    s.problem("PUT", "/tensors/t", {"dtype": "float32"}, 422, "missing_argument")
    s.problem("PUT", "/tensors/x.grad", {"data": [1]}, 422)
    s.problem("PATCH", "/tensors/i", {"requires_grad": True}, 422, None, "only Tensors of floating point dtype can require gradients")
    for shape in ([2**62, 2**62], [2**40, 2**40], [-1], [2**63]):
        s.problem("POST", "/ops", {"op": "zeros", "args": [shape]}, 422)
    s.problem("POST", "/ops", {"op": "sum", "args": ["x", 3]}, 422, None, "Dimension out of range (expected to be in range of [-1, 0], but got 3)")
    assert s.call("GET", "/tensors").json["tensors"] and len(s.call("GET", "/tensors").json["tensors"]) == 2


@test
def malformed_bodies_are_400():
    s = Session("malformed")
    for body in ("{", '{"data":[1,}', '{"data":[1]', "[1,2", '{"data":1,"data":2}', '{"data":"\\u0000"}', "nul", "{'data':1}", '{"data":[1]}x', b'\xff\xfe{"data":1}'):
        a = server.call("PUT", s.base + "/tensors/t", body, {"Content-Type": "application/json"})
        assert a.status in (400, 422), (body, a.status)
        check_problem(a, a.status)
    deep = '{"data":' + "[" * 100 + "1" + "]" * 100 + "}"
    a = server.call("PUT", s.base + "/tensors/t", deep, {"Content-Type": "application/json"})
    assert a.status in (400, 422), a.status
    a = server.call("PUT", s.base + "/tensors/t", "[" * 2_000_000, {"Content-Type": "application/json"})
    check_problem(a, 400)


@test
def bodies_over_the_limit_are_413():
    s = Session("limit")
    answer = server.call("PUT", s.base + "/tensors/t", b"", {"Content-Type": "application/json", "Content-Length": str(1 << 40)})
    check_problem(answer, 413)


@test
def unknown_paths_and_methods():
    check_problem(server.call("GET", "/nope"), 404)
    a = server.call("PATCH", "/v1/sessions/x")
    check_problem(a, 405)
    allow = {m.strip() for m in a.headers["allow"].split(",")}
    assert {"GET", "PUT", "DELETE"} <= allow, allow
    a = server.call("DELETE", "/healthz")
    assert a.status == 405 and "GET" in a.headers["allow"]


@test
def a_batch_of_ops_runs_in_order_and_stops_at_the_first_failure():
    s = Session("batch")
    a = s.call("POST", "/ops", [{"op": "ones", "args": [2], "out": "a"}, {"op": "mul", "args": ["a", 3], "out": "b"}], status=201).json
    assert [x["outputs"][0]["data"] for x in a] == [[1, 1], [3, 3]]
    p = s.problem("POST", "/ops", [{"op": "add", "args": ["a", 1], "out": "c"}, {"op": "add", "args": ["a", 2], "out": "d"}, {"op": "mul", "args": ["a", "gone"]}], 404)
    assert p["pointer"].startswith("/2"), p
    assert s.get("d")["data"] == [3, 3]


@test
def fresh_names_values_and_several_outputs():
    s = Session("outputs")
    s.put("x", [3.0, 1.0, 2.0], requires_grad=True)
    assert s.op("exp", "x")["outputs"][0]["name"] == "_1"
    assert s.op("item", 2.5) == {"value": 2.5} and s.op("allclose", "x", "x") == {"value": True}
    a = s.op("max", "x", 0, out=["v", "i"])["outputs"]
    assert [o["name"] for o in a] == ["v", "i"] and a[0]["data"] == 3.0 and a[1]["dtype"] == "int64"
    parts = s.op("unbind", "x")["outputs"]
    assert len(parts) == 3 and [p["output_nr"] for p in parts] == [0, 1, 2] and parts[1]["is_view"]
    s.problem("POST", "/ops", {"op": "max", "args": ["x", 0], "out": ["v"]}, 422)
    s.op("__getitem__", "x", [{"slice": [None, None, 2]}], out="y")
    assert s.get("y")["data"] == [3.0, 2.0] and s.get("y")["stride"] == [2]
    s.op("__setitem__", "_1", [0], 7.0)
    assert s.get("_1")["data"][0] == 7.0 and s.get("_1")["grad_fn"]["name"] == "CopySlices"
    assert s.op("nn.functional.relu", [-1.0, 2.0])["outputs"][0]["data"] == [0.0, 2.0]
    assert s.op("T", [[1, 2]])["outputs"][0]["shape"] == [2, 1]


@test
def grad_mode_of_the_session_and_of_one_request():
    s = Session("mode")
    s.put("w", 2.0, requires_grad=True)
    assert s.call("GET", "/grad-mode").json == {"mode": "grad"}
    a = s.call("POST", "/ops", {"op": "mul", "args": ["w", 2], "out": "y", "grad_mode": "no_grad"}).json["outputs"][0]
    assert not a["requires_grad"] and s.op("mul", "w", 2)["outputs"][0]["requires_grad"]
    assert s.call("PUT", "/grad-mode", {"mode": "no_grad"}, status=200).json == {"mode": "no_grad"}
    assert not s.op("mul", "w", 2)["outputs"][0]["requires_grad"]
    assert s.op("rand", 1, requires_grad=True)["outputs"][0]["requires_grad"]
    s.call("PUT", "/grad-mode", {"mode": "inference"})
    s.op("mul", "w", 2, out="inf")
    s.call("PUT", "/grad-mode", {"mode": "grad"})
    s.problem("POST", "/ops", {"op": "mul", "args": ["w", "inf"]}, 409, None, "Inference tensors cannot be saved for backward.")
    s.problem("PUT", "/grad-mode", {"mode": "sideways"}, 422)


@test
def data_and_grad_are_parts_with_their_own_rules():
    s = Session("parts")
    s.put("x", 3.0, requires_grad=True)
    s.op("mul", "x", "x", out="y")
    s.call("PUT", "/tensors/x/data", {"data": 10.0}, status=200)
    assert s.get("x")["version"] == 0
    s.call("POST", "/backward", {"tensors": "y"})
    assert s.get("x")["grad"]["data"] in (6.0, 20.0)
    assert s.call("GET", "/tensors/x/grad").status == 200
    s.call("DELETE", "/tensors/x/grad", status=204)
    assert s.call("GET", "/tensors/x/grad").status == 204
    s.call("PUT", "/tensors/x/grad", {"data": 1.5})
    assert s.call("GET", "/tensors/x/grad").json == 1.5
    s.problem("PUT", "/tensors/x/grad", {"data": [1.0, 2.0]}, 422, None, "assigned grad has data of a different size")
    s.op("mul_", "x.data", 2)
    assert s.get("x")["data"] == 20.0
    s.call("DELETE", "/tensors/x", status=204)
    s.problem("GET", "/tensors/x", None, 404)


@test
def gradients_of_gradients():
    s = Session("higher")
    s.put("x", 2.0, requires_grad=True)
    s.op("pow", "x", 3, out="y")
    values = []
    for name in ("g1", "g2", "g3"):
        a = s.call("POST", "/grad", {"outputs": "y" if name == "g1" else values[-1], "inputs": "x", "create_graph": True, "out": [name]}).json
        values.append(name)
        assert a["grads"][0]["name"] == name
    assert [s.get(n)["data"] for n in values] == [12.0, 12.0, 6.0] and s.get("x")["grad"] is None
    s.put("u", 1.0, requires_grad=True)
    s.problem("POST", "/grad", {"outputs": ["g1"], "inputs": ["u"]}, 409, None, "One of the differentiated Tensors appears to not have been used in the graph.")
    assert s.call("POST", "/grad", {"outputs": ["g1"], "inputs": ["u"], "allow_unused": True}).json["grads"] == [None]
    s.put("v", [1.0, 2.0, 3.0], requires_grad=True)
    s.op("mul", "v", "v", out="sq")
    eye = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    a = s.call("POST", "/grad", {"outputs": ["sq"], "inputs": ["v"], "grad_outputs": [eye], "is_grads_batched": True}).json
    assert a["grads"][0]["data"] == [[2, 0, 0], [0, 4, 0], [0, 0, 6]], a


@test
def cotangents_of_different_depths_are_read_from_long_text():
    s = Session("depths")
    s.put("a", [[1.0] * 5] * 10, requires_grad=True)
    s.put("b", 3.0, requires_grad=True)
    s.op("mul", "a", 2, out="y")
    s.op("mul", "b", 2, out="z")
    long = [[0.1234567890123456] * 5] * 10
    for seeds in ([long, 4.0], [4.0, long]):
        outputs = ["y", "z"] if seeds[1] == 4.0 else ["z", "y"]
        a = s.call("POST", "/grad", {"outputs": outputs, "inputs": ["a", "b"], "grad_outputs": seeds, "retain_graph": True}).json["grads"]
        assert a[1]["data"] == 8.0 and abs(a[0]["data"][9][4] - 0.2469135780246912) < 1e-7, a


@test
def hooks_record():
    s = Session("hooks")
    s.put("x", 2.0, requires_grad=True)
    s.op("mul", "x", 3, out="a")
    s.op("mul", "x", 5, out="b")
    s.op("add", "a", "b", out="y")
    a = s.call("POST", "/tensors/x/hooks", {"record": True}, status=201).json
    s.call("POST", "/backward", {"tensors": "y"})
    h = s.call("GET", f"/hooks/{a['id']}").json
    assert h["id"] == a["id"] and h["kind"] == "record" and len(h["calls"]) == 1, h
    call = h["calls"][0]
    assert (call if not isinstance(call, dict) else call["data"]) == 8.0, h
    assert len(s.call("GET", "/tensors/x/hooks").json["hooks"]) == 1
    s.call("DELETE", f"/hooks/{a['id']}", status=204)
    s.problem("GET", f"/hooks/{a['id']}", None, 404)
    s.put("c", 1.0)
    s.problem("POST", "/tensors/c/hooks", {"record": True}, 409, None, "cannot register a hook on a tensor that doesn't require gradient")


@test
def the_graph_can_be_walked():
    s = Session("graph")
    s.put("x", [1.0], requires_grad=True)
    s.op("mul", "x", "x", out="m")
    s.op("mul", 3, "x", out="t")
    s.op("add", "m", "t", out="z")
    g = s.call("GET", "/graph?of=z").json
    nodes = {n["id"]: n for n in g["nodes"]}
    root = nodes[g["roots"][0]]
    assert root["name"] == "AddBackward0" and [nodes[i]["name"] for i, _ in root["next"]] == ["MulBackward0", "MulBackward0"], g
    m, t = (nodes[i] for i, _ in root["next"])
    assert m["next"][0] == m["next"][1] and nodes[m["next"][0][0]]["name"] == "AccumulateGrad" and nodes[m["next"][0][0]]["tensor"] == "x"
    assert t["next"][0] == [None, 0] or t["next"][1] == [None, 0], t
    assert sorted(m["saved"]) == ["other", "self"] and m["freed"] is False
    node = s.call("GET", f"/nodes/{g['roots'][0]}").json
    assert node["name"] == "AddBackward0" and len(node["next_functions"]) == 2
    assert "digraph" in s.call("GET", "/graph?of=z&format=dot").body.decode()
    assert s.call("GET", "/graph?format=mermaid").body.decode().startswith(("graph", "flowchart"))
    s.call("POST", "/backward", {"tensors": "z"})
    assert any(n["freed"] for n in s.call("GET", "/graph?of=z").json["nodes"])
    s.problem("GET", "/nodes/n999999", None, 404)


@test
def the_service_describes_itself():
    assert server.call("GET", "/healthz").status == 200 and server.call("GET", "/readyz").status == 200
    metrics = server.call("GET", "/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4") and b"# TYPE" in metrics.body
    assert "version" in server.call("GET", "/version").json
    api = server.call("GET", "/openapi.json").json
    assert api["openapi"].startswith("3.1") and "/v1/sessions/{s}/ops" in api["paths"] 
    ops = server.call("GET", "/v1/ops?limit=1000").json
    assert ops["next"] is None and {"add", "randn", "__getitem__"} <= {o["name"] for o in ops["ops"]}
    assert {"float16", "bfloat16", "int16", "int8", "float64", "bool"} <= set(ops["dtypes"]) and "complex64" in ops["note"]
    op = server.call("GET", "/v1/ops/add").json
    assert op["signature"].startswith("add(Tensor self, Tensor other") and op["doc"] and op["differentiable"] is True and op["inplace"]
    check_problem(server.call("GET", "/v1/ops/nope"), 404)
    assert server.call("GET", "/problems/graph_freed").status == 200
    assert server.call("HEAD", "/healthz").body == b""


@test
def numbers_survive_the_round_trip():
    s = Session("numbers")
    values = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 2**53 + 1.0, 1 / 3]
    got = s.put("d", values, dtype="float64")["data"]
    assert [struct.pack("<d", v) for v in got] == [struct.pack("<d", v) for v in values], got
    assert s.put("i", [2**63 - 1, -(2**63)])["data"] == [2**63 - 1, -(2**63)]
    assert math.copysign(1, s.get("d")["data"][1]) == -1


@test
def narrow_dtypes_travel_in_every_form():
    s = Session("narrow")
    x = s.put("h", [0.1, 65504.0, 6e-8, 70000.0, -2.5], dtype="float16")
    assert x["data"] == [0.1, 65500, 6e-08, "Infinity", -2.5], x["data"]
    assert x["nbytes"] == 10 and x["repr"].endswith("dtype=torch.float16)"), x
    for bits in (0x0001, 0x03FF, 0x0400, 0x3C01, 0x7BFF, 0xFBFF, 0x2E66):
        raw = struct.pack("<H", bits)
        s.call("PUT", f"/tensors/b{bits}?dtype=float16&shape=1", raw, {"Content-Type": "application/octet-stream"}, status=201)
        text = s.get(f"b{bits}")["data"]
        s.put(f"c{bits}", text, dtype="half")
        same = s.call("GET", f"/tensors/c{bits}/data", headers={"Accept": "application/octet-stream"}).body
        assert same == raw and len(repr(abs(text[0]))) <= 10, (hex(bits), text, same)
    b = s.put("b", [0.1, 3.0e38, 1.0, -0.0], dtype="bfloat16")
    assert b["data"] == [0.1, 3e38, 1, 0], b["data"]
    s.call("PUT", "/tensors/c", {"data": [[1, -2], [127, -128]], "dtype": "int8"}, status=201)
    s.call("PUT", "/tensors/s", {"data": [1, -32768], "dtype": "int16"}, status=201)
    for name, descr, raw in (("h", b"'<f2'", 10), ("c", b"'|i1'", 4), ("s", b"'<i2'", 4)):
        npy = s.call("GET", f"/tensors/{name}/data", headers={"Accept": "application/x-npy"})
        assert descr in npy.body[:100] and len(npy.body) % 64 == raw, (name, npy.body[:100])
        s.call("PUT", f"/tensors/{name}2", npy.body, {"Content-Type": "application/x-npy"}, status=201)
        assert s.get(name + "2")["data"] == s.get(name)["data"] and s.get(name + "2")["dtype"] == s.get(name)["dtype"]
    swapped = npy.body.replace(b"'<i2'", b"'>i2'")
    s.call("PUT", "/tensors/again", swapped, {"Content-Type": "application/x-npy"}, status=201)
    assert s.get("again")["data"] == [256, 128]
    refused = s.problem("GET", "/tensors/b/data", None, 422, headers={"Accept": "application/x-npy"})
    assert "Got unsupported ScalarType BFloat16" in refused["detail"], refused
    s.problem("PUT", "/tensors/d", {"data": [128], "dtype": "int8"}, 422)
    exp = s.problem("POST", "/ops", {"op": "exp", "args": ["h"]}, 422)
    assert exp["detail"] == "\"exp_vml_cpu\" not implemented for 'Half'", exp
    s.call("PUT", "/tensors/w", {"data": [1.0, 2.0], "dtype": "bfloat16", "requires_grad": True}, status=201)
    s.call("POST", "/ops", [{"op": "exp", "args": ["w"], "out": "e"}, {"op": "sum", "args": ["e"], "out": "l"}], status=201)
    s.call("POST", "/backward", {"tensors": "l"})
    assert s.get("w")["grad"]["dtype"] == "bfloat16"


run_all = [f for f in tests]
try:
    run("contract", run_all)
finally:
    code = server.stop()
    assert code == 0, f"gradd ended with {code}"
