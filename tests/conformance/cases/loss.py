"""Recording cases for the losses beyond those that record.py has."""
import torch

NAMES = """smooth_l1_loss huber_loss soft_margin_loss margin_ranking_loss hinge_embedding_loss cosine_embedding_loss
triplet_margin_loss triplet_margin_with_distance_loss multi_margin_loss multilabel_margin_loss gaussian_nll_loss poisson_nll_loss kl_div multilabel_soft_margin_loss""".split()
DATABASE = " ".join("nn.functional." + n for n in NAMES)
VARIANTS = ""


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    p = lambda *s: torch.rand(s, dtype=d).add_(0.5).requires_grad_()
    sign = lambda *s: torch.randn(s, dtype=d).sign()
    F = "nn.functional."
    for reduction in ("none", "mean", "sum"):
        k = {"reduction": reduction}
        yield F + "smooth_l1_loss", [r(3, 2), r(3, 2)], dict(k, beta=0.5)
        yield F + "huber_loss", [r(3, 2), r(3, 2)], dict(k, delta=0.5)
        yield F + "soft_margin_loss", [r(3, 2), sign(3, 2)], k
        yield F + "margin_ranking_loss", [r(3, 2), r(3, 2), sign(3, 2)], dict(k, margin=0.3)
        yield F + "hinge_embedding_loss", [r(3, 2), sign(3, 2)], k
        yield F + "cosine_embedding_loss", [r(3, 2), r(3, 2), sign(3)], dict(k, margin=0.1)
        yield F + "triplet_margin_loss", [r(3, 2), r(3, 2), r(3, 2)], dict(k, swap=True)
        yield F + "gaussian_nll_loss", [r(3, 2), r(3, 2), p(3, 1)], dict(k, full=True)
        yield F + "poisson_nll_loss", [r(3, 2), p(3, 2).detach()], dict(k, full=True)
        yield F + "kl_div", [r(3, 2), p(3, 2)], k
        yield F + "multilabel_soft_margin_loss", [r(3, 2), p(3, 2).detach()], k
        yield F + "triplet_margin_with_distance_loss", [r(3, 2), r(3, 2), r(3, 2)], dict(k, swap=True, margin=0.5)
        yield F + "multi_margin_loss", [r(3, 4), torch.tensor([0, 3, 2])], dict(k, margin=0.5)
        yield F + "multi_margin_loss", [r(3, 4), torch.tensor([0, 3, 2]), 2], dict(k, weight=p(4).detach())
        yield F + "multi_margin_loss", [r(4), torch.tensor(1)], k
        yield F + "multilabel_margin_loss", [r(2, 4), torch.tensor([[0, 1, -1, 2], [3, -1, 0, 0]])], k
        yield F + "multilabel_margin_loss", [r(3), torch.tensor([1, 2, -1])], k
        y, w = torch.tensor([0, -100, 2]), p(4).detach()
        yield F + "cross_entropy", [r(3, 4), y], dict(k, label_smoothing=0.3)
        yield F + "cross_entropy", [r(1, 4, 3), y[None]], dict(k, weight=w, label_smoothing=0.3)
        yield F + "nll_loss", [r(1, 4, 3), y[None]], dict(k, weight=w)
        yield F + "nll_loss", [r(1, 4, 1, 3), y[None, None]], k
    yield F + "nll_loss", [r(1, 4, 1, 1, 3), y[None, None, None]], {}
    yield F + "cross_entropy", [r(2, 4), r(2, 4).softmax(1).detach()], {"label_smoothing": 0.3}
    yield F + "smooth_l1_loss", [r(3), r(3)], {"beta": 0.0}
    yield F + "kl_div", [r(3, 2), r(3, 2)], {"reduction": "batchmean", "log_target": True}
    yield F + "poisson_nll_loss", [p(3), p(3)], {"log_input": False}
