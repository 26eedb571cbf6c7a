# Loops with many turns: a sieve, a simulation, dynamic programming.
def sieve(n):
    flags = [True] * (n + 1)
    flags[0] = flags[1] = False
    i = 2
    while i * i <= n:
        if flags[i]:
            for j in range(i * i, n + 1, i):
                flags[j] = False
        i += 1
    return [i for i, f in enumerate(flags) if f]


p = sieve(20000)
print(len(p), p[:5], p[-3:], sum(p))


def lcg(seed):
    state = seed

    def draw():
        nonlocal state
        state = (state * 1103515245 + 12345) % 2147483648
        return state / 2147483648
    return draw


draw = lcg(1)
inside = 0
for _ in range(20000):
    x, y = draw(), draw()
    if x * x + y * y < 1:
        inside += 1
print(4 * inside / 20000)


def knapsack(items, capacity):
    best = [0] * (capacity + 1)
    for weight, value in items:
        for c in range(capacity, weight - 1, -1):
            best[c] = max(best[c], best[c - weight] + value)
    return best[capacity]


print(knapsack([(3, 4), (4, 5), (7, 10), (8, 11), (9, 13)], 17))
values = [int(draw() * 1000) for _ in range(300)]
v = values[:]
for i in range(len(v)):
    for j in range(len(v) - 1 - i):
        if v[j] > v[j + 1]:
            v[j], v[j + 1] = v[j + 1], v[j]
print(v == sorted(values), v[0], v[-1])
s = ''
for i in range(500):
    s += chr(97 + i % 26)
print(len(s), s[:30], s.count('a'))
words = {}
for i in range(3000):
    words[f'w{i % 97}'] = words.get(f'w{i % 97}', 0) + i
print(len(words), words['w5'], sorted(words)[:3])
m = [[(i * j) % 10 for j in range(20)] for i in range(20)]
prod = [[sum(m[i][k] * m[k][j] for k in range(20)) for j in range(20)] for i in range(20)]
print(prod[3][:5], sum(map(sum, prod)))
a, b = 0, 1
for _ in range(80):
    a, b = b, a + b
print(a)
n = 0
for i in range(200):
    for j in range(200):
        if (i ^ j) & 1:
            continue
        n += 1
print(n)
