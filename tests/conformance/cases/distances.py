"""Distances, norms that bound, tables of vectors."""
import torch

DATABASE = """cdist nn.functional.pdist nn.functional.pairwise_distance nn.functional.cosine_similarity
nn.functional.embedding"""

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)
F = "nn.functional."


def more(d):
    inf = float("inf")
    for p in (0, 0.5, 1, 1.5, 2, 3, inf):
        yield "dist", [r(2, 3, d=d), r(3, d=d), p], {}
        yield "cdist", [r(2, 3, d=d), r(4, 3, d=d), p], {}
        yield F + "pdist", [r(3, 2, d=d), p], {}
    yield "cdist", [r(2, 1, 2, 3, d=d), r(2, 3, d=d)], {}
    same = torch.ones(2, 2, dtype=d, requires_grad=True)
    yield "cdist", [same, same.detach()], {}
    yield F + "pairwise_distance", [r(2, 3, d=d), r(2, 3, d=d)], {}
    yield F + "pairwise_distance", [r(2, 3, d=d), r(3, d=d)], {"p": 1.0, "keepdim": True}
    yield F + "cosine_similarity", [r(2, 3, d=d), r(2, 3, d=d)], {}
    yield F + "cosine_similarity", [r(2, 3, d=d), r(1, 3, d=d)], {"dim": 0, "eps": 5.0}
    for name in ("renorm", "renorm_"):
        for p in (1, 2, 2.5, inf):
            yield name, [r(3, 2, d=d), p, 0, 1.0], {}
    index = torch.tensor([[0, 2], [2, 1]])
    yield F + "embedding", [index, r(3, 2, d=d)], {}
    yield F + "embedding", [index, r(3, 2, d=d)], {"padding_idx": -1}
    yield F + "embedding", [index, r(3, 2, d=d)], {"scale_grad_by_freq": True}
    yield F + "embedding", [index, r(3, 2, d=d).detach()], {"max_norm": 0.5}
