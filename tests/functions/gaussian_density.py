# input x = torch.tensor([0.3, -0.5, 1.0], dtype=torch.float64)
# input L0 = torch.randn(3, 3, dtype=torch.float64) / 2
import math


def log_density(x, L0):
    S = L0 @ L0.T + torch.eye(3, dtype=torch.float64)
    L = torch.linalg.cholesky(S)
    z = torch.linalg.solve_triangular(L, x[:, None], upper=False)
    return -0.5 * (z * z).sum() - L.diagonal().log().sum() - 1.5 * math.log(2 * math.pi)
