# input A = torch.randn(3, 3, dtype=torch.float64) + 3 * torch.eye(3, dtype=torch.float64)
# input b = torch.randn(3, dtype=torch.float64)
def quadratic(A, b):
    return b @ torch.linalg.solve(A, b)
