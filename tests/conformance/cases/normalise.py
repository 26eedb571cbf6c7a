"""Recording cases for normalisation, channel and alpha dropout."""
import torch

DATABASE = """native_batch_norm nn.functional.layer_norm nn.functional.group_norm
nn.functional.feature_alpha_dropout"""
VARIANTS = "without_train"


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    c = lambda *s: torch.randn(s, dtype=d)
    p = lambda *s: torch.rand(s, dtype=d).add_(0.5)
    F = "nn.functional."
    yield F + "layer_norm", [r(2, 3, 4), [3, 4], r(3, 4), r(3, 4)], {"eps": 0.1}
    yield F + "layer_norm", [r(3, 9), [9], None, r(9)], {}
    yield F + "normalize", [r(2, 3)], {"p": 1}
    yield F + "normalize", [r(2, 2, 2)], {}
    yield F + "normalize", [r(3)], {"p": 3.0, "dim": -1}
    yield F + "normalize", [r(2, 3)], {"p": float("inf"), "dim": (0, 1)}
    yield F + "normalize", [torch.zeros(2, 2, dtype=d, requires_grad=True)], {"eps": 0.5, "dim": 0}
    yield F + "group_norm", [r(2, 4, 3), 2, r(4), r(4)], {"eps": 0.01}
    yield F + "group_norm", [r(2, 4), 2], {}
    yield F + "batch_norm", [r(3, 2, 4), c(2), p(2), r(2), r(2), True, 0.3], {}
    yield F + "batch_norm", [r(3, 2, 4), c(2), p(2), r(2), r(2)], {}
    yield F + "batch_norm", [r(5, 2), None, None], {"training": True, "weight": r(2)}
    yield "native_batch_norm", [r(4, 2), r(2), None, c(2), p(2), False, 0.1, 1e-3], {}
    yield "native_batch_norm", [r(1, 3), None, r(3), None, None, True, 0.1, 1e-3], {}
    yield F + "instance_norm", [r(2, 3, 4), c(3), p(3), r(3), r(3)], {}
    yield F + "instance_norm", [r(2, 3, 4), c(3), p(3)], {"use_input_stats": False}
    yield F + "local_response_norm", [r(2, 4, 3), 3], {"alpha": 0.5, "k": 2.0}
    yield F + "local_response_norm", [r(1, 4, 2, 2, 2), 2], {"beta": 0.5}
    for name in ("dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"):
        for shape in ((2, 3, 2, 2), (3, 4), (2, 2, 1, 2, 2)):
            yield F + name, [r(*shape), 0.4, True], {}
        yield F + name, [r(2, 3, 2), 1.0, True], {}
        yield F + name, [r(2, 3, 2), 0.5, False], {}
        yield F + name, [c(2, 3, 2), 0.5, True, True], {}
