"""Samples of the rows of solve.def, factor.def, spectral.def and matrix.def, and of the norms: see record.py."""
import torch

DATABASE = """linalg.det linalg.slogdet logdet linalg.inv linalg.inv_ex linalg.solve linalg.solve_ex linalg.solve_triangular triangular_solve
linalg.cholesky cholesky linalg.cholesky_ex cholesky_inverse cholesky_solve linalg.qr qr linalg.svd svd linalg.svdvals linalg.eigh linalg.eigvalsh
symeig linalg.lu linalg.lu_factor linalg.lu_factor_ex lu lu_unpack linalg.lu_solve lu_solve linalg.pinv pinverse linalg.matrix_rank
linalg.matrix_power linalg.norm linalg.vector_norm linalg.matrix_norm linalg.cond ormqr geqrf
linalg.tensorinv linalg.tensorsolve linalg.lstsq linalg.ldl_factor linalg.ldl_factor_ex linalg.ldl_solve"""
VARIANTS = "hermitian subgradients_at_zero nuc"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)


def positive(*s, d):
    """Symmetric positive-definite matrices."""
    a = torch.randn(s, dtype=d)
    return (a @ a.mT + s[-1] * torch.eye(s[-1], dtype=d)).requires_grad_()


def solvers(d):
    for name in ("det", "slogdet"):
        yield name, [r(3, 3, d=d)], {}
        yield name, [r(2, 2, 2, d=d)], {}
        yield name, [torch.zeros(0, 0, dtype=d)], {}
    yield "det", [torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=d)], {}
    yield "inverse", [r(2, 2, d=d)], {}
    yield "linalg.inv", [torch.eye(2, dtype=d)], {}
    yield "linalg.inv_ex", [torch.zeros(2, 2, dtype=d).add_(torch.tensor([[1.0, 0.0], [0.0, 0.5]], dtype=d))], {}
    yield "linalg.solve", [r(3, 3, d=d), r(3, d=d)], {}
    yield "linalg.solve", [r(2, 3, 3, d=d), r(2, 3, d=d)], {}
    yield "linalg.solve", [r(3, 3, d=d), r(2, 2, 3, d=d)], {"left": False}
    yield "linalg.solve", [r(2, 1, 2, 2, d=d), r(3, 2, 1, d=d)], {}
    yield "triangular_solve", [r(3, 2, d=d), positive(3, 3, d=d)], {"upper": False, "transpose": True}
    yield "linalg.solve_triangular", [positive(2, 2, d=d), r(3, 2, d=d)], {"upper": True, "left": False, "unitriangular": True}
    lu, pivots = torch.linalg.lu_factor(r(2, 3, 3, d=d).detach())
    yield "linalg.lu_solve", [lu.requires_grad_(), pivots, r(2, 2, 3, d=d)], {"left": False, "adjoint": True}
    yield "linalg.lu_solve", [lu.detach(), pivots, r(3, 1, d=d)], {"adjoint": True}


def factors(d):
    yield "linalg.cholesky", [positive(3, 3, d=d)], {"upper": True}
    yield "cholesky", [positive(2, 2, 2, d=d)], {}
    yield "lu", [r(3, 2, d=d)], {}
    yield "lu", [r(2, 3, d=d)], {"get_infos": True}
    lu, pivots = torch.linalg.lu_factor(r(3, 2, d=d).detach())
    yield "lu_unpack", [lu, pivots], {"unpack_data": False}
    yield "lu_unpack", [lu.detach().requires_grad_(), pivots], {"unpack_pivots": False}


def others(d):
    yield "linalg.qr", [r(3, 2, d=d)], {"mode": "reduced"}
    yield "linalg.qr", [r(2, 3, d=d)], {"mode": "complete"}
    yield "linalg.qr", [r(3, 2, d=d).detach()], {"mode": "r"}
    yield "svd", [r(3, 2, d=d)], {"some": False, "compute_uv": False}
    yield "linalg.svd", [torch.zeros(3, 0, dtype=d)], {}
    yield "matrix_power", [r(3, 3, d=d), -2], {}
    yield "matrix_power", [r(2, 2, 2, d=d), 5], {}
    yield "matrix_power", [r(2, 2, d=d), 0], {}
    yield "linalg.matrix_power", [r(2, 2, d=d), 1], {}
    yield "linalg.pinv", [r(3, 2, d=d), 0.01], {}
    yield "linalg.pinv", [r(3, 2, d=d), torch.tensor(0.01, dtype=d)], {}
    yield "linalg.pinv", [r(2, 3, 2, d=d)], {"atol": torch.tensor([0.1, 0.2], dtype=d), "rtol": torch.tensor([0.1, 0.01], dtype=d)}
    yield "linalg.matrix_rank", [torch.ones(3, 2, dtype=d)], {}
    yield "linalg.matrix_rank", [torch.ones(3, 2, dtype=d), 0.5], {}
    yield "linalg.matrix_rank", [torch.eye(3, dtype=d), torch.tensor(2.0, dtype=d)], {"hermitian": True}
    yield "linalg.vector_norm", [r(3, 2, d=d), 2.5, 1], {"keepdim": True}
    yield "linalg.vector_norm", [torch.zeros(3, dtype=d, requires_grad=True)], {}
    for p in (1, -1, 2, -2, float("inf"), float("-inf"), "fro", "nuc"):
        yield "linalg.matrix_norm", [r(2, 3, d=d), p], {}
        yield "linalg.matrix_norm", [r(2, 3, 2, d=d), p, [2, 0]], {"keepdim": True}
        yield "linalg.cond", [r(2, 2, d=d), p], {}
    yield "linalg.cond", [r(3, 2, d=d)], {}
    yield "norm", [r(2, 3, d=d)], {"p": "nuc"}
    yield "norm", [r(2, 3, 2, d=d)], {"p": "nuc", "dim": [0, 2]}
    yield "linalg.tensorsolve", [r(2, 3, 6, d=d), r(2, 3, d=d)], {}
    yield "linalg.tensorsolve", [r(6, 2, 3, d=d), r(2, 3, d=d)], {"dims": [0]}
    for driver in ("gels", "gelsy", "gelsd", "gelss"):
        yield "linalg.lstsq", [r(4, 2, d=d), r(4, 1, d=d)], {"driver": driver}


def more(d):
    yield from solvers(d)
    yield from factors(d)
    yield from others(d)
