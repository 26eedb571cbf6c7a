# Shape operations, by method and by function.
import torch
x = torch.arange(12)
m = x.reshape(3, 4)
print(m.view(2, 6), m.view(-1), m.reshape(2, -1).shape, m.T, m.t().shape, m.transpose(0, 1).shape, m.permute(1, 0).shape, m.view(2, 2, 3).permute(2, 0, 1).shape, m.flatten().shape)
print(m.unsqueeze(0).shape, m.unsqueeze(-1).shape, m[None].squeeze().shape, m.unsqueeze(1).squeeze(1).shape, m.expand(2, 3, 4).shape, m.repeat(2, 1).shape, m.view(1, 3, 4).expand(-1, -1, 4).shape)
print(torch.cat([m, m]).shape, torch.cat([m, m], dim=1).shape, torch.stack([m, m]).shape, torch.stack([x, x], dim=-1).shape, [t.shape for t in m.split(2)], [t.shape for t in m.split([1, 2])], [t.shape for t in m.chunk(2, dim=1)], [t.tolist() for t in m.unbind(1)])
print(m.flip(0), m.flip([0, 1])[0], m.roll(1), m.roll(1, 0)[0], m.tril()[0], m.triu(1)[2], m[:, :3].diag(), torch.diag(torch.tensor([1, 2])), m[:3, :3].trace(), m.diagonal(1))
print(m.shape, m.size(0), m.size(-1), m.numel(), m.dim(), m.ndim, m.stride(), m.t().stride(), m.is_contiguous(), m.t().is_contiguous(), m.t().contiguous().stride(), m[1:].storage_offset())
print(m.movedim(0, 1).shape, torch.swapaxes(m, 0, 1).shape, m.view_as(m.t().contiguous().t()).shape, m.reshape_as(x).shape, m.unflatten(1, (2, 2)).shape, x.as_strided((2, 2), (1, 2)), m.narrow(1, 1, 2).shape, m.mT.shape)
print(torch.zeros(2, 0, 3).shape, torch.zeros(0).reshape(0, 5).shape, torch.zeros(1, 3, 1).squeeze(0).shape, torch.zeros(1, 3, 1).squeeze(1).shape)
a, b = torch.ones(3, 1), torch.ones(4)
print((a + b).shape, (a * torch.ones(2, 1, 1)).shape)
for bad in (lambda: m.view(5), lambda: m.reshape(7, -1), lambda: torch.cat([m, x]), lambda: torch.stack([m, x]), lambda: m.transpose(0, 5), lambda: m.permute(0), lambda: m.expand(4, 4), lambda: m.unsqueeze(4), lambda: m + torch.ones(5), lambda: m.split(0), lambda: torch.cat([]), lambda: m.squeeze(3), lambda: m.size(2), lambda: m.repeat(2), lambda: x.t().t().diag(0).view(3)):
    try:
        bad()
    except (RuntimeError, IndexError, TypeError, ValueError) as e:
        print(type(e).__name__, str(e).split('\n')[0])
