"""Minimises Rosenbrock's function with gradd, with nothing but Python's standard library."""
import json
import math
import os
import urllib.request

URL = os.environ.get("GRADD_URL", "http://127.0.0.1:4242") + "/v1/functions/rosenbrock_python"

# The function is stored once, as text. The annotation says what x is: two doubles.
SOURCE = """
def rosenbrock(x: float64[2]):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
"""


def request(method, url, body=None, kind="application/json"):
    return urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": kind}, method=method)).read()


def gradient(x):
    """The value at x, and the gradient there."""
    answer = json.loads(request("POST", URL + "/gradient", json.dumps({"inputs": {"x": x}}).encode()))
    return answer["value"], answer["gradients"]["x"]


request("PUT", URL, SOURCE.encode(), "text/plain")
x, step = [-1.2, 1.0], 0.001
value, g = gradient(x)
while math.hypot(*g) > 1e-8:
    last_x, last_g = x, g
    x = [v - step * d for v, d in zip(x, g)]
    value, g = gradient(x)
    step = math.dist(x, last_x) / math.dist(g, last_g)  # how far the point moved for how far the gradient did
print(f"minimum f({x[0]:.6f}, {x[1]:.6f}) = {value:.6f}")
request("DELETE", URL)
