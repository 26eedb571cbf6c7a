"""Recording cases for pools that pick the greatest element, and that put it back."""
import torch

NAMES = "max_pool1d max_pool2d max_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d max_unpool1d"
DATABASE = " ".join("nn.functional." + n for n in NAMES.split())
VARIANTS = "grad"


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    u = lambda *s: torch.rand(s, dtype=d)
    F = "nn.functional."
    yield F + "max_pool1d", [r(1, 2, 7), 3, 2, 1], {"ceil_mode": True, "return_indices": True}
    yield F + "max_pool2d", [r(1, 2, 5, 6), (3, 2)], {"stride": 2, "padding": 1, "dilation": (1, 2)}
    yield F + "max_pool2d", [torch.tensor([[[1.0, 1.0], [float("nan"), 1.0]]], dtype=d), 2], {"return_indices": True}
    yield F + "max_pool3d", [r(1, 4, 4, 3), 2], {"padding": 1, "return_indices": True}
    yield F + "adaptive_max_pool1d", [r(1, 2, 7), 3], {"return_indices": True}
    yield F + "adaptive_max_pool2d", [r(1, 2, 5, 6), (None, 4)], {"return_indices": True}
    yield F + "adaptive_max_pool3d", [r(1, 4, 4, 3), (2, None, 1)], {}
    yield F + "max_unpool1d", [r(2, 3), torch.tensor([[0, 3, 5], [1, 1, 4]]), 2], {}
    yield F + "max_unpool1d", [r(1, 1, 2), torch.tensor([[[0, 3]]]), 2, 2, 0, [5]], {}
    yield F + "max_unpool2d", [r(1, 2, 2), torch.tensor([[[0, 3], [9, 14]]]), (2, 2)], {"stride": 2, "output_size": (4, 5)}
    yield F + "max_unpool3d", [r(1, 1, 2, 2), torch.tensor([[[[0, 3], [9, 14]]]]), 2, (2, 2, 2), 0], {}
    yield F + "fractional_max_pool2d", [r(1, 2, 6, 6), 2], {"output_size": 3, "_random_samples": u(1, 2, 2)}
    yield F + "fractional_max_pool2d", [r(2, 5, 6), (2, 3), (3, 2), None, True], {}
    yield F + "fractional_max_pool2d", [r(1, 1, 6, 6), 2], {"output_ratio": 0.5, "return_indices": True}
    yield F + "fractional_max_pool2d", [r(1, 1, 6, 6), 2], {"output_ratio": (0.5, 0.7), "return_indices": True}
    yield F + "fractional_max_pool2d", [torch.full((1, 3, 3), float("nan"), dtype=d), 2, 2], {"return_indices": True}
    yield F + "fractional_max_pool3d", [r(1, 4, 4, 4), 2], {"output_size": 2, "_random_samples": u(1, 1, 3)}
    yield F + "fractional_max_pool3d", [r(1, 4, 5, 4), 2], {"output_ratio": 0.5, "return_indices": True}
