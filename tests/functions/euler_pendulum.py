# input state = torch.tensor([0.7, -0.2], dtype=torch.float64)
# input length = torch.tensor(1.3, dtype=torch.float64)
def pendulum(state: float64[2], length: float64, *, steps: int = 20):
    angle, speed = state[0], state[1]
    dt = 0.05
    for _ in range(steps):
        speed = speed - dt * 9.81 / length * torch.sin(angle)
        angle = angle + dt * speed
    return {"angle": angle, "speed": speed}
