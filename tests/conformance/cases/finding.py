"""Where elements are not zero, and which are among others; places of triangles; powers, exponentials of matrices; draws of
places; the order of frequencies."""
import torch

DATABASE = "nonzero argwhere isin logspace linalg.vander"
VARIANTS = ""

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)
i = lambda *v: torch.tensor(v)
nan = float("nan")


def more(d):
    holes = torch.tensor([[0.0, 2.0, nan], [-0.0, 0.0, -1.0]], dtype=d)
    for t in (holes, holes.t(), holes[0], torch.zeros(2, 0, dtype=d), torch.tensor(0.0, dtype=d), torch.tensor(3.0, dtype=d), i(0, 1) > 0):
        yield "nonzero", [t], {}
        yield "nonzero", [t], {"as_tuple": True}
        yield "argwhere", [t], {}
    x = torch.tensor([1.0, nan, -0.0, 4.0], dtype=d)
    yield "isin", [x, torch.tensor([0.0, nan, 4.0], dtype=d)], {}
    yield "isin", [x, torch.tensor([0.0, nan, 4.0], dtype=d)], {"invert": True, "assume_unique": True}
    yield "isin", [x, i(4, 1)], {}
    yield "isin", [x, 4], {}
    yield "isin", [2, i(1, 2)], {}
    yield "isin", [i(1, 2), torch.tensor([], dtype=d)], {}
    yield "isin", [i(*range(40)), i(*range(1, 80, 3))], {}
    for v in ([0, 3, 4, 2.0], [-1, 2.5, 7], [2.5, 3, 1], [0, 1, 0], [0, 3, 5, -2.0]):
        yield "logspace", v, {"dtype": d}
    yield "logspace", [0.9, 3.7, 7], {"dtype": torch.int64}
    for name in ("tril_indices", "triu_indices"):
        for v in ([3, 4], [3, 4, 1], [4, 3, -2], [3, 4, -9], [2, 2, 9], [0, 3]):
            yield name, v, {}
        yield name, [3, 3], {"dtype": torch.int32}
    for t in (r(2, 3, d=d).detach(), r(2, 3, d=d).detach().t(), i(1, 2)):
        yield "randint_like", [t, 50], {}
        yield "randint_like", [t, -5, 3], {}
    yield "randint_like", [i(1, 2), 9], {"dtype": d}
    p = torch.tensor([[1.0, 2.0, 0.0, 4.0], [4.0, 3.0, 2.0, 1.0]], dtype=d)
    for t in (p, p[0], p.t().contiguous().t()):
        for v in ([1], [2], [3], [6, True], [1, True]):
            yield "multinomial", [t, *v], {}
    yield "linalg.vander", [r(2, 3, d=d)], {"N": 4}
    yield "linalg.vander", [i(1, 2, 3)], {}
    yield "vander", [r(3, d=d)], {}
    yield "vander", [i(1, 2), 0], {}
    for norm in (1e-8, 1e-5, 1e-2, 0.3, 1.2, 9.0):
        yield "matrix_exp", [(torch.randn(3, 3, dtype=d) * norm / 3).requires_grad_()], {}
    for shape in ((2, 0, 0), (1, 1), (2, 2, 2), (10, 10)):
        yield "linalg.matrix_exp", [r(*shape, d=d)], {}
    for name in ("fft.fftshift", "fft.ifftshift"):
        for v in ([], [1], [[0, 0]], [[-1, 0]]):
            yield name, [r(3, 4, d=d), *v], {}
    for v in ([5], [4, 0.1], [1], [0]):
        yield "fft.fftfreq", v, {"dtype": d}
        yield "fft.rfftfreq", v, {"dtype": d}
