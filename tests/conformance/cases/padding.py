"""Padding, pixel shuffles, patches."""
import torch

DATABASE = "nn.functional.pixel_shuffle nn.functional.pixel_unshuffle nn.functional.unfold"
VARIANTS = "constant reflect replicate circular"

r = lambda *s, d=torch.float64: torch.randn(s, dtype=d, requires_grad=True)
F = "nn.functional."


def more(d):
    yield "constant_pad_nd", [r(2, 3, d=d), [1, -1, 0, 2], 1.5], {}
    yield F + "pad", [r(2, 3, d=d), [1, 2]], {}
    yield F + "pad", [torch.tensor([[1, 2], [3, 4]]), [1, 0, 0, 1], "constant", 7], {}
    for mode in ("reflect", "replicate", "circular"):
        yield F + "pad", [r(1, 2, 3, d=d), [2, 1], mode], {}
        yield F + "pad", [r(1, 2, 3, d=d), [-1, 2], mode], {}
        yield F + "pad", [r(1, 1, 3, 3, d=d), [1, 2, 2, 0], mode], {}
        yield F + "pad", [r(1, 1, 2, 2, 2, d=d), [1, 1, 0, 1, 1, 0], mode], {}
    yield "channel_shuffle", [torch.arange(12, dtype=d).reshape(1, 6, 2), 3], {}
    yield "channel_shuffle", [r(1, 4, 1, 2, d=d), 2], {}
    yield "native_channel_shuffle", [torch.arange(12).reshape(2, 6), 2], {}
    yield "native_channel_shuffle", [r(1, 4, 1, d=d), 4], {}
    yield F + "pixel_shuffle", [r(1, 4, 2, 3, d=d), 2], {}
    yield F + "pixel_unshuffle", [r(1, 4, 2, d=d), 2], {}
    yield F + "unfold", [r(1, 2, 3, 4, d=d), [2, 3]], {"padding": 1, "stride": [2, 1]}
    yield F + "unfold", [r(1, 4, 4, d=d), 2], {"dilation": 2}
    yield F + "fold", [r(1, 8, 6, d=d), [3, 4], [2, 2]], {}
    yield F + "fold", [r(4, 9, d=d), [4, 4], 2], {"padding": 1, "stride": 2}
