# The methods of strings.
s = 'Hello, World'
print(s.upper(), s.lower(), s.swapcase(), s.title(), 'hello world'.capitalize())
print(s.find('o'), s.find('z'), s.rfind('o'), s.index('W'), s.count('l'), s.count(''), s.startswith('Hell'), s.endswith(('x', 'ld')), s.find('o', 5), s.startswith('W', 7))
print(s.replace('l', 'L'), s.replace('l', 'L', 1), s.replace('o', ''), 'aaa'.replace('a', 'bb'))
print('  pad '.strip() + '|', '  pad '.lstrip() + '|', '  pad '.rstrip() + '|', 'xxhixx'.strip('x'), 'abcba'.lstrip('ab'), 'path/'.rstrip('/'))
print('a,b,,c'.split(','), 'a b  c'.split(), ' a b '.split(' '), 'a,b,c'.split(',', 1), 'a,b,c'.rsplit(',', 1), ''.split(), ''.split(','), 'one\ntwo\r\nthree'.splitlines())
print('-'.join(['a', 'b', 'c']), ''.join([]), ', '.join(str(i) for i in range(4)), '/'.join('abc'))
print('42'.zfill(5), '-42'.zfill(6), 'x'.center(5, '*'), 'x'.ljust(4, '.'), 'x'.rjust(4, '.'), 'ab'.center(5) + '|')
print('abc'.isalpha(), 'ab1'.isalnum(), '12'.isdigit(), ' \t'.isspace(), 'ab'.islower(), 'AB'.isupper(), ''.isdigit(), 'x_1'.isidentifier(), '1.5'.isdecimal())
print('key=value=x'.partition('='), 'key=value=x'.rpartition('='), 'none'.partition('='))
print('hello'.removeprefix('he'), 'hello'.removesuffix('lo'), 'hello'.removeprefix('x'))
print('abc' + 'def', 'ab' * 3, 3 * 'ab', 'ab' * 0, 'ab' * -1)
print(s[0], s[-1], s[0:5], s[7:], s[:-7], s[::2], s[::-1], s[3:100], s[5:2] + '|', s[-3:-1])
print([c for c in 'abc'], list('héé'), len('标量的'), '标' in '标量', 'a' < 'b', max('hello'), min('hello'), sorted('hello'))
print('a\tb'.expandtabs(4), ord('a'), chr(97), chr(0x6807), ord('标'))
print('%s' % 'x', 'abc'.index('c'), 'ab' == "ab", 'a' != 'b', str(1.0), str(None), str([1, '2']), repr('x'))
for bad in (lambda: 'abc'.index('z'), lambda: 'a' + 1, lambda: 'abc'[5], lambda: ''.join([1]), lambda: 'a' * 'b', lambda: int('x1'), lambda: float('abc'), lambda: 'abc'.nope, lambda: 1 + 'a', lambda: 'a'['b']):
    try:
        bad()
    except (ValueError, TypeError, IndexError, AttributeError) as e:
        print(type(e).__name__, e)
print('日本語 text'.split(), '标量,的'.split(','), 'ÀÉ'.lower(), 'àé'.upper(), '日本'.ljust(4, '-'), '日本語'.find('語'))
