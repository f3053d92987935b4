"""Random numbers as a pure function of (seed, purpose, name, step, id, draw): Philox4x32-10.

Nothing here has state, so threads, chunks, recording and resuming cannot change a draw. The
counter layout is written in docs/design.md, section 8, and frozen in `STREAM_VERSION`.
"""

from __future__ import annotations

import hashlib

import numpy as np

from neostriatum.units import whole_number

#: Bumped whenever any draw changes; stored with every run.
STREAM_VERSION = 2

#: Neurons of a type that share one Poisson count of drive events per step.
BLOCK = 512

#: Counter word 0 of Poisson counts; smaller values number the events themselves.
COUNT_DRAW = 0x8000_0000

#: Largest mean of one Poisson draw; a larger mean is the sum of several.
LARGEST_MEAN = 64.0

_MULTIPLY = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def checked_seed(seed: object) -> int:
    """Return ``seed`` as an int in [0, 2^63), or raise CircuitError."""
    return whole_number("seed", seed, 0, 2**63 - 1)


def stream(seed: int, purpose: str, name: str) -> tuple[int, int]:
    """Return the Philox key of one stream, two uint32."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{name}".encode()).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")


def philox(key: tuple[int, int], c0: object, c1: object, step: object = 0) -> np.ndarray:
    """Return four uint32 words per counter (Salmon et al. 2011, Random123's philox4x32-10).

    Parameters
    ----------
    key : (int, int)
        From `stream`.
    c0, c1 : int or array
        Draw index, and block or local id.
    step : int or array
        Step; its low and high halves are counter words 2 and 3.

    Returns
    -------
    numpy.ndarray
        uint32, shape (4, ...).
    """
    c0, c1, step = np.broadcast_arrays(
        np.asarray(c0, np.uint64), np.asarray(c1, np.uint64), np.asarray(step, np.uint64)
    )
    return philox_words(key, (c0, c1, step & _LOW, step >> _HALF))


def philox_words(key: tuple[int, int], counter: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return four words for a counter given as its four words (uint64 arrays below 2^32)."""
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = _MULTIPLY[0] * x0, _MULTIPLY[1] * x2
        x0, x1, x2, x3 = (
            (p1 >> _HALF) ^ x1 ^ np.uint64(k0), p1 & _LOW,
            (p0 >> _HALF) ^ x3 ^ np.uint64(k1), p0 & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return np.stack([x0, x1, x2, x3]).astype(np.uint32)


def uniform53(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Return uniforms in [0, 1) with 53 bits from two words each."""
    top = (high >> np.uint32(5)).astype(np.float64) * 67108864.0
    return (top + (low >> np.uint32(6)).astype(np.float64)) * 2.0**-53


def uniform32(word: np.ndarray) -> np.ndarray:
    """Return uniforms in [0, 1) with 32 bits."""
    return word.astype(np.float64) * 2.0**-32


def below(word: np.ndarray, count: int) -> np.ndarray:
    """Return integers uniform in [0, count) (a bias of at most count / 2^32)."""
    return ((word.astype(np.uint64) * np.uint64(count)) >> _HALF).astype(np.int64)


def exp(x: np.ndarray) -> np.ndarray:
    """Return e^x by range reduction and a polynomial: the same bits on every machine.

    Within 1 ulp of the true value for |x| <= 700, clamped beyond.
    """
    x = np.minimum(np.maximum(x, -700.0), 700.0)
    n = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    p = np.full_like(r, EXP_SERIES[0])
    for coefficient in EXP_SERIES[1:]:
        p *= r
        p += coefficient
    return p * ((n.astype(np.int64) + 1023) << 52).view(np.float64)


def logistic2(m: float, y: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + m 2^y) for |y| < 1000 within 8 ulp, the same bits on every machine.

    Adding and subtracting 1.5 * 2^52 + 1023 rounds y to the nearest whole number n, which then
    sits in the low bits as the exponent of 2^n. The rest f gives 2^f = (a + f b) / (a - f b), a and
    b polynomials of f^2: the quotient of the logistic function is then the only division, and the
    chain of operations that wait for each other is half as long as with one polynomial.
    """
    shifted = y + (6755399441055744.0 + 1023.0)
    f = y - (shifted - (6755399441055744.0 + 1023.0))
    square = f * f
    a = _series(EVEN_SERIES, square)
    b = _series(ODD_SERIES, square) * f
    fall = a - b
    return fall / (fall + (a + b) * (m * (shifted.view(np.int64) << 52).view(np.float64)))


#: 2^f = (a(f^2) + f b(f^2)) / (a(f^2) - f b(f^2)): b / a interpolates tanh(f ln(2) / 2) / f at
#: Chebyshev nodes of f^2 in [0, 1/4]; highest power first; relative error 6e-17.
EVEN_SERIES = (43.30054141477767, 10096.72290640831, 189140.17677359065)
ODD_SERIES = (1.0, 874.7432766047971, 65550.99013061202)
#: The same in single precision: relative error 2e-8.
EVEN_SINGLE = (17.330902951359064, 360.7976569475235)
ODD_SINGLE = (1.0, 125.04293926586233)
#: Taylor coefficients 1/13! ... 1/0! of e^r on |r| <= ln(2)/2.
EXP_SERIES = tuple(1.0 / float(np.prod(np.arange(1.0, n + 1.0))) for n in range(13, -1, -1))
#: Coefficients of 2 atanh(s)/s in s^2, highest first.
LOG_SERIES = tuple(2.0 / (2 * n + 1) for n in range(10, -1, -1))
#: Taylor coefficients of sin(t)/t and cos(t) in t^2, highest first, on |t| <= pi/4.
SIN_SERIES = tuple((-1.0) ** n / float(np.prod(np.arange(1.0, 2 * n + 2.0)))
                   for n in range(8, -1, -1))
COS_SERIES = tuple((-1.0) ** n / float(np.prod(np.arange(1.0, 2 * n + 1.0)))
                   for n in range(8, -1, -1))


def _series(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    p = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        p *= x
        p += coefficient
    return p


def log(x: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of positive normal numbers: the same bits on every machine."""
    bits = x.view(np.int64)
    exponent = (bits >> 52) - 1023
    mantissa = ((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000).view(np.float64)
    large = mantissa > 1.4142135623730951
    mantissa = np.where(large, mantissa * 0.5, mantissa)
    scale = exponent.astype(np.float64) + np.where(large, 1.0, 0.0)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    return scale * 0.6931471805599453 + s * _series(LOG_SERIES, s * s)


def normal_pair(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two standard normals from two words each (Box-Muller with own log, sin and cos)."""
    radius = np.sqrt(-2.0 * log((first.astype(np.float64) + 0.5) * 2.0**-32))
    turn = second.astype(np.float64) * 2.0**-32
    quarter = np.floor(4.0 * turn + 0.5)
    angle = (turn - quarter * 0.25) * 6.283185307179586
    square = angle * angle
    sin, cos = angle * _series(SIN_SERIES, square), _series(COS_SERIES, square)
    q = quarter.astype(np.int64) & 3
    swap = (q & 1) == 1
    x = np.where(swap, sin, cos)
    y = np.where(swap, cos, sin)
    x = np.where((q == 1) | (q == 2), -x, x)
    y = np.where(q >= 2, -y, y)
    return radius * x, radius * y


def normals(key: tuple[int, int], n: int, step: int | np.ndarray, draw: int = 0) -> np.ndarray:
    """Return one standard normal per local id 0..n-1, shape (n,); or (s, n) for steps (s, 1)."""
    words = philox(key, draw, np.arange((n + 3) // 4), step)
    pairs = (*normal_pair(words[0], words[1]), *normal_pair(words[2], words[3]))
    return np.stack(pairs, axis=-1).reshape(*words.shape[1:-1], -1)[..., :n]


def truncated_normals(key: tuple[int, int], n: int, limit: float = 3.0) -> np.ndarray:
    """Return one normal per local id, redrawn until within ``limit`` standard deviations."""
    values = normals(key, n, 0)
    for draw in range(1, 64):
        outside = np.abs(values) > limit
        if not outside.any():
            break
        values = np.where(outside, normals(key, n, 0, draw), values)
    return values


def poisson_table(mean: float) -> np.ndarray:
    """Return the cumulative distribution of a Poisson count by the exact recursion.

    A count is the number of entries that are <= a uniform; see `poisson_counts`.
    """
    term = float(exp(np.array([-mean]))[0])
    table, count, total = [term], 0, term
    while count < mean or term > 2.0**-60:
        count += 1
        term = term * mean / count
        total = total + term
        table.append(total)
    return np.array(table)


def poisson_parts(mean: float) -> tuple[int, float]:
    """Return how many Poisson draws a mean is split into, and the mean of each."""
    parts = max(1, int(np.ceil(mean / LARGEST_MEAN)))
    return parts, mean / parts


def poisson_counts(
    key: tuple[int, int], blocks: np.ndarray, step: int | np.ndarray, table: np.ndarray,
    parts: int,
) -> np.ndarray:
    """Return one Poisson count per block: the sum of ``parts`` inversions of ``table``."""
    counts = np.zeros(np.broadcast_shapes(np.shape(blocks), np.shape(step)), np.int64)
    for part in range(parts):
        words = philox(key, COUNT_DRAW + part, blocks, step)
        counts += np.searchsorted(table, uniform53(words[0], words[1]), side="right")
    return counts
