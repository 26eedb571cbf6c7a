"""Recording cases for reading images at given places."""
import itertools
import torch


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    F = "nn.functional."
    for mode, padding in itertools.product(("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")):
        for aligned in (True, False):
            yield F + "grid_sample", [r(1, 1, 2, 3), r(1, 1, 2, 2), mode, padding, aligned], {}
            if mode != "bicubic":
                yield F + "grid_sample", [r(1, 1, 2, 3, 1), r(1, 1, 1, 2, 3), mode, padding, aligned], {}
    yield F + "grid_sample", [r(2, 2, 3, 2), r(2, 1, 1, 2)], {}
    for v in (float("nan"), float("inf"), -1.0, 1.0):
        for padding in ("zeros", "border", "reflection"):
            yield F + "grid_sample", [r(1, 1, 2, 3).detach(), torch.full((1, 1, 1, 2), v, dtype=d)], {"padding_mode": padding, "align_corners": True}
    yield F + "affine_grid", [r(2, 2, 3), [2, 1, 3, 2]], {}
    yield F + "affine_grid", [r(1, 2, 3), [1, 1, 1, 3], True], {}
    yield F + "affine_grid", [r(1, 3, 4), [1, 1, 2, 3, 2]], {"align_corners": False}
    yield "affine_grid_generator", [r(1, 2, 3), [1, 1, 2, 2], True], {}
