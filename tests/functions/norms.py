# input A = torch.randn(3, 4, dtype=torch.float64)
def norms(A):
    return torch.linalg.norm(A), A.norm(dim=1), torch.linalg.vector_norm(A, 3), A.abs().amax(0)
