"""What the tests of UM-Bridge share: a server with models, and a client of the protocol, written from its description. Standard library
only."""
import json

from harness import Server

server = Server("--log-level", "error")

ROSENBROCK = "def f(x: float64[100]):\n    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()\n"
PARTS = '''def f(x: float64[2], A: float64[2, 3], s: float64):
    """Two outputs of other lengths than the inputs."""
    return {"y": s * torch.sin(x) @ A, "z": (x ** 3).sum() * A.sum() ** 2}
'''
STATIC = '''def f(x: float64[3], power: int, shift: float = 0.0, flip: bool = False, part: str = "all"):
    y = (x + shift) ** power
    if flip:
        y = -y
    return y[:1] if part == "head" else y
'''
COUNT = "def f(n: int64[2]):\n    return n * 2\n"
ROOT = "def f(x: float64[2]):\n    return x.log()\n"
SCALAR = "def f(x: float64):\n    return torch.stack([x, x * x])\n"
SINGLE = "def f(x: float32[2]):\n    return x * 3\n"
OPEN = "def f(x):\n    return x * 2\n"
CHOICE = "def f(x: float64[3]):\n    return {\"largest\": x.argmax(), \"positive\": x > 0, \"sum\": x.sum()}\n"


def store(name, source, to=server):
    answer = to.call("PUT", f"/v1/functions/{name}", source, {"Content-Type": "text/plain"})
    assert answer.status == 201, answer.body


MODELS = dict(rosenbrock=ROSENBROCK, parts=PARTS, static=STATIC, count=COUNT, root=ROOT, scalar=SCALAR, single=SINGLE, open=OPEN, choice=CHOICE)
for name, source in MODELS.items():
    store(name, source)
POINT = [[0.5, -0.25], [1.0, -2.0, 3.0, 0.5, 0.25, -1.5], [1.5]]  # of parts


def post(path, body, headers=None, to=server):
    """As the protocols' clients do: JSON without a content type."""
    return to.call("POST", path, body if isinstance(body, (str, bytes)) else json.dumps(body), headers)


def ask(path, **body):
    answer = post(path, body)
    assert answer.status == 200, (path, body, answer.status, answer.body)
    return answer.json


def refused(path, body, status, kind, part="", to=server):
    answer = post(path, body, to=to)
    assert answer.status == status, (path, body, answer.status, answer.body)
    assert list(answer.json) == ["error"] and sorted(answer.json["error"]) == ["message", "type"], answer.body
    assert answer.json["error"]["type"] == kind, answer.body
    assert part in answer.json["error"]["message"], answer.body


class Model:
    """What a client library makes of the protocol."""

    def __init__(self, name, config=None):
        self.name, self.extra = name, {} if config is None else {"config": config}

    def sizes(self):
        return (ask("/InputSizes", name=self.name, **self.extra)["inputSizes"], ask("/OutputSizes", name=self.name, **self.extra)["outputSizes"])

    def __call__(self, *point):
        return ask("/Evaluate", name=self.name, input=list(point), **self.extra)["output"]

    def gradient(self, of, by, point, sens):
        return ask("/Gradient", name=self.name, outWrt=of, inWrt=by, input=point, sens=sens, **self.extra)["output"]

    def jacobian(self, of, by, point, vec):
        return ask("/ApplyJacobian", name=self.name, outWrt=of, inWrt=by, input=point, vec=vec, **self.extra)["output"]

    def hessian(self, of, first, second, point, sens, vec):
        return ask("/ApplyHessian", name=self.name, outWrt=of, inWrt1=first, inWrt2=second, input=point, sens=sens, vec=vec,
                   **self.extra)["output"]
