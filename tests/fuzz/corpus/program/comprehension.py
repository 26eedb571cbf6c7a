print([x * y for x in range(3) for y in range(4) if x if y > 1])
print({x for x in 'abca'}, {k: v for k, v in [(1, 2)]}, list(x for x in (1, 2)))
print([[j for j in range(i)] for i in range(3)], [y := 5, y ** 2])
