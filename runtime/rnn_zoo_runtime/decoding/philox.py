"""The uniform numbers of `tf.random.stateless_uniform`: Philox, a generator that counts."""

import numpy as np

FACTORS = (0xD2511F53, 0xCD9E8D57)
STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
MIXING = (0x3EC8F720, 0x02461E29)  # TensorFlow's key for making a key of a seed
LOW = 0xFFFFFFFF


def uniform(shape: tuple[int, ...], low: float, high: float, seed: int) -> np.ndarray:
    """Uniform numbers in [low, high), float32 of a shape, of a seed from 0 to 2147483647.

    They are those of Keras' `random.uniform` with the backend TensorFlow.

    Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011), section 3.4.
    """
    size, seed = int(np.prod(shape)), seed % (2**31 - 2)
    first = _philox(np.array([[seed, 0, 0, 0]], np.uint64), MIXING)[0]
    counters = np.zeros([-(-size // 4), 4], np.uint64)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 2], counters[:, 3] = first[2], first[3]
    bits = _philox(counters, (int(first[0]), int(first[1]))).reshape(-1)[:size]
    # 23 random bits behind the point of a number in [1, 2)
    values = (bits.astype(np.uint32) & 0x7FFFFF | 127 << 23).view(np.float32) - np.float32(1)
    span = np.float32(high) - np.float32(low)
    return (values * span + np.float32(low)).reshape(shape)


def _philox(counters: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Four random numbers of 32 bits from each counter of four, uint64 (N, 4)."""
    mask, half = np.uint64(LOW), np.uint64(32)
    a, b, c, d = counters.T
    for number in range(ROUNDS):
        keys = [np.uint64(key[n] + number * STEPS[n] & LOW) for n in (0, 1)]
        left, right = a * np.uint64(FACTORS[0]), c * np.uint64(FACTORS[1])
        a, b = (right >> half) ^ b ^ keys[0], right & mask
        c, d = (left >> half) ^ d ^ keys[1], left & mask
    return np.stack([a, b, c, d], axis=1)
