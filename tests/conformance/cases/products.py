"""Products of tensors: cross, contractions, chains."""
import torch

DATABASE = "tensordot kron addbmm vdot linalg.vecdot"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)
i = lambda *v: torch.tensor(v)


def more(d):
    for name in ("cross", "linalg.cross"):
        yield name, [r(2, 3, d=d), r(2, 3, d=d)], {}
        yield name, [r(3, 2, d=d), r(3, 1, d=d)], {"dim": 0}
        yield name, [i(1, 2, 3), i(3, 2, 1)], {}
    yield "tensordot", [r(2, 3, d=d), r(3, 2, d=d), 1], {}
    yield "tensordot", [r(2, 3, d=d), r(2, d=d), 0], {}
    yield "tensordot", [r(2, 3, 2, d=d), r(2, 3, 2, d=d)], {"dims": [[0, 1], [2, 1]]}
    for equation, shapes in (("ij->ji", [(2, 3)]), ("ii", [(3, 3)]), ("ii->i", [(3, 3)]), ("ij,jk", [(2, 3), (3, 2)]),
                             ("...ij,...jk->...ik", [(2, 2, 3), (1, 3, 2)]), ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
                             ("i,j,k->kij", [(2,), (3,), (2,)]), ("ij,kj,k->i", [(2, 3), (2, 3), (2,)]),
                             ("a...b->b...", [(2, 3, 2)]), (" i j , j -> i ", [(2, 3), (3,)]), ("->", [()]),
                             ("ij,ij->", [(2, 3), (2, 3)]), ("iij,jk->ik", [(2, 2, 3), (3, 2)])):
        yield "einsum", [equation, [r(*s, d=d) for s in shapes]], {}
    yield "einsum", ["ij,jk->ik", r(2, 3, d=d), r(3, 2, d=d)], {}
    yield "einsum", ["i,i->", [i(1, 2), i(3, 4)]], {}
    yield "kron", [r(2, 2, d=d), r(2, 3, d=d)], {}
    yield "kron", [r(2, d=d), r(1, 3, d=d)], {}
    for name in ("addbmm", "addbmm_"):
        yield name, [r(2, 2, d=d), r(2, 2, 3, d=d), r(2, 3, 2, d=d)], {"beta": 0.5, "alpha": 2}
    yield "addbmm", [r(2, d=d), r(2, 2, 3, d=d), r(2, 3, 2, d=d)], {}
    for name in ("addr", "addr_"):
        yield name, [r(2, 3, d=d), r(2, d=d), r(3, d=d)], {"beta": 0.5, "alpha": 2}
    yield "addr", [r(3, d=d), r(2, d=d), r(3, d=d)], {"beta": 0}
    yield "vdot", [r(3, d=d), r(3, d=d)], {}
    yield "linalg.vecdot", [r(2, 3, d=d), r(3, d=d)], {}
    for shapes in ([(2, 3), (3, 2)], [(3,), (3, 2), (2,)], [(2, 3), (3, 1), (1, 4)], [(4, 1), (1, 3), (3, 2), (2, 4)], [(3,), (3,)]):
        yield "linalg.multi_dot", [[r(*s, d=d) for s in shapes]], {}
    yield "chain_matmul", [r(2, 3, d=d), r(3, 1, d=d), r(1, 4, d=d)], {}
    yield "nn.functional.bilinear", [r(2, d=d), r(3, d=d), r(2, 2, 3, d=d), r(2, d=d)], {}
    yield "nn.functional.bilinear", [r(2, 2, d=d), r(2, 3, d=d), r(2, 2, 3, d=d)], {}
