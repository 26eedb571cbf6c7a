#!/usr/bin/env python3
"""UM-Bridge's numbers in shared memory, against the real binary: what comes through it, who may use it, and what is wrong with names,
sizes and segments. Standard library only."""
import math
import os
import struct
import threading
from multiprocessing import shared_memory

from harness import Server, run, start
from umbridge_client import MODELS, POINT, Model, post, refused, server, store

shared = Server("--log-level", "error", "--umbridge-shmem", "on")
for model, source in MODELS.items():
    store(model, source, shared)

SHARED_PATHS = ["/TestShMem", "/EvaluateShMem", "/GradientShMem", "/ApplyJacobianShMem", "/ApplyHessianShMem"]


class Segments:
    """Segments of the client, <name>_in_<tid>_<i> and <name>_out_<tid>_<i>, gone at the end."""
    count = 0

    def __init__(self, point, outputs, name="/umbridge"):
        Segments.count += 1
        self.tid, self.name, self.made, self.point = f"{os.getpid()}-{Segments.count}", name, [], point
        for i, values in enumerate(point):
            self.make("in", i, struct.pack(f"={len(values)}d", *values))
        self.outputs = [self.make("out", i, bytes(8 * n)) for i, n in enumerate(outputs)]
        self.sizes = outputs

    def make(self, way, i, data):
        if not data:
            return None  # nothing can be empty there
        segment = shared_memory.SharedMemory(f"{self.name}_{way}_{self.tid}_{i}", create=True, size=len(data))
        segment.buf[:len(data)] = data
        self.made.append(segment)
        return segment

    def path(self, way, i):
        return f"/dev/shm{self.name}_{way}_{self.tid}_{i}"

    def body(self, model, **more):
        sizes = {f"shmem_size_{i}": len(values) for i, values in enumerate(self.point)}
        return {"name": model, "tid": self.tid, "shmem_name": self.name, "shmem_num_inputs": len(self.point), **sizes, **more}

    def result(self, i):
        return list(struct.unpack(f"={self.sizes[i]}d", self.outputs[i].buf[:8 * self.sizes[i]])) if self.sizes[i] else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for segment in self.made:
            segment.close()
            segment.unlink()


def through_memory(path, model, point, outputs, **more):
    with Segments(point, outputs) as segments:
        answer = post(path, segments.body(model, **more), to=shared)
        assert answer.status == 200 and answer.json == {}, (path, model, answer.body)
        assert answer.headers["content-type"] == "application/json"
        return [segments.result(i) for i in range(len(outputs))]


def shared_memory_is_off_by_default():
    for path in SHARED_PATHS:
        for method in ["POST", "GET", "OPTIONS"]:
            answer, unknown = (server.call(method, p, "{}" if method == "POST" else None) for p in (path, "/NoSuchPath"))
            assert answer.status == unknown.status == 404 and answer.json["code"] == unknown.json["code"] == "not_found", answer.body
        assert shared.call("GET", path).status == 405
    assert start("--check-config", "--umbridge-shmem", "maybe").returncode == 64
    assert "umbridge-shmem = off # default" in start("--check-config").stdout
    assert "umbridge-shmem = on # environment" in start("--check-config", env={"GRADD_UMBRIDGE_SHMEM": "on"}).stdout


def shared_memory_is_for_this_machine_only():
    token = f"/dev/shm/umbridge-test-token-{os.getpid()}"
    with open(token, "w") as f:
        f.write("0123456789abcdef\n")
    try:
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"]:
            refusal = start("--listen", address, "--token-file", token, "--umbridge-shmem", "on")
            assert refusal.returncode == 78 and "umbridge-shmem" in refusal.stderr, refusal.stderr
            assert start("--check-config", "--listen", address, "--token-file", token).returncode == 0
        assert start("--check-config", "--listen", "[::1]:0", "--umbridge-shmem", "on").returncode == 0
    finally:
        os.unlink(token)


def shared_memory_is_tested():
    tid = f"{os.getpid()}_t"
    names = [f"/umbridge_test_shmem_{way}_{tid}" for way in ("in", "out")]
    assert post("/TestShMem", {"name": "parts", "tid": tid}, to=shared).json == {}
    segments = [shared_memory.SharedMemory(names[0], create=True, size=8)]
    try:
        segments[0].buf[:8] = struct.pack("=d", 12345.0)
        answer = post("/TestShMem", {"name": "parts", "tid": tid}, to=shared)
        assert answer.status == 200 and answer.json == {}  # nowhere to copy it to
        segments.append(shared_memory.SharedMemory(names[1], create=True, size=8))
        answer = post("/TestShMem", {"name": "parts", "tid": tid}, to=shared)
        assert answer.status == 200 and answer.body.strip() == b'{"value":[12345.0]}', answer.body
        assert struct.unpack("=d", segments[1].buf[:8]) == (12345.0,)
        segments[0].buf[:8] = struct.pack("=d", math.nan)
        refused("/TestShMem", {"name": "parts", "tid": tid}, 400, "InvalidInput", "finite", shared)
        os.truncate("/dev/shm" + names[0], 7)
        refused("/TestShMem", {"name": "parts", "tid": tid}, 400, "InvalidInput", "7 bytes, but 8", shared)
        refused("/TestShMem", {"name": "nobody", "tid": tid}, 400, "ModelNotFound", "nobody", shared)
        refused("/TestShMem", {"name": "parts"}, 400, "InvalidInput", "tid", shared)
    finally:
        for segment in segments:
            segment.close()
            segment.unlink()


def results_come_through_shared_memory():
    model, config = Model("parts"), {"power": 2, "part": "head"}
    assert through_memory("/EvaluateShMem", "parts", POINT, [3, 1]) == model(*POINT)
    assert through_memory("/EvaluateShMem", "parts", POINT, [30, 10])[0][:3] == model(*POINT)[0]  # more room than needed
    assert through_memory("/EvaluateShMem", "static", [[3.0, 1.0, 2.0]], [1], config=config) == [[9.0]]
    for of, m in enumerate([3, 1]):
        sens = [0.7 - 0.4 * i for i in range(m)]
        for by, n in enumerate([2, 6, 1]):
            vec = [0.3 + 0.2 * i for i in range(n)]
            assert through_memory("/GradientShMem", "parts", POINT, [n], outWrt=of, inWrt=by, sens=sens) == [model.gradient(of, by, POINT, sens)]
            assert through_memory("/ApplyJacobianShMem", "parts", POINT, [m], outWrt=of, inWrt=by, vec=vec) == [model.jacobian(of, by, POINT, vec)]
            for first, k in enumerate([2, 6, 1]):
                got = through_memory("/ApplyHessianShMem", "parts", POINT, [k], outWrt=of, inWrt1=first, inWrt2=by, sens=sens, vec=vec)
                assert got == [model.hessian(of, first, by, POINT, sens, vec)]


def every_dtype_is_doubles_there():
    assert through_memory("/EvaluateShMem", "count", [[3.0, -4.0]], [2]) == [[6.0, -8.0]]
    assert through_memory("/EvaluateShMem", "choice", [[3.0, -1.0, 5.0]], [1, 3, 1]) == [[2.0], [1.0, 0.0, 1.0], [7.0]]
    (y,) = through_memory("/EvaluateShMem", "single", [[0.5, 0.1]], [2])
    assert y[0] == 1.5 and 0 < abs(y[1] - 0.3) < 1e-7
    with Segments([[3.0, 1.5]], [2]) as segments:
        refused("/EvaluateShMem", segments.body("count"), 400, "InvalidInput", "int64", shared)
    store("long", "def f(x: float64[100000], n: float32[1500], e: float64[0]):\n    return x * 2, n + 1, e * 2\n", shared)
    x, n = [math.sin(i) for i in range(100000)], [float(i) for i in range(1500)]
    assert through_memory("/EvaluateShMem", "long", [x, n, []], [100000, 1500, 0]) == [[v * 2 for v in x], [v + 1 for v in n], []]
    assert shared.call("DELETE", "/v1/functions/long").status == 204


def what_is_not_finite_in_shared_memory():
    with Segments([[0.0, -1.0]], [2]) as segments:
        refused("/EvaluateShMem", segments.body("root"), 500, "InvalidOutput", "allow_nonfinite", shared)
        assert segments.result(0) == [0.0, 0.0]
        answer = post("/EvaluateShMem", segments.body("root", config={"allow_nonfinite": True}), to=shared)
        assert answer.status == 200 and answer.json == {}
        assert segments.result(0)[0] == -math.inf and math.isnan(segments.result(0)[1])


def what_is_unknown_or_unsupported_is_told_first():
    for path in SHARED_PATHS:
        refused(path, {"name": "nobody"}, 400, "ModelNotFound", "nobody", shared)
        refused(path, "", 400, "InvalidInput", "", shared)
        refused(path, {"name": "parts"}, 400, "InvalidInput", "tid", shared)
    for path in SHARED_PATHS[2:]:
        refused(path, {"name": "count"}, 400, "UnsupportedFeature", path[1:-5], shared)


def names_of_segments_are_guarded():
    with Segments(POINT, [3, 1]) as segments:
        good = segments.body("parts")
        for tid in [None, 7, "", ".", "..", "../x", "a/b", "/a", "a b", "%2e", "a\n", "\u00e9", "x" * 101, ["a"], {}, [1] * 100]:
            refused("/EvaluateShMem", {**good, "tid": tid}, 400, "InvalidInput", "tid", shared)
            refused("/TestShMem", {"name": "parts", "tid": tid}, 400, "InvalidInput", "tid", shared)
        for name in [None, 7, "", "/", "umbridge", "/other", "/umbridg", "/umbridge/../x", "/umbridge/x", "/umbridge.", "/umbridge x", "//umbridge",
                     "/umbridge" + "x" * 92, ["/umbridge"]]:
            refused("/EvaluateShMem", {**good, "shmem_name": name}, 400, "InvalidInput", "shmem_name", shared)
        for name, tid in [("/umbridge" + "x" * 91, "a" * 100), ("/umbridge", "nobody")]:
            refused("/EvaluateShMem", {**good, "shmem_name": name, "tid": tid}, 400, "InvalidInput", "No such file", shared)
    with Segments(POINT, [3, 1], "/umbridge-Test_1") as segments:
        assert post("/EvaluateShMem", segments.body("parts"), to=shared).json == {}
        assert segments.result(0) == Model("parts")(*POINT)[0]


def counts_and_sizes_are_told():
    with Segments(POINT, [3, 1]) as segments:
        good = segments.body("parts")
        for key in ["shmem_num_inputs", "shmem_size_0", "shmem_size_1", "shmem_size_2"]:
            for value in [None, "2", 0, -1, good[key] + 1, 2 ** 62, 1.5, 1e300, []]:
                refused("/EvaluateShMem", {**good, key: value}, 400, "InvalidInput", key, shared)
            refused("/EvaluateShMem", {k: v for k, v in good.items() if k != key}, 400, "InvalidInput", key, shared)
            assert post("/EvaluateShMem", {**good, key: float(good[key])}, to=shared).status == 200
        more = dict(outWrt=0, inWrt=0, inWrt1=0, inWrt2=0, sens=[1.0] * 3, vec=[1.0] * 2)
        for path in SHARED_PATHS[2:]:
            assert post(path, {**good, **more}, to=shared).status == 200
            refused(path, {**good, **more, "outWrt": 2}, 400, "InvalidInput", "outWrt", shared)
            refused(path, {**good, **more, "sens": [1.0], "vec": [1.0]}, 400, "InvalidInput", "", shared)


def segments_of_the_wrong_kind_are_refused():
    for way, i, need in [("in", 0, 16), ("in", 1, 48), ("in", 2, 8), ("out", 0, 24), ("out", 1, 8)]:
        with Segments(POINT, [3, 1]) as segments:
            body, path = segments.body("parts"), segments.path(way, i)
            check = lambda part: refused("/EvaluateShMem", body, 400, "InvalidInput", part, shared)
            if os.geteuid() == 0:
                os.chown(path, 65534, -1)
                check("another user")
                os.chown(path, 0, -1)
            os.link(path, path + "_link")
            check("no shared memory segment")
            os.unlink(path + "_link")
            assert post("/EvaluateShMem", body, to=shared).status == 200
            os.truncate(path, need - 1)
            check(f"{need - 1} bytes, but {need}")
            os.rename(path, path + "_moved")
            check("No such file")
            assert not os.path.exists(path)  # it makes none
            os.symlink(path + "_moved", path)
            check(path[len("/dev/shm"):])
            os.unlink(path)
            os.mkfifo(path)
            check("no shared memory segment")
            os.unlink(path)
            os.mkdir(path)
            check("")
            os.rmdir(path)
            os.rename(path + "_moved", path)


def segments_that_are_cut_meanwhile():
    """The client cuts and regrows them while the server copies: a refusal at worst."""
    store("big", "def f(x: float64[200000]):\n    return x * 2\n", shared)
    n, done = 200000, threading.Event()
    with Segments([[1.0] * n], [n]) as segments:
        def cut():
            while not done.is_set():
                for path in (segments.path("in", 0), segments.path("out", 0)):
                    os.truncate(path, 4096)
                    os.truncate(path, 8 * n)
        thread = threading.Thread(target=cut)
        thread.start()
        try:
            for _ in range(40):
                answer = post("/EvaluateShMem", segments.body("big"), to=shared)
                assert answer.status == 200 and answer.json == {} or answer.json["error"]["type"] == "InvalidInput", answer.body
        finally:
            done.set()
            thread.join()
    assert shared.call("DELETE", "/v1/functions/big").status == 204


def nothing_is_left_open():
    descriptors = f"/proc/{shared.process.pid}/fd"
    assert not [n for n in os.listdir(descriptors) if "umbridge" in os.readlink(f"{descriptors}/{n}")]
    assert shared.stop() == 0


run("shmem", [shared_memory_is_off_by_default, shared_memory_is_for_this_machine_only,
              shared_memory_is_tested, results_come_through_shared_memory, every_dtype_is_doubles_there,
              what_is_not_finite_in_shared_memory, what_is_unknown_or_unsupported_is_told_first,
              names_of_segments_are_guarded, counts_and_sizes_are_told,
              segments_of_the_wrong_kind_are_refused, segments_that_are_cut_meanwhile, nothing_is_left_open])
