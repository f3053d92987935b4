"""The random numbers: Philox against its published answers, each law against its moments.

Keys are fixed, so a test that passes once passes always; bounds are 4 standard errors.
"""

import ctypes
import hashlib
import math

import numpy as np
import pytest
from llvmlite import ir
from numba import njit, uint32

from neostriatum import jit, rng
from neostriatum.engines.numba_engine.build import address_of
from neostriatum.engines.numba_engine.emit import I64, POINTER, Emitter, number
from neostriatum.errors import CircuitError

#: Lanes of a vector.
WIDE = 16
KEY = rng.stream(1, "test", "numbers")
#: Random123's kat_vectors, philox4x32-10: counter, key, answer.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text):
    """Return hexadecimal words as ints."""
    return tuple(int(word, 16) for word in text.split())


def twin_logistic2(m, values):
    """Return 1 / (1 + m 2^y) by the instructions that kernels have, vector by vector."""
    single, count = values.dtype == np.float32, len(values)
    module = ir.Module("logistic2")
    function = ir.Function(module, ir.FunctionType(I64, [POINTER, POINTER]), "kernel")
    emitter = Emitter(ir.IRBuilder(function.append_basic_block()), single, WIDE)
    with emitter.loop(number(-(-count // WIDE) * WIDE), WIDE) as at:
        y = emitter.load(function.args[0], at, emitter.real)
        result = emitter.logistic2(ir.Constant(emitter.real, float(m)), y)
        emitter.store(result, function.args[1], at, emitter.real)
    emitter.builder.ret(number(0))
    padded = np.zeros((2, count + WIDE), values.dtype)
    padded[0, :count] = values
    address = address_of(str(module), lambda: module)
    ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 2)(address)(
        padded[0].ctypes.data, padded[1].ctypes.data)
    return padded[1, :count]


@njit
def twin_philox(k0, k1, c0, c1, c2, c3):
    """Return the words of counters by the compiled twin, shape (n, 4)."""
    out = np.empty((c0.size, 4), np.uint32)
    for n in range(c0.size):
        out[n] = jit.philox(uint32(k0), uint32(k1), c0[n], c1[n], c2[n], c3[n])
    return out


@njit
def twin_exp(x):
    """Return e^x of numbers by the compiled twin."""
    return np.array([jit.exp(each) for each in x])


@njit
def twins_of_words(high, low):
    """Return normals and uniforms of pairs of words by the compiled twins, shape (n, 3)."""
    out = np.empty((high.size, 3))
    for n in range(high.size):
        out[n, 0], out[n, 1] = jit.normal_pair(high[n], low[n])
        out[n, 2] = jit.uniform53(high[n], low[n])
    return out


def chi_square(observed, expected):
    """Return how many standard deviations a chi-square statistic lies above its mean."""
    observed, expected = np.asarray(observed, float), np.asarray(expected, float)
    assert expected.min() > 10
    freedom = len(expected) - 1
    return (((observed - expected) ** 2 / expected).sum() - freedom) / np.sqrt(2 * freedom)


class TestPhilox:
    @pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
    def test_published_answers(self, counter, key, answer):
        c0, c1, c2, c3 = words(counter)
        arrays = tuple(np.array([word], np.uint64) for word in (c0, c1, c2, c3))
        found = rng.philox_words(words(key), arrays)
        assert tuple(found[:, 0]) == words(answer)
        assert tuple(rng.philox(words(key), c0, c1, c2 | c3 << 32)) == words(answer)
        twin = twin_philox(*words(key), *(array.astype(np.uint32) for array in arrays))
        assert tuple(twin[0]) == words(answer)

    def test_the_compiled_twin_is_equal(self):
        counters = rng.philox(KEY, np.arange(3000), 0).astype(np.uint64)
        wanted = rng.philox_words(KEY, tuple(counters))
        found = twin_philox(*KEY, *counters.astype(np.uint32))
        np.testing.assert_array_equal(found.T, wanted)

    def test_a_key_is_the_hash_of_seed_purpose_and_name(self):
        digest = hashlib.sha256(b"7/noise/dSPN").digest()
        assert rng.stream(7, "noise", "dSPN") == tuple(np.frombuffer(digest[:8], "<u4"))
        keys = {rng.stream(seed, purpose, name) for seed in (1, 2) for purpose in ("a", "b")
                for name in ("dSPN", "FS")}
        assert len(keys) == 8

    def test_shape_of_the_counter_does_not_matter(self):
        whole = rng.philox(KEY, np.arange(4)[:, None], np.arange(5), 2**40 + 3)
        assert whole.shape == (4, 4, 5)
        np.testing.assert_array_equal(whole[:, 2, 3], rng.philox(KEY, 2, 3, 2**40 + 3))
        assert not np.array_equal(rng.philox(KEY, 0, 0, 1), rng.philox(KEY, 0, 0, 1 + 2**32))


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "1", None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(CircuitError, match=r"^seed: must be a whole number from 0 to 2\^63 - 1"):
        rng.checked_seed(seed)


def test_seeds_from_numpy_are_accepted():
    assert rng.checked_seed(np.int64(5)) == 5
    assert rng.checked_seed(2**63 - 1) == 2**63 - 1


class TestFunctions:
    x = np.concatenate([np.linspace(-700, 700, 20_001), np.linspace(-1, 1, 2001), [0.0, -0.0],
                        np.arange(-40, 41) * math.log(2) / 2])

    def test_exp_is_within_an_ulp(self):
        wanted = np.array([math.exp(value) for value in self.x])
        assert (np.abs(rng.exp(self.x) - wanted) <= np.spacing(wanted)).all()
        assert rng.exp(np.array([0.0]))[0] == 1.0

    def test_exp_is_clamped(self):
        np.testing.assert_array_equal(rng.exp(np.array([-1e9, 1e9])),
                                      rng.exp(np.array([-700.0, 700.0])))

    @pytest.mark.parametrize("m", [1.0, 1 / 3.57, 40.0])
    def test_logistic2_is_within_8_ulp(self, m):
        y = np.concatenate([np.linspace(-999, 999, 20_001), np.linspace(-1, 1, 2001)])
        wanted = np.array([1.0 / (1.0 + m * 2.0**value) for value in y])
        assert (np.abs(rng.logistic2(m, y) - wanted) <= 8 * np.spacing(wanted)).all()

    def test_logistic2_in_single_precision(self):
        y = np.linspace(-60, 60, 4001).astype(np.float32)
        wanted = 1.0 / (1.0 + 0.28 * 2.0 ** y.astype(float))
        found = twin_logistic2(np.float32(0.28), y)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-6)

    def test_the_compiled_twins_are_equal(self):
        np.testing.assert_array_equal(twin_exp(self.x), rng.exp(self.x))
        y = np.linspace(-999, 999, 5001)
        np.testing.assert_array_equal(twin_logistic2(0.28, y), rng.logistic2(0.28, y))
        high, low = rng.philox(KEY, 3, np.arange(2000))[:2]
        wanted = rng.normal_pair(high, low)
        found = twins_of_words(high, low)
        np.testing.assert_array_equal(found[:, :2].T, wanted)
        np.testing.assert_array_equal(found[:, 2], rng.uniform53(high, low))


class TestLaws:
    n = 400_000

    def uniform_words(self, draw):
        return rng.philox(KEY, draw, np.arange(self.n))

    def test_uniforms(self):
        lanes = self.uniform_words(0)
        for values in (*(rng.uniform32(lane) for lane in lanes), rng.uniform53(lanes[0], lanes[1])):
            assert values.min() >= 0.0
            assert values.max() < 1.0
            assert abs(values.mean() - 0.5) < 4 * math.sqrt(1 / 12 / self.n)
            observed = np.bincount((values * 100).astype(int), minlength=100)
            assert abs(chi_square(observed, np.full(100, self.n / 100))) < 4
        top = np.uint32(0xFFFFFFFF)
        assert rng.uniform53(top, top) == 1 - 2.0**-53

    @pytest.mark.parametrize("count", [1, 3, 512, 1000])
    def test_whole_numbers_below(self, count):
        found = rng.below(self.uniform_words(1)[2], count)
        assert found.min() == 0
        assert found.max() == count - 1
        if count > 1:
            observed = np.bincount(found, minlength=count)
            assert abs(chi_square(observed, np.full(count, self.n / count))) < 4
        assert rng.below(np.array([0xFFFFFFFF], np.uint32), count)[0] == count - 1

    def test_normals(self):
        """Moments 0, 1, 0, 3, 0, 15; the law itself by chi-square; independent lanes."""
        z = rng.normals(KEY, self.n, 5)
        # Var(z^k) is the moment 2k less the square of moment k.
        for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96),
                                        (5, 0, 945), (6, 15, 10170)):
            assert abs((z**power).mean() - moment) < 4 * math.sqrt(variance / self.n)
        edges = np.linspace(-3, 3, 61)
        cdf = np.array([0.0, *(0.5 * (1 + math.erf(edge / math.sqrt(2))) for edge in edges), 1.0])
        observed = np.bincount(np.searchsorted(edges, z), minlength=62)
        assert abs(chi_square(observed, self.n * np.diff(cdf))) < 4
        for lag in (1, 2, 3, 4):
            assert abs((z[lag:] * z[:-lag]).mean()) < 4 / math.sqrt(self.n)
            # Box-Muller pairs share a radius: squares must be uncorrelated too.
            squares = z**2 - 1
            assert abs((squares[lag:] * squares[:-lag]).mean()) < 4 * 2 / math.sqrt(self.n)
        assert np.abs(z).max() < math.sqrt(-2 * math.log(2.0**-33))
        assert abs((z * rng.normals(KEY, self.n, 6)).mean()) < 4 / math.sqrt(self.n)

    def test_extreme_words_give_finite_normals(self):
        ends = np.array([0, 1, 2**31, 2**32 - 1], np.uint32)
        first, second = (side.ravel() for side in np.meshgrid(ends, ends))
        assert np.isfinite(rng.normal_pair(first, second)).all()

    def test_normals_belong_to_their_ids(self):
        np.testing.assert_array_equal(rng.normals(KEY, 10, 3), rng.normals(KEY, 1001, 3)[:10])

    def test_truncated_normals(self):
        z = rng.truncated_normals(KEY, self.n)
        assert np.abs(z).max() <= 3.0
        # Var of a normal cut at 3: 1 - 2 c phi(c)/(2 Phi(c) - 1).
        variance = 1 - 6 * math.exp(-4.5) / math.sqrt(2 * math.pi) / math.erf(3 / math.sqrt(2))
        assert abs(z.mean()) < 4 / math.sqrt(self.n)
        assert abs(z.var() - variance) < 4 * math.sqrt(2 / self.n)
        untouched = np.abs(rng.normals(KEY, self.n, 0)) <= 3.0
        np.testing.assert_array_equal(z[untouched], rng.normals(KEY, self.n, 0)[untouched])

    @pytest.mark.parametrize("mean", [0.003, 0.3, 8.1, 63.9, 150.0])
    def test_poisson_counts(self, mean):
        parts, each = rng.poisson_parts(mean)
        assert parts * each == pytest.approx(mean)
        assert each <= rng.LARGEST_MEAN
        counts = rng.poisson_counts(KEY, np.arange(self.n), 9, rng.poisson_table(each), parts)
        assert abs(counts.mean() - mean) < 4 * math.sqrt(mean / self.n)
        assert abs(counts.var() - mean) < 4 * math.sqrt((mean + 2 * mean**2) / self.n)
        k = np.arange(counts.max() + 1)
        log = k * math.log(mean) - mean - np.array([math.lgamma(one + 1) for one in k])
        expected = self.n * np.exp(log)
        kept = expected > 20
        observed = np.bincount(counts, minlength=len(k))
        if kept.sum() > 2:
            rest = self.n - observed[kept].sum(), self.n - expected[kept].sum()
            observed, expected = observed[kept], expected[kept]
            if rest[1] > 10:
                observed, expected = np.append(observed, rest[0]), np.append(expected, rest[1])
            assert abs(chi_square(observed, expected)) < 4

    def test_a_poisson_table_is_the_distribution(self):
        table = rng.poisson_table(2.5)
        term = [2.5**k / math.factorial(k) * math.exp(-2.5) for k in range(len(table))]
        np.testing.assert_allclose(table, np.cumsum(term), rtol=1e-14)
        assert 1 - table[-1] < 1e-15
