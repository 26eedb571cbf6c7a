"""Recording cases for pools that pick the greatest element."""
import torch

NAMES = "max_pool1d max_pool2d max_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d"
DATABASE = " ".join("nn.functional." + n for n in NAMES.split())
VARIANTS = ""


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    F = "nn.functional."
    yield F + "max_pool1d", [r(1, 2, 7), 3, 2, 1], {"ceil_mode": True, "return_indices": True}
    yield F + "max_pool2d", [r(1, 2, 5, 6), (3, 2)], {"stride": 2, "padding": 1, "dilation": (1, 2)}
    yield F + "max_pool2d", [torch.tensor([[[1.0, 1.0], [float("nan"), 1.0]]], dtype=d), 2], {"return_indices": True}
    yield F + "max_pool3d", [r(1, 4, 4, 3), 2], {"padding": 1, "return_indices": True}
    yield F + "adaptive_max_pool1d", [r(1, 2, 7), 3], {"return_indices": True}
    yield F + "adaptive_max_pool2d", [r(1, 2, 5, 6), (None, 4)], {"return_indices": True}
    yield F + "adaptive_max_pool3d", [r(1, 4, 4, 3), (2, None, 1)], {}
