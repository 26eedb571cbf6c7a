# input A = torch.randn(3, 3, dtype=torch.float64) + 3 * torch.eye(3, dtype=torch.float64)
def both(A: float64[3, 3]):
    return torch.linalg.inv(A), torch.linalg.det(A)
