# Texts of errors that PyTorch's own argument checks give.
import torch


def attempt(f):
    try:
        print(f())
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as e:
        print(type(e).__name__, str(e).split('\n')[0])


x = torch.ones(2, 3)
attempt(lambda: torch.relu())
attempt(lambda: torch.exp('x'))
attempt(lambda: torch.cat(x))
attempt(lambda: torch.cat([x, 5]))
attempt(lambda: torch.cat(5))
attempt(lambda: torch.stack([]))
attempt(lambda: torch.exp(x, bogus=1))
attempt(lambda: torch.mm(x, x))
attempt(lambda: torch.bmm(x, x))
attempt(lambda: x.t().t().unsqueeze(0).t())
attempt(lambda: x.reshape(2, 2))
attempt(lambda: x.softmax(5))
attempt(lambda: x.index_select(0, torch.tensor([5])))
attempt(lambda: x.gather(0, torch.tensor([[9]])))
attempt(lambda: torch.ones(1, 1, 1).diag())
attempt(lambda: torch.ones(2).trace())
attempt(lambda: x.squeeze(9))
attempt(lambda: torch.where(x, x, x))
attempt(lambda: torch.linspace(0, 1, -1))
attempt(lambda: torch.rand(-1))
attempt(lambda: torch.randint(5, 5, (2,)))
attempt(lambda: torch.randperm(-1))
attempt(lambda: torch.normal(0., -1., (2,)))
attempt(lambda: x.expand(3))
attempt(lambda: x.flatten(2, 1))
attempt(lambda: x.narrow(0, 5, 1))
attempt(lambda: x.select(0, 9))
attempt(lambda: x.unflatten(1, (2, 2)))
attempt(lambda: x.chunk(0))
attempt(lambda: x.item())
attempt(lambda: int(x))
attempt(lambda: torch.tensor(x.tolist() + [[1]]))
attempt(lambda: x.backward())
attempt(lambda: x.clamp())
attempt(lambda: x.norm(p='weird'))
