#!/usr/bin/env python3
"""A client of UM-Bridge 1.0, written from the protocol's description, against the real binary: what the protocols' own test
suites ask, every error, and what clients in MATLAB and R send. Standard library only."""
import http.client
import json
import math

from harness import Server, run
from umbridge_client import POINT, Model, ask, post, refused, server, store


def close(a, b, tolerance=1e-6):
    assert len(a) == len(b), (a, b)
    assert all(abs(p - q) <= tolerance * (1 + abs(q)) for p, q in zip(a, b)), (a, b)


def moved(point, k, direction, step):
    return [[v + step * d for v, d in zip(p, direction)] if i == k else p for i, p in enumerate(point)]


def dot(a, b):
    return sum(p * q for p, q in zip(a, b))


def unit(n, i):
    return [1.0 if k == i else 0.0 for k in range(n)]


def info_names_the_models():
    answer = server.call("GET", "/Info")
    assert answer.status == 200 and answer.json == {"protocolVersion": 1.0, "models": sorted(
        ["rosenbrock", "parts", "static", "count", "root", "scalar", "single", "choice"])}, answer.body
    assert b'"protocolVersion":1.0' in answer.body
    assert list(answer.json) == ["protocolVersion", "models"]
    assert server.call("GET", "/Info").json["models"][0] == "choice"  # the suites evaluate the first one


def model_info_has_four_keys():
    every = {"Evaluate": True, "Gradient": True, "ApplyJacobian": True, "ApplyHessian": True}
    for name in ["parts", "rosenbrock", "static"]:
        assert ask("/ModelInfo", name=name) == {"support": every}
    assert ask("/ModelInfo", name="count") == {"support": {**every, "Gradient": False, "ApplyJacobian": False, "ApplyHessian": False}}


def sizes_are_lists_of_integers():
    assert Model("rosenbrock").sizes() == ([100], [1])
    assert Model("parts").sizes() == ([2, 6, 1], [3, 1])
    assert Model("scalar").sizes() == ([1], [2])


def config_fixes_static_inputs():
    assert Model("static", {"power": 2}).sizes() == ([3], [3])
    assert Model("static", {"power": 2, "part": "head"}).sizes() == ([3], [1])
    point = [1.0, 2.0, 3.0]
    assert Model("static", {"power": 2})(point) == [[1.0, 4.0, 9.0]]
    assert Model("static", {"power": 3.0})(point) == [[1.0, 8.0, 27.0]]  # languages without integers
    assert Model("static", {"power": 2, "shift": 1})(point) == [[4.0, 9.0, 16.0]]
    assert Model("static", {"power": 2, "flip": True})(point) == [[-1.0, -4.0, -9.0]]
    assert Model("static", {"power": 2, "part": "head"}).gradient(0, 0, [point], [1.0]) == [2.0, 0.0, 0.0]
    for config, part in [({}, "power"), (None, "power"), ({"power": "2"}, "power"), ({"power": 1.5}, "power"), ({"power": 2, "flip": 1}, "flip"),
                         ({"power": 2, "shift": []}, "shift"), ({"power": 2, "part": 1}, "part"), ({"power": 2, "powr": 3}, "powr")]:
        body = {"name": "static", "input": [point]}
        refused("/Evaluate", body if config is None else {**body, "config": config}, 400, "InvalidInput", part)
    refused("/InputSizes", {"name": "static", "config": 3}, 400, "InvalidInput", "config")
    # a model without static inputs ignores what is meant for others; an empty list is R's and PHP's {}
    for config in [{}, [], None, {"level": 0}]:
        assert Model("root", config)([1.0, 1.0]) == [[0.0, 0.0]]


def evaluate_flattens():
    (y, z) = Model("parts")([0.5, 0.25], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0])
    s = [math.sin(0.5), math.sin(0.25)]
    close(y, [2 * (s[0] * a + s[1] * b) for a, b in zip([1, 2, 3], [4, 5, 6])], 1e-14)
    close(z, [(0.125 + 0.25 ** 3) * 441], 1e-14)
    assert Model("choice")([3.0, -1.0, 5.0]) == [[2], [1.0, 0.0, 1.0], [7.0]]
    assert Model("count")([3, 4]) == [[6, 8]] and Model("count")([3.0, 4.0]) == [[6, 8]]
    assert Model("single")([0.1, 0.2]) == [[0.3, 0.6]] or Model("single")([0.1, 0.2]) == [[0.3, 0.6000000238418579]] \
        or close(Model("single")([0.1, 0.2])[0], [0.3, 0.6]) is None


def long_lists_keep_every_digit():
    x = [math.sin(i) * 10 ** (i % 7 - 3) for i in range(100)]
    want = sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))
    close(Model("rosenbrock")(x)[0], [want], 1e-13)
    grad = [0.0] * 100
    for i in range(99):
        a, b = x[i], x[i + 1]
        grad[i] += -400 * a * (b - a * a) - 2 * (1 - a)
        grad[i + 1] += 200 * (b - a * a)
    close(Model("rosenbrock").gradient(0, 0, [x], [1.0]), grad, 1e-12)
    close(Model("rosenbrock").gradient(0, 0, [x], [-2.5]), [-2.5 * g for g in grad], 1e-12)
    store("identity", "def f(x: float64[100]):\n    return x * 1\n")
    assert Model("identity")(x) == [x]
    assert server.call("DELETE", "/v1/functions/identity").status == 204


def gradients_agree_with_finite_differences():
    model = Model("parts")
    (inputs, outputs), h = model.sizes(), 1e-5
    for of, m in enumerate(outputs):
        sens = [0.7 - 0.4 * i for i in range(m)]
        for by, n in enumerate(inputs):
            got = model.gradient(of, by, POINT, sens)
            want = [(dot(model(*moved(POINT, by, unit(n, i), h))[of], sens) - dot(model(*moved(POINT, by, unit(n, i), -h))[of], sens)) / (2 * h)
                    for i in range(n)]
            close(got, want)


def jacobians_agree_with_finite_differences():
    model = Model("parts")
    (inputs, outputs), h = model.sizes(), 1e-5
    for of, m in enumerate(outputs):
        for by, n in enumerate(inputs):
            vec = [0.3 + 0.2 * i for i in range(n)]
            got = model.jacobian(of, by, POINT, vec)
            up, down = model(*moved(POINT, by, vec, h))[of], model(*moved(POINT, by, vec, -h))[of]
            close(got, [(a - b) / (2 * h) for a, b in zip(up, down)])
            assert len(got) == m


def hessians_are_as_long_as_the_first_input():
    """The answer has the length of input inWrt1, also where inputs, outputs and vectors all differ in length."""
    model = Model("parts")
    (inputs, outputs), h = model.sizes(), 1e-5
    for of, m in enumerate(outputs):
        sens = [0.7 - 0.4 * i for i in range(m)]
        for first, n in enumerate(inputs):
            for second, k in enumerate(inputs):
                vec = [0.3 + 0.2 * i for i in range(k)]
                got = model.hessian(of, first, second, POINT, sens, vec)
                assert len(got) == n, (of, first, second, got)
                up = model.gradient(of, first, moved(POINT, second, vec, h), sens)
                down = model.gradient(of, first, moved(POINT, second, vec, -h), sens)
                close(got, [(a - b) / (2 * h) for a, b in zip(up, down)])


def unknown_models_are_told_first():
    """The suites send nothing but the name."""
    for path in ["/ModelInfo", "/InputSizes", "/OutputSizes", "/Evaluate", "/Gradient", "/ApplyJacobian", "/ApplyHessian"]:
        refused(path, {"name": "no_such_model"}, 400, "ModelNotFound", "no_such_model")
        refused(path, {"name": "open"}, 400, "ModelNotFound", "open")
        refused(path, {"name": "rosenbrock/../parts"}, 400, "ModelNotFound")
        refused(path, {"name": "x" * 5000, "input": 1}, 400, "ModelNotFound")


def unsupported_features_are_told_next():
    for path in ["/Gradient", "/ApplyJacobian", "/ApplyHessian"]:
        refused(path, {"name": "count"}, 400, "UnsupportedFeature", path[1:])
        refused(path, {"name": "count", "input": "nonsense"}, 400, "UnsupportedFeature", path[1:])


def wrong_input_is_told():
    good = {"name": "parts", "input": POINT}
    for value, part in [([], "3 lists"), (POINT[:2], "3 lists"), (POINT + [[1.0]], "not 4"), ([[1.0]] + POINT[1:], "input 0"),
                        ([POINT[0], POINT[1] + [1.0], POINT[2]], "input 1"), ([POINT[0], POINT[1], []], "input 2"), (None, "input"),
                        ("x", "input"), (7, "input"), ({}, "input"), ([POINT[0], "x", POINT[2]], "input 1"), ([POINT[0], [None] * 6, POINT[2]], "input 1"),
                        ([[[0.5], [-0.25]], POINT[1], POINT[2]], "input 0"), ([["0.5", "1"], POINT[1], POINT[2]], "input 0")]:
        refused("/Evaluate", {**good, "input": value}, 400, "InvalidInput", part)
        refused("/Gradient", {**good, "input": value, "outWrt": 0, "inWrt": 0, "sens": [1, 1, 1]}, 400, "InvalidInput", part)
    refused("/Evaluate", {"name": "parts"}, 400, "InvalidInput", "input")
    refused("/Evaluate", {"name": "rosenbrock", "input": [[0.0] * 99]}, 400, "InvalidInput", "100 numbers, not 99")
    refused("/Evaluate", {"name": "rosenbrock", "input": [[0.0] * 101]}, 400, "InvalidInput", "not 101")
    refused("/Evaluate", {"name": "rosenbrock", "input": [[0.0] * 50 + [[1.0]] + [0.0] * 49]}, 400, "InvalidInput")
    refused("/Evaluate", {"name": "count", "input": [[1, 1.5]]}, 400, "InvalidInput", "int64")


def wrong_indexes_are_told():
    good = {"name": "parts", "input": POINT, "outWrt": 1, "inWrt": 0, "inWrt1": 0, "inWrt2": 0, "sens": [1.0], "vec": [1.0, 1.0]}
    for path, keys in [("/Gradient", ["outWrt", "inWrt"]), ("/ApplyJacobian", ["outWrt", "inWrt"]), ("/ApplyHessian", ["outWrt", "inWrt1", "inWrt2"])]:
        assert post(path, good).status == 200
        for key in keys:
            for value in [-1, 3, 2 ** 62, 1.5, "0", None, [0], 1e300]:
                refused(path, {**good, key: value}, 400, "InvalidInput", key)
            refused(path, {k: v for k, v in good.items() if k != key}, 400, "InvalidInput", key)
            assert post(path, {**good, key: float(good[key])}).status == 200  # languages without integers
    refused("/Gradient", {"name": "choice", "input": [[1, 2, 3]], "outWrt": 0, "inWrt": 0, "sens": [1]}, 400, "InvalidInput", "int64")


def wrong_vectors_are_told():
    good = {"name": "parts", "input": POINT, "outWrt": 0, "inWrt": 1, "inWrt1": 0, "inWrt2": 1, "sens": [1.0] * 3, "vec": [1.0] * 6}
    for path, key in [("/Gradient", "sens"), ("/ApplyJacobian", "vec"), ("/ApplyHessian", "sens"), ("/ApplyHessian", "vec")]:
        assert post(path, good).status == 200
        for value in [[], [1.0], [1.0] * 7, "x", {}, None, [[1.0] * len(good[key])], ["a"] * len(good[key])]:
            refused(path, {**good, key: value}, 400, "InvalidInput", key)
        refused(path, {k: v for k, v in good.items() if k != key}, 400, "InvalidInput", key)


def bad_json_is_told():
    for body in ["", "   ", "{", "[]", "3", "null", '"parts"', '{"name":"parts",}', "{'name':'parts'}", '{"name":"parts"} x', "\xff\xfe", "[" * 100,
                 '{"name":1}', '{"name":null}', "{}", '{"input":[[1]]}', '{"name":"parts","name":"parts"}',
                 '{"name":"parts","input":[[0.5,-0.2.5],[1,2,3,4,5,6],[1]]}', '{"name":"rosenbrock","input":[[' + "1.2.3," * 99 + "1]]}",
                 '{"name":"rosenbrock","input":[[' + "01," * 99 + "1]]}"]:
        for path in ["/ModelInfo", "/Evaluate", "/Gradient"]:
            if path == "/ModelInfo" and '"input":' in body and '"name":"' in body:
                continue
            refused(path, body.encode("latin-1"), 400, "InvalidInput")


def content_types_are_ignored():
    body = json.dumps({"name": "root", "input": [[1.0, 1.0]]})
    for kind in [None, "", "text/plain", "application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "nonsense",
                 "application/octet-stream"]:
        answer = post("/Evaluate", body, {} if kind is None else {"Content-Type": kind})
        assert answer.status == 200 and answer.json == {"output": [[0.0, 0.0]]}, (kind, answer.body)
        assert answer.headers["content-type"] == "application/json"


def bare_numbers_count_as_lists():
    """MATLAB writes a vector of one as a number."""
    assert ask("/Gradient", name="rosenbrock", outWrt=0, inWrt=0, input=[[1] * 100], sens=1)["output"] == [0.0] * 100
    assert ask("/Evaluate", name="scalar", input=[3])["output"] == [[3.0, 9.0]]
    assert ask("/ApplyJacobian", name="scalar", outWrt=0, inWrt=0, input=[[3]], vec=2)["output"] == [2.0, 12.0]
    assert ask("/ApplyHessian", name="scalar", outWrt=0, inWrt1=0, inWrt2=0, input=[3], sens=[0, 1], vec=5)["output"] == [10.0]
    long = ",".join(str(0.5) for _ in range(6))
    answer = post("/Evaluate", '{"name":"parts","input":[[0.5,0.25],[' + long + '],  2 ]}')
    assert answer.status == 200 and len(answer.json["output"]) == 2, answer.body
    refused("/ApplyJacobian", {"name": "parts", "outWrt": 0, "inWrt": 0, "input": POINT, "vec": 2}, 400, "InvalidInput", "vec")


def results_that_are_not_finite():
    refused("/Evaluate", {"name": "root", "input": [[0.0, 1.0]]}, 500, "InvalidOutput", "allow_nonfinite")
    refused("/Evaluate", {"name": "root", "input": [[-1.0, 1.0]]}, 500, "InvalidOutput")
    refused("/Gradient", {"name": "root", "outWrt": 0, "inWrt": 0, "input": [[0.0, 1.0]], "sens": [1, 1]}, 500, "InvalidOutput")
    answer = post("/Evaluate", {"name": "root", "input": [[0.0, -1.0]], "config": {"allow_nonfinite": True}})
    assert answer.status == 200 and answer.body.strip() == b'{"output":[[-Infinity,NaN]]}', answer.body
    (out,) = answer.json["output"]  # Python's reader takes the bare words
    assert out[0] == -math.inf and math.isnan(out[1])
    refused("/Evaluate", '{"name":"root","input":[[NaN,1.0]]}', 500, "InvalidOutput")
    refused("/Evaluate", '{"name":"root","input":[["NaN",1.0]]}', 500, "InvalidOutput")
    answer = post("/Evaluate", '{"name":"root","input":[[NaN,Infinity]],"config":{"allow_nonfinite":true}}')
    assert answer.body.strip() == b'{"output":[[NaN,Infinity]]}', answer.body


def functions_that_raise():
    """Control flow by values is evaluated anew for each point; an exception is the model's failure, with its place."""
    store("steps", "def f(x: float64[1]):\n    if x[0] > 1000:\n        raise ValueError(\"too far\")\n    return x * 2 if x[0] > 0 else x * 3\n")
    assert Model("steps")([2.0]) == [[4.0]] and Model("steps")([-2.0]) == [[-6.0]]
    assert Model("steps").gradient(0, 0, [[-2.0]], [1.0]) == [3.0] and Model("steps").gradient(0, 0, [[2.0]], [1.0]) == [2.0]
    refused("/Evaluate", {"name": "steps", "input": [[2000.0]]}, 500, "InvalidOutput", "too far (line 3")
    refused("/Gradient", {"name": "steps", "input": [[2000.0]], "outWrt": 0, "inWrt": 0, "sens": [1]}, 500, "InvalidOutput", "too far")
    assert server.call("DELETE", "/v1/functions/steps").status == 204


def functions_come_and_go():
    store("passing", "def f(x: float64[1]):\n    return x + 1\n")
    assert "passing" in server.call("GET", "/Info").json["models"] and Model("passing")([1.0]) == [[2.0]]
    answer = server.call("PUT", "/v1/functions/passing", "def f(x: float64[2]):\n    return x + 2\n", {"Content-Type": "text/plain"})
    assert answer.status == 200, answer.body
    assert Model("passing").sizes() == ([2], [2]) and Model("passing")([1.0, 2.0]) == [[3.0, 4.0]]
    refused("/Evaluate", {"name": "passing", "input": [[1.0]]}, 400, "InvalidInput")
    assert server.call("DELETE", "/v1/functions/passing").status == 204
    refused("/Evaluate", {"name": "passing", "input": [[1.0, 2.0]]}, 400, "ModelNotFound")


def other_methods_and_paths():
    assert server.call("GET", "/Evaluate").status == 405 and server.call("POST", "/Info", "{}").status == 405
    assert server.call("POST", "/evaluate", "{}").status == 404


def many_requests_on_one_connection():
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for i in range(300):
        body = {"name": "scalar", "input": [[float(i)]]} if i % 3 else {"name": "nobody"}
        connection.request("POST", "/Evaluate", json.dumps(body))
        answer = connection.getresponse()
        got = json.loads(answer.read())
        assert (got == {"output": [[float(i), float(i * i)]]}) if i % 3 else answer.status == 400, got
    connection.close()


def no_models_is_an_empty_list():
    empty = Server("--log-level", "error")
    assert empty.call("GET", "/Info").json == {"protocolVersion": 1.0, "models": []}
    assert empty.stop() == 0


run("umbridge", [info_names_the_models, model_info_has_four_keys, sizes_are_lists_of_integers, config_fixes_static_inputs, evaluate_flattens,
                 long_lists_keep_every_digit, gradients_agree_with_finite_differences, jacobians_agree_with_finite_differences,
                 hessians_are_as_long_as_the_first_input, unknown_models_are_told_first, unsupported_features_are_told_next, wrong_input_is_told,
                 wrong_indexes_are_told, wrong_vectors_are_told, bad_json_is_told, content_types_are_ignored, bare_numbers_count_as_lists,
                 results_that_are_not_finite, functions_that_raise, functions_come_and_go, other_methods_and_paths, many_requests_on_one_connection,
                 no_models_is_an_empty_list])
