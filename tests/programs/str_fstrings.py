# f-strings: expressions, conversions, specs, nesting, debug form.
import torch
name, n, pi = 'gradd', 3, 3.14159265
print(f'{name} {n} {pi}', f"{name!r} {name!s:>8} {pi:.2f} {pi:8.3f}| {n:03d} {n:>4}", f'{n + 1} {n * 2 = } {n=} {pi=:.2f} {name=}')
print(f'{{literal}} {{{n}}} {"nested " + name} {[i * 2 for i in range(n)]} {(lambda v: v + 1)(n)} {n if n > 2 else 0}')
width, precision = 10, 3
print(f'[{pi:{width}.{precision}f}] [{name:>{width}}] [{name:^{width + 2}}] [{n:{"0"}{5}d}]')
print(f'{ {"a": 1}["a"] } {dict(k=2)["k"]} {n:x} {255:#x} {0.25:.0%} {1234567:,}')
print(f'a' 'b' f'{n}c', f'' == '', rf'\n{n}', F'{n}')
print(f'''multi {n}
line {name.upper()}''')
print(f'{"标量"}：{n}，{name!a}', f'{n!r:>3}|')
x = torch.tensor(1.5)
v = torch.tensor([1.0, 2.0])
print(f'{x} {x:.3f} {x.item():>8.2f} {v} {v.shape} {x:5.1f}|')
print(f'{v.tolist()} {v.dtype} {v.sum():.2f} {v.requires_grad}')
print(f'{1 == 1} {n != 3} {n >= 2} {"yes" if n < 5 else "no"}')
print(f'{None} {True!r} {[1, "a"]} {(1,)} {"q"!r}')
print(f'{n:{width}}|{n:<{width}}|{"":-^{width}}')
for i, c in enumerate('ab'):
    print(f'{i}: {c!r:<5}|{ord(c):5d}')
epoch, loss = 7, 0.123456
print(f'epoch {epoch:>3d} | loss {loss:.4f} | {"=" * epoch}')
