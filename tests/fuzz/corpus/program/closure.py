def counter():
    n = 0
    def up(by=1):
        nonlocal n
        n += by
        return n
    return up
c = counter()
c(); print(c(5))
def setg():
    global z
    z = 1
setg(); print(z)
