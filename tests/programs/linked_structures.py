# Data structures out of lists, dicts and closures: a stack, a queue, a tree, memo tables.
def stack():
    items = []
    return {'push': items.append, 'pop': items.pop, 'size': lambda: len(items)}


s = stack()
for i in range(3):
    s['push'](i * i)
print(s['pop'](), s['pop'](), s['size']())


def insert(tree, key):
    if tree is None:
        return {'key': key, 'left': None, 'right': None}
    side = 'left' if key < tree['key'] else 'right'
    tree[side] = insert(tree[side], key)
    return tree


def walk(tree):
    return [] if tree is None else walk(tree['left']) + [tree['key']] + walk(tree['right'])


root = None
for k in (5, 2, 8, 1, 9, 3):
    root = insert(root, k)
print(walk(root), root['left']['key'])
graph = {'a': ['b', 'c'], 'b': ['d'], 'c': ['d', 'e'], 'd': ['f'], 'e': ['f'], 'f': []}


def paths(node, goal, path=()):
    path = path + (node,)
    if node == goal:
        return [path]
    return [p for n in graph[node] for p in paths(n, goal, path)]


for p in paths('a', 'f'):
    print(' -> '.join(p))
queue, seen = ['a'], []
while queue:
    node = queue.pop(0)
    if node in seen:
        continue
    seen.append(node)
    queue.extend(graph[node])
print(seen)
table = {}


def edit(a, b):
    if (a, b) in table:
        return table[a, b]
    if not a or not b:
        r = len(a) + len(b)
    else:
        r = min(edit(a[1:], b) + 1, edit(a, b[1:]) + 1, edit(a[1:], b[1:]) + (a[0] != b[0]))
    table[a, b] = r
    return r


print(edit('kitten', 'sitting'), len(table))


def quicksort(v):
    if len(v) < 2:
        return v
    pivot, *rest = v
    return quicksort([x for x in rest if x < pivot]) + [pivot] + quicksort([x for x in rest if x >= pivot])


print(quicksort([3, 6, 1, 8, 2, 9, 2]))
words = 'the quick brown fox jumps over the lazy dog the end'.split()
counts = {}
for w in words:
    counts[w] = counts.get(w, 0) + 1
print(sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[:3])
matrix = [[1, 2, 3], [4, 5, 6]]
print([list(r) for r in zip(*matrix)], sum(map(sum, matrix)), max(max(r) for r in matrix))
primes = [p for p in range(2, 50) if all(p % d for d in range(2, int(p ** 0.5) + 1))]
print(primes)
def hanoi(n, a='A', b='B', c='C'):
    return 0 if n == 0 else hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a)
print(hanoi(10))
def permutations(v): return [[]] if not v else [[x] + p for i, x in enumerate(v) for p in permutations(v[:i] + v[i + 1:])]
print(permutations([1, 2, 3]))
text = ''.join(chr((ord(c) - 97 + 13) % 26 + 97) if c.isalpha() else c for c in 'hello, world')
print(text, text[::-1])
