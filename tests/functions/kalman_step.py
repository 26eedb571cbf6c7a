# input m = torch.tensor([0.5, -1.0], dtype=torch.float64)
# input P = torch.tensor([[1.0, 0.2], [0.2, 0.7]], dtype=torch.float64)
# input z = torch.tensor([0.9], dtype=torch.float64)
# capture A = torch.tensor([[1.0, 0.1], [0.0, 1.0]], dtype=torch.float64)
# capture Q = torch.eye(2, dtype=torch.float64) * 0.01
# capture H = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
def step(m: float64[2], P: float64[2, 2], z: float64[1]):
    m = A @ m
    P = A @ P @ A.T + Q
    S = H @ P @ H.T + 0.05
    K = P @ H.T @ torch.linalg.inv(S)
    m = m + K @ (z - H @ m)
    P = (torch.eye(2, dtype=torch.float64) - K @ H) @ P
    return m, P
