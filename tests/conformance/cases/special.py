"""Samples of the special functions and activations (core/ops/special.def, activation.def), all by hand: each with values that
matter to it, the edges of its domain, integers, and its in-place form."""
import math

import torch

T = torch.tensor
NAN, INF = math.nan, math.inf

# name: values inside the domain, values on its edges
UNARY = {
    "acosh": ([1.5, 2.0, 7.0], [1.0, 0.5, INF, NAN]),
    "asinh": ([-3.0, 0.0, 0.7], [INF, -INF, NAN]),
    "atanh": ([-0.9, 0.0, 0.5], [1.0, -1.0, 2.0, NAN]),
    "log2": ([0.25, 1.0, 10.0], [0.0, -1.0, INF, NAN]),
    "log10": ([0.25, 1.0, 10.0], [0.0, -1.0, INF, NAN]),
    "exp2": ([-1.5, 0.0, 3.0], [INF, -INF, NAN]),
    "deg2rad": ([-90.0, 0.0, 30.0], [INF, NAN]),
    "rad2deg": ([-1.5, 0.0, 3.0], [INF, NAN]),
    "sgn": ([-1.5, 0.0, 3.0], [INF, NAN]),
    "angle": ([-1.5, 0.0, 3.0], [-INF, NAN]),
    "signbit": ([-1.5, -0.0, 3.0], [-INF]),
    "isposinf": ([-1.5, 3.0], [INF, -INF, NAN]),
    "isneginf": ([-1.5, 3.0], [INF, -INF, NAN]),
    "isreal": ([-1.5, 3.0], [NAN]),
    "positive": ([-1.5, 3.0], [NAN]),
    "conj": ([-1.5, 3.0], [NAN]),
    "conj_physical": ([-1.5, 3.0], [NAN]),
    "resolve_conj": ([-1.5, 3.0], [NAN]),
    "resolve_neg": ([-1.5, 3.0], [NAN]),
    "real": ([-1.5, 3.0], [NAN]),
    "nan_to_num": ([-1.5, 3.0], [NAN, INF, -INF]),
    "erf": ([-1.5, 0.0, 0.7], [INF, -INF, NAN]),
    "erfc": ([-1.5, 0.0, 0.7, 4.0], [INF, -INF, NAN]),
    "erfinv": ([-0.9, 0.0, 0.3, 0.999], [1.0, -1.0, 2.0, NAN]),
    "special.erfcx": ([-1.5, 0.0, 0.7, 9.0], [INF, -30.0, NAN]),
    "special.ndtri": ([0.01, 0.3, 0.5, 0.99], [0.0, 1.0, -1.0, NAN]),
    "special.ndtr": ([-1.5, 0.0, 3.0], [INF, -INF, NAN]),
    "special.log_ndtr": ([-5.0, -0.5, 0.7], [INF, -200.0, NAN]),
    "special.entr": ([0.3, 1.0, 2.5], [0.0, -1.0, NAN]),
    "sinc": ([-1.5, 0.0, 0.3], [NAN]),
    "logit": ([0.1, 0.5, 0.9], [0.0, 1.0, 2.0, NAN]),
    "lgamma": ([0.3, 2.5, 20.0, -1.5], [0.0, -1.0, INF, NAN]),
    "digamma": ([0.3, 2.5, 20.0, -1.5], [0.0, -1.0, INF, NAN]),
    "i0": ([-3.0, 0.0, 0.5, 20.0], [NAN]),
    "special.i0e": ([-3.0, 0.0, 0.5, 20.0], [NAN]),
    "special.i1": ([-3.0, 0.0, 0.5, 20.0], [NAN]),
    "special.i1e": ([-3.0, 0.0, 0.5, 20.0], [NAN]),
    "special.modified_bessel_i0": ([-3.0, 0.0, 0.5, 20.0], [NAN]),
    "special.modified_bessel_i1": ([-3.0, 0.0, 0.5, 20.0], [NAN]),
    "special.modified_bessel_k0": ([0.1, 1.5, 8.0], [0.0, -1.0, NAN]),
    "special.modified_bessel_k1": ([0.1, 1.5, 8.0], [0.0, -1.0, NAN]),
    "special.scaled_modified_bessel_k0": ([0.1, 1.5, 30.0], [0.0, -1.0, NAN]),
    "special.scaled_modified_bessel_k1": ([0.1, 1.5, 30.0], [0.0, -1.0, NAN]),
    "special.spherical_bessel_j0": ([-8.0, 0.1, 0.0, 3.0], [INF, NAN]),
}
NO_INTS = "frac hypot logaddexp logaddexp2 nextafter igamma igammac frexp".split()
IN_PLACE = """acosh asinh atanh log2 log10 exp2 deg2rad rad2deg sgn nan_to_num erf erfc erfinv sinc logit lgamma digamma i0 frac
atan2 hypot copysign xlogy heaviside nextafter igamma igammac ldexp""".split()
NO_GRAD_IN_PLACE = "deg2rad rad2deg ldexp".split()  # PyTorch 1.13 refuses
POLYNOMIALS = """chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w shifted_chebyshev_polynomial_t
shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w hermite_polynomial_h hermite_polynomial_he
laguerre_polynomial_l legendre_polynomial_p""".split()


def leaf(d, *values):
    return T(list(values), dtype=d, requires_grad=True)


def unary(d):
    for name, (inside, edges) in UNARY.items():
        yield name, [leaf(d, *inside)], {}
        yield name, [T(edges, dtype=d)], {}
        yield name, [T(inside, dtype=d).reshape(1, -1).expand(2, -1)], {}
        yield name, [T(1, dtype=torch.int64)], {}
        if name in IN_PLACE:
            yield name + "_", [leaf(d, *inside) if name not in NO_GRAD_IN_PLACE else T(inside, dtype=d)], {}
    yield "special.i1", [leaf(d, 0.0)], {}
    yield "frac", [leaf(d, -1.75, 0.5, 3.0)], {}
    yield "frac_", [leaf(d, -1.75, 0.5, 3.0)], {}
    yield "nan_to_num", [leaf(d, NAN, INF, -INF, 1.0), 2.0, 3.0, -4.0], {}
    yield "logit", [leaf(d, 0.1, 0.5, 0.99), 0.2], {}
    yield "logit", [leaf(d, 0.1, 0.5, 0.99)], {"eps": 0.05}
    yield "frexp", [leaf(d, -1.75, 0.5, 3.0, 0.0)], {}
    for n in range(5):
        yield "polygamma", [n, leaf(d, 0.3, 2.5, 20.0)], {}
        yield "polygamma", [n, T([0.0, -1.5, NAN], dtype=d)], {}
    for p in (1, 3):
        yield "mvlgamma", [leaf(d, 2.5, 7.0), p], {}
    yield "mvlgamma_", [leaf(d, 2.5, 7.0), 2], {}
    yield "fill", [leaf(d, 1.0, 2.0), 3.5], {}
    yield "fill", [leaf(d, 1.0, 2.0), T(3.5, dtype=d, requires_grad=True)], {}


def binary(d):
    pairs = {"atan2": ((1.0, -2.0, 0.5), (-1.0, 3.0, 0.0)), "hypot": ((3.0, -1.0, 0.5), (4.0, 2.0, 0.0)),
             "fmax": ((1.0, 2.0, NAN, 3.0), (2.0, 2.0, 1.0, NAN)), "fmin": ((1.0, 2.0, NAN, 3.0), (2.0, 2.0, 1.0, NAN)),
             "copysign": ((1.0, -2.0, 0.0), (-1.0, 3.0, -1.0)), "logaddexp": ((1.0, -2.0, 50.0), (2.0, -2.0, 0.0)),
             "logaddexp2": ((1.0, -2.0, 50.0), (2.0, -2.0, 0.0)), "ldexp": ((1.0, -2.0, 0.5), (2.0, -1.0, 0.5)),
             "xlogy": ((0.0, 2.0, 0.5), (3.0, 0.5, 1.0)), "special.xlog1py": ((0.0, 2.0, 0.5), (3.0, 0.5, -0.5)),
             "float_power": ((1.0, 2.0, 0.5), (3.0, -0.5, 0.0))}
    for name, (a, b) in pairs.items():
        yield name, [leaf(d, *a), leaf(d, *b)], {}
        yield name, [leaf(d, *a).detach(), leaf(d, b[0])], {}
        yield name, [leaf(d, *a).detach().reshape(-1, 1), T(b[1], dtype=torch.float64)], {}
        if name not in NO_INTS:
            yield name, [T([1, 2]), T([2, 3])], {}
        if name in IN_PLACE and name not in NO_GRAD_IN_PLACE:
            yield name + "_", [leaf(d, *a), leaf(d, *b)], {}
        elif name in IN_PLACE:
            yield name + "_", [T(a, dtype=d), T(b, dtype=d)], {}
    for name, a, b in (("heaviside", (-1.0, 0.0, 2.0, NAN), (0.5, 0.5, 0.5, 0.5)), ("nextafter", (1.0, 0.0, 2.0), (2.0, -1.0, 2.0)),
                       ("igamma", (0.5, 3.0, 20.0, 150.0, 0.0), (0.2, 3.5, 30.0, 140.0, 1.0)),
                       ("igammac", (0.5, 3.0, 20.0, 150.0, 0.0), (0.2, 3.5, 30.0, 140.0, 1.0)),
                       ("special.zeta", (2.0, 3.5, 1.0, 0.5, 2.0), (1.0, 0.3, 1.0, 1.0, -1.5))):
        yield name, [T(a, dtype=d), T(b, dtype=d)], {}
        if name in IN_PLACE:
            yield name + "_", [T(a, dtype=d), T(b, dtype=d)], {}
    yield "heaviside", [T([-1, 0, 1]), T([5, 5, 5])], {}
    yield "heaviside", [leaf(d, 1.0), T([1.0], dtype=d)], {}
    for name in ("igamma", "igammac", "special.zeta"):
        yield name, [T([2.0, 3.0], dtype=d), leaf(d, 1.5, 2.5)], {}
    yield "copysign", [leaf(d, 1.0, -2.0), -1.0], {}
    yield "copysign_", [leaf(d, 1.0, -2.0), -1.0], {}
    yield "xlogy", [2.0, leaf(d, 1.5, 0.5)], {}
    yield "xlogy", [leaf(d, 1.5, 0.5), 2.0], {}
    yield "xlogy_", [leaf(d, 1.5, 0.5), 2.0], {}
    yield "float_power", [leaf(d, 1.5, 0.5), 2], {}
    yield "float_power", [2, leaf(d, 1.5, 0.5)], {}
    for name in POLYNOMIALS:
        yield "special." + name, [T([-1.0, -0.3, 0.5, 1.0, 2.5, NAN], dtype=d).reshape(-1, 1), T([-1.0, 0.0, 1.0, 2.0, 5.5, 10.0], dtype=d)], {}
        yield "special." + name, [T([1, 2]), T([2, 3])], {}
    for name in ("gcd", "lcm", "bitwise_left_shift", "bitwise_right_shift"):
        for dtype in (torch.int64, torch.int32, torch.uint8):
            a, b = T([12, 5, 0, 7], dtype=dtype), T([2, 5, 0, 3], dtype=dtype)
            yield name, [a, b], {}
        yield name + "_", [a, b], {}
        yield name, [T([-12, -5]), T([2, 3])], {}


def activations(d):
    x = lambda: leaf(d, -4.0, -3.0, -1.0, -0.25, 0.0, 0.5, 3.0, 7.0)
    calls = [("silu", (), {}), ("mish", (), {}), ("gelu", (), {}), ("gelu", (), {"approximate": "tanh"}), ("elu", (), {}), ("elu", (0.5,), {}),
             ("celu", (), {}), ("celu", (2.0,), {}), ("selu", (), {}), ("hardswish", (), {}), ("hardsigmoid", (), {}), ("logsigmoid", (), {}),
             ("softsign", (), {}), ("tanhshrink", (), {}), ("threshold", (0.5, 2.0), {}), ("threshold", (-1, -2), {}), ("hardtanh", (), {}),
             ("hardtanh", (-3.0, 0.5), {}), ("relu6", (), {}), ("hardshrink", (), {}), ("hardshrink", (0.25,), {}), ("softshrink", (), {}),
             ("softshrink", (3.0,), {}), ("softmin", (0,), {}), ("softmin", (), {"dim": 0, "dtype": torch.float64}), ("glu", (), {}),
             ("prelu", (leaf(d, 0.25),), {}), ("rrelu", (), {}), ("rrelu", (0.1, 0.4), {}), ("rrelu", (0.1, 0.4, True), {})]
    for name, args, kwargs in calls:
        at = leaf(d, -4.0, -2.0, 0.0, 0.5, 7.0) if name == "hardswish" else x()  # at its bounds PyTorch's loops differ
        yield "nn.functional." + name, [at, *args], kwargs
    for name in "silu mish elu celu selu hardswish hardsigmoid threshold hardtanh relu6 rrelu".split():
        args = [0.5, 2.0] if name == "threshold" else []
        yield "nn.functional." + name, [x().detach(), *args], {"inplace": True}
    yield "nn.functional.hardtanh", [T([-3, 0, 3])], {}
    yield "nn.functional.threshold", [T([-3, 0, 3]), 1, 2], {}
    grid = T([[1.0, -2.0, 0.5, -0.5], [-1.5, 0.0, 2.0, -3.0]], dtype=d)
    yield "nn.functional.glu", [grid.clone().requires_grad_(), 0], {}
    yield "nn.functional.glu", [grid.clone().requires_grad_()], {}
    yield "nn.functional.prelu", [grid.clone().requires_grad_(), leaf(d, 0.25, 0.5, 0.1, 0.2)], {}
    yield "nn.functional.prelu", [grid.clone().requires_grad_(), leaf(d, 0.25, 0.5, 0.1, 0.2).detach()], {}
    yield "nn.functional.softmin", [grid.clone().requires_grad_(), 1], {}


def more(d):
    yield from unary(d)
    yield from binary(d)
    yield from activations(d)
