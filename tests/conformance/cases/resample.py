"""Recording cases for average pools and interpolation."""
import torch

NAMES = "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d interpolate upsample_nearest upsample_bilinear"
DATABASE = " ".join("nn.functional." + n for n in NAMES.split())
VARIANTS = "nearest linear bilinear bicubic trilinear area"


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    F = "nn.functional."
    yield F + "lp_pool1d", [r(1, 2, 7), 3, 3], {"stride": 2, "ceil_mode": True}
    yield F + "lp_pool1d", [r(2, 6), 2.0, 2], {}
    yield F + "lp_pool2d", [r(1, 2, 4, 5), 2, (2, 3)], {}
    yield F + "lp_pool2d", [torch.tensor([[[1.0, 0.0], [0.0, 0.0]]], dtype=d, requires_grad=True), 1.5, 1], {"stride": 1}
    yield F + "avg_pool1d", [r(1, 2, 7), 3, 2, 1], {"ceil_mode": True, "count_include_pad": False}
    yield F + "avg_pool2d", [r(1, 2, 5, 6), (3, 2)], {"stride": 2, "padding": 1, "count_include_pad": False}
    yield F + "avg_pool2d", [r(2, 5, 6), 3], {"divisor_override": 5}
    yield F + "avg_pool3d", [r(1, 4, 4, 3), 2], {"padding": 1}
    yield F + "adaptive_avg_pool1d", [r(1, 2, 7), 3], {}
    yield F + "adaptive_avg_pool2d", [r(1, 2, 5, 6), (None, 4)], {}
    yield F + "adaptive_avg_pool2d", [r(1, 2, 5, 6), 1], {}
    yield F + "adaptive_avg_pool3d", [r(1, 4, 4, 3), (2, None, 1)], {}
    for mode in ("nearest", "nearest-exact", "area"):
        yield F + "interpolate", [r(1, 2, 5)], {"size": [3], "mode": mode}
        yield F + "interpolate", [r(1, 1, 4, 3)], {"size": 5, "mode": mode}
        yield F + "interpolate", [r(1, 1, 2, 2, 3)], {"scale_factor": 1.5, "mode": mode}
    for mode, shape in (("linear", (1, 2, 5)), ("bilinear", (1, 1, 4, 3)), ("bicubic", (1, 1, 4, 3)), ("trilinear", (1, 1, 2, 3, 2))):
        for aligned in (False, True):
            yield F + "interpolate", [r(*shape)], {"size": 7 if len(shape) < 5 else 4, "mode": mode, "align_corners": aligned}
            yield F + "interpolate", [r(*shape)], {"scale_factor": [0.7] * (len(shape) - 2), "mode": mode, "align_corners": aligned}
        yield F + "interpolate", [r(*shape)], {"scale_factor": 1.7, "mode": mode, "recompute_scale_factor": True}
    for name in ("upsample_nearest", "upsample_bilinear"):
        yield F + name, [r(1, 2, 3, 3)], {"size": [4, 5]}
        yield F + name, [r(1, 2, 3, 3)], {"size": 4}
        yield F + name, [r(1, 2, 3, 3)], {"scale_factor": 2.0}
        yield F + name, [r(1, 2, 3, 3)], {"scale_factor": [2.0, 1.5]}
