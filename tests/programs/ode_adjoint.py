# A pendulum by Runge-Kutta, differentiated through the whole integration.
import torch


def pendulum(state, length):
    angle, speed = state
    return speed, -9.81 / length * torch.sin(angle)


def rk4(f, state, h, *args):
    add = lambda s, k, c: tuple(a + c * b for a, b in zip(s, k))
    k1 = f(state, *args)
    k2 = f(add(state, k1, h / 2), *args)
    k3 = f(add(state, k2, h / 2), *args)
    k4 = f(add(state, k3, h), *args)
    return tuple(s + h / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4))


def simulate(angle, length, steps=100, h=0.01):
    state = (angle, torch.zeros((), dtype=torch.float64))
    for _ in range(steps):
        state = rk4(pendulum, state, h, length)
    return state


angle = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
length = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
a, s = simulate(angle, length)
energy = 0.5 * s ** 2 - 9.81 * torch.cos(a)
print(f'{a.item():.8f} {s.item():.8f} {energy.item():.6f}')
ga, gl = torch.autograd.grad(a, [angle, length])
print(f'{ga.item():.6f} {gl.item():.6f}')
with torch.no_grad():
    up, down = simulate(angle, length + 1e-6)[0], simulate(angle, length - 1e-6)[0]
print(f'{((up - down) / 2e-6).item():.4f}')
target = simulate(angle.detach(), torch.tensor(0.8, dtype=torch.float64), steps=50)[0]
guess = torch.tensor(0.9, dtype=torch.float64, requires_grad=True)
for i in range(6):
    miss = simulate(angle.detach(), guess, steps=50)[0] - target
    d, = torch.autograd.grad(miss, guess)
    with torch.no_grad():
        guess -= miss / d
    print(i, f'{guess.item():.6f} {abs(miss.item()):.1e}' if i < 3 else f'{guess.item():.6f}')
