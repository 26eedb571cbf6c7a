# input w = torch.randn(3, dtype=torch.float64)
# input log_noise = torch.tensor(-0.5, dtype=torch.float64)
# capture X = torch.randn(8, 3, dtype=torch.float64)
# capture y = torch.randn(8, dtype=torch.float64)
def log_posterior(w, log_noise):
    residual = y - X @ w
    noise = torch.exp(log_noise)
    likelihood = -0.5 * (residual / noise).pow(2).sum() - len(y) * log_noise
    return likelihood - 0.5 * w.pow(2).sum() - 0.5 * log_noise ** 2
