# input mu = torch.tensor([-1.0, 0.3, 2.0], dtype=torch.float64)
# input log_sigma = torch.tensor([0.1, -0.4, 0.2], dtype=torch.float64)
# input logits = torch.tensor([0.2, -0.1, 0.5], dtype=torch.float64)
# capture data = torch.randn(10, dtype=torch.float64) * 2
import math


def log_likelihood(mu, log_sigma, logits):
    z = (data[:, None] - mu) / log_sigma.exp()
    log_p = -0.5 * z ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)
    return torch.logsumexp(log_p + torch.log_softmax(logits, 0), dim=1).sum()
