"""FarmHash Fingerprint64: the hash of `tf.strings.to_hash_bucket_fast`.

Source: FarmHash by Geoff Pike, Google (farmhashna::Hash64), https://github.com/google/farmhash
"""

from typing import NamedTuple

MASK = 2**64 - 1
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
SEED = 81


def fingerprint64(data: bytes) -> int:
    """The hash of a string, from 0 to 2^64 - 1.

    Example:
        >>> fingerprint64(b"") == 0x9AE16A3B2F90404F
        True
    """
    size = len(data)
    if size <= 16:
        return _to_16(data)
    if size <= 32:
        return _to_32(data)
    return _to_64(data) if size <= 64 else _longer(data)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _half(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _rotated(value: int, bits: int) -> int:
    value &= MASK
    return (value >> bits | value << 64 - bits) & MASK if bits else value


def _shifted(value: int) -> int:
    value &= MASK
    return value ^ value >> 47


def _pair(u: int, v: int, factor: int) -> int:
    a = _shifted((u ^ v) * factor)
    b = _shifted((v ^ a) * factor)
    return b * factor & MASK


def _to_16(data: bytes) -> int:
    size = len(data)
    factor = K2 + size * 2
    if size >= 8:
        a, b = _word(data, 0) + K2, _word(data, size - 8)
        c = _rotated(b, 37) * factor + a
        d = (_rotated(a, 25) + b) * factor
        return _pair(c & MASK, d & MASK, factor)
    if size >= 4:
        return _pair(size + (_half(data, 0) << 3), _half(data, size - 4), factor)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _shifted(y * K2 ^ z * K0) * K2 & MASK
    return K2


def _to_32(data: bytes) -> int:
    size = len(data)
    factor = K2 + size * 2
    a, b = _word(data, 0) * K1, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * K2
    first = _rotated(a + b, 43) + _rotated(c, 30) + d
    return _pair(first & MASK, (a + _rotated(b + K2, 18) + c) & MASK, factor)


def _to_64(data: bytes) -> int:
    size = len(data)
    factor = K2 + size * 2
    a, b = _word(data, 0) * K2, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * K2
    y = (_rotated(a + b, 43) + _rotated(c, 30) + d) & MASK
    z = _pair(y, (a + _rotated(b + K2, 18) + c) & MASK, factor)
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
    first = _rotated(e + f, 43) + _rotated(g, 30) + h
    return _pair(first & MASK, (e + _rotated(f + a, 18) + g) & MASK, factor)


def _weak(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Four words into two."""
    w, x, y, z = (_word(data, at + 8 * number) for number in range(4))
    a += w
    b = _rotated(b + a + z, 21)
    c = a
    a += x + y
    b += _rotated(a, 44)
    return (a + z) & MASK, (b + c) & MASK


class _State(NamedTuple):
    x: int
    y: int
    z: int
    v: tuple[int, int]
    w: tuple[int, int]


def _longer(data: bytes) -> int:
    """Rounds of 64 bytes, the last of which may overlap the one before it."""
    size = len(data)
    y = SEED * K1 + 113 & MASK
    x = SEED * K2 + _word(data, 0) & MASK
    state = _State(x, y, _shifted(y * K2 + 113) * K2 & MASK, (0, 0), (0, 0))
    for at in range(0, (size - 1) // 64 * 64, 64):
        state = _round(data, at, state, K1, 1)
    factor = K1 + ((state.z & 0xFF) << 1)
    first = state.w[0] + (size - 1 & 63)
    v = (state.v[0] + first & MASK, state.v[1])
    w = (first + v[0] & MASK, state.w[1])
    x, y, z, v, w = _round(data, size - 64, state._replace(v=v, w=w), factor, 9)
    first = _pair(v[0], w[0], factor) + _shifted(y) * K0 + z
    return _pair(first & MASK, _pair(v[1], w[1], factor) + x & MASK, factor)


def _round(data: bytes, at: int, state: _State, factor: int, weight: int) -> _State:
    x, y, z, v, w = state
    x = _rotated(x + y + v[0] + _word(data, at + 8), 37) * factor & MASK
    y = _rotated(y + v[1] + _word(data, at + 48), 42) * factor & MASK
    x ^= w[1] * weight & MASK
    y = y + v[0] * weight + _word(data, at + 40) & MASK
    z = _rotated(z + w[0], 33) * factor & MASK
    v = _weak(data, at, v[1] * factor, x + w[0])
    w = _weak(data, at + 32, z + w[1], y + _word(data, at + 16))
    return _State(z, y, x, v, w)
