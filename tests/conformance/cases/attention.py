"""Recording cases for attention."""
import torch


def more(d):
    r = lambda *s: torch.randn(s, dtype=d, requires_grad=True)
    name = "nn.functional._scaled_dot_product_attention"
    yield name, [r(1, 3, 2), r(1, 2, 2), r(1, 2, 2)], {"need_attn_weights": True}
    yield name, [r(3, 2), r(3, 2), r(3, 1)], {"is_causal": True, "need_attn_weights": True}
    yield name, [r(1, 3, 2), r(1, 3, 2), r(1, 3, 2), torch.ones(3, 3).tril().bool(), 0.0, True], {}
    yield name, [r(1, 3, 2), r(1, 3, 2), r(1, 3, 2), r(3, 3), 0.0, True], {}
    yield name, [r(1, 3, 2), r(1, 3, 2), r(1, 3, 2), None, 0.3, True], {}
    yield name, [r(1, 2, 3, 2), r(1, 2, 3, 2), r(1, 2, 3, 2)], {}
