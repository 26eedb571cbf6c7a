"""Recording cases for convolutions."""
import torch

DATABASE = "nn.functional.conv1d nn.functional.conv2d nn.functional.conv_transpose1d nn.functional.conv_transpose2d nn.functional.conv_transpose3d"
VARIANTS = ""


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    F = "nn.functional."
    yield F + "conv1d", [r(2, 2, 6), r(3, 2, 3), r(3)], {"stride": 2, "padding": 1}
    yield F + "conv1d", [r(2, 6), r(3, 2, 3)], {"padding": "same"}
    yield F + "conv2d", [r(1, 2, 5, 5), r(2, 1, 3, 2), r(2)], {"groups": 2, "dilation": (1, 2)}
    yield F + "conv2d", [r(1, 2, 4, 4), r(2, 2, 2, 3), r(2)], {"padding": "same"}
    yield F + "conv2d", [r(1, 2, 4, 4), r(2, 2, 1, 1)], {"padding": "valid"}
    yield F + "conv3d", [r(1, 2, 3, 3, 3), r(2, 2, 2, 2, 2), r(2)], {"padding": 1, "stride": (1, 2, 2)}
    yield F + "conv3d", [r(1, 3, 3, 3), r(2, 1, 2, 2, 2)], {"padding": "same"}
    yield F + "conv3d", [r(1, 3, 3, 3), r(2, 1, 2, 2, 2)], {}
    yield F + "conv_transpose1d", [r(2, 2, 4), r(2, 3, 3), r(3)], {"stride": 2, "padding": 1, "output_padding": 1}
    yield F + "conv_transpose2d", [r(1, 2, 3, 3), r(2, 1, 3, 2), r(2)], {"groups": 2, "dilation": (1, 2)}
    yield F + "conv_transpose3d", [r(2, 2, 2, 2), r(2, 1, 2, 2, 2), r(1)], {"stride": 2}
