# input w = torch.randn(3, dtype=torch.float64) / 2
# input b = torch.tensor(0.2, dtype=torch.float64)
# capture X = torch.randn(12, 3, dtype=torch.float64)
# capture y = (torch.rand(12, dtype=torch.float64) > 0.5).double()
def negative_log_likelihood(w: float64[3], b: float64):
    z = X @ w + b
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="sum") + 0.1 * (w * w).sum()
