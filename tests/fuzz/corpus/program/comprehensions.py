print([(x, y) for x in range(3) for y in range(x) if x != y], {k: v for k, v in zip('ab', [1, 2])}, {i % 2 for i in range(4)})
g = (lambda: x for x in range(3))
print([h() for h in g], sum(x for x in [1, 2]))
[y := 5, y]
