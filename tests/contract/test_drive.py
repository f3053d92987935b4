"""The random drives deliver the rate, variance and correlation that the circuit asks for.

Integrators give back the events of every step and neuron (see `instruments`), so every engine is
measured in the same way, whatever generator it draws from. Bounds are 3 standard errors or more of
the stated estimator; seeds are fixed, so a test that passes once passes always.
"""

import instruments
import numpy as np
import pytest
from compare import simulate
from nets import TYPES, Net

from neostriatum.engines.drive import binomial_table
from neostriatum.engines.lowered import lower

DT, TAU, C_PF, N, STEPS, WEIGHT = 0.5, 6.0, 20_000.0, 300, 1500, 0.1
#: Steps after which the conductance is stationary.
SETTLED = 200


def drive(afferents, hz, **more):
    """Return a target of ``inputs`` with the weight that all drives here have."""
    return {"afferents": afferents, "rate": f"{hz!r} Hz", **more,
            "conductance": {"AMPA": f"{WEIGHT!r} nS"}}


def bench(targets, **sections):
    """Return a net of N integrators per type, each type with its own drive."""
    made = instruments.circuit(
        dict.fromkeys(TYPES, instruments.integrator(C_PF)), {"AMPA": {"E": "0 mV", "tau": "6 ms"}},
        dt=f"{DT!r} ms", inputs={"all": {"targets": targets}}, **sections)
    return Net("bench", made, instruments.network(made, dict.fromkeys(TYPES, N)), STEPS)


PLAIN = bench({"dSPN": drive(250, 8.0), "iSPN": drive(10, 200.0, process="binomial"),
               "FS": drive(50, 20.0, correlation={"within": 0.2})})
SHARED = bench({"dSPN": drive(250, 4.0, correlation={"between": 0.3}),
                "iSPN": drive(50, 20.0, shared_trains=200),
                "FS": drive(50, 20.0, correlation={"within": 0.1, "between": 0.3}, channel="some")},
               channels={"some": {"fraction": 0.6}})

#: One channel over three types, of which one has another rate.
MIXED = bench({"dSPN": drive(250, 4.0, correlation={"between": 0.3}),
               "iSPN": drive(250, 4.0, correlation={"between": 0.3}),
               "FS": drive(100, 30.0, correlation={"between": 0.3})})


@pytest.fixture(scope="module")
def measured():
    """Return conductances and event counts (steps, neurons) per type of a net on an engine."""
    made = {}

    def get(maker, net):
        key = (maker, id(net))
        if key not in made:
            v_mv = simulate(maker, net).v_mv
            g = {name: instruments.conductance(v, C_PF, DT) for name, v in v_mv.items()}
            counts = {}
            for name, values in g.items():
                events = instruments.arrivals(values, TAU, DT) / WEIGHT
                counts[name] = np.rint(events).astype(int)
                assert np.abs(events - counts[name]).max() < 1e-6
            made[key] = g, counts
        return made[key]

    return get


def close(found, wanted, standard_error):
    """Assert that an estimate lies within 3 standard errors."""
    assert abs(found - wanted) < 3 * standard_error, (found, wanted, standard_error)


def test_poisson_counts(engine, measured):
    """Mean and variance of the counts are N r dt, and counts of different steps are independent."""
    counts = measured(engine, PLAIN)[1]["dSPN"]
    wanted, samples = 250 * 8.0 * DT / 1000, counts.size
    close(counts.mean(), wanted, np.sqrt(wanted / samples))
    # Var(s^2) of a Poisson count is (lambda + 2 lambda^2) / n.
    close(counts.var(), wanted, np.sqrt((wanted + 2 * wanted**2) / samples))
    away = counts - counts.mean()
    close((away[1:] * away[:-1]).mean() / wanted, 0.0, 1 / np.sqrt(samples))
    close((away[:, 1:] * away[:, :-1]).mean() / wanted, 0.0, 1 / np.sqrt(samples))


def test_campbell(engine, measured):
    """The conductance has mean w lambda/(1 - q) and variance w^2 lambda/(1 - q^2), q = e^(-dt/tau).

    Campbell's theorem for events that arrive at the start of a step.
    """
    g = measured(engine, PLAIN)[0]["dSPN"][SETTLED::100]
    rate, q = 250 * 8.0 * DT / 1000, np.exp(-DT / TAU)
    mean, variance = WEIGHT * rate / (1 - q), WEIGHT**2 * rate / (1 - q**2)
    close(g.mean(), mean, np.sqrt(variance / g.size))
    close(g.var(), variance, variance * np.sqrt(2.2 / g.size))


def test_binomial_counts(engine, measured):
    """Counts have mean N p, variance N p (1 - p) and never exceed N."""
    counts, n, p = measured(engine, PLAIN)[1]["iSPN"], 10, 200.0 * DT / 1000
    variance = n * p * (1 - p)
    close(counts.mean(), n * p, np.sqrt(variance / counts.size))
    close(counts.var(), variance, variance * np.sqrt(2.5 / counts.size))
    assert counts.max() <= n
    shares = np.bincount(counts.ravel(), minlength=11)[:4] / counts.size
    np.testing.assert_allclose(shares, [0.9**10, 10 * 0.1 * 0.9**9, 45 * 0.01 * 0.9**8,
                                        120 * 0.001 * 0.9**7], atol=3e-3)


def pair_correlation(counts):
    """Return the mean correlation of two neurons' counts in a step."""
    n = counts.shape[1]
    summed, single = counts.sum(axis=1).var(), counts.var(axis=0).sum()
    return (summed - single) / (n * (n - 1)) / (single / n)


def test_correlation_within_a_neuron(engine, measured):
    """Each afferent copies its neuron's train with probability w: the mean stays, the variance is
    p N (1 - w) + p N w (1 - w) + p (1 - p) (N w)^2, and neurons stay independent."""
    counts, n, p, w = measured(engine, PLAIN)[1]["FS"], 50, 20.0 * DT / 1000, 0.2
    variance = p * n * (1 - w) + p * n * w * (1 - w) + p * (1 - p) * (n * w) ** 2
    close(counts.mean(), n * p, np.sqrt(variance / counts.size))
    assert counts.var() == pytest.approx(variance, rel=0.04)
    assert counts.var() > 2 * n * p
    assert abs(pair_correlation(counts)) < 3 * np.sqrt(2 / STEPS) / N


def test_correlation_between_neurons(engine, measured):
    """A share c of a neuron's events is common to all: mean and variance stay, pairs have c."""
    counts, rate, c = measured(engine, SHARED)[1]["dSPN"], 250 * 4.0 * DT / 1000, 0.3
    # The common train has variance c lambda per step.
    close(counts.mean(), rate, np.sqrt(c * rate / STEPS))
    assert counts.var() == pytest.approx(rate, rel=0.1)
    error = np.sqrt((2 + 1 / (c * rate)) / STEPS)
    assert pair_correlation(counts) == pytest.approx(c, rel=3 * error)


def test_types_of_a_channel_share_its_train(engine, measured):
    """At equal rates neurons of two types have c too; a type with another rate gets its own."""
    counts = measured(engine, MIXED)[1]
    for name, rate in (("dSPN", 0.5), ("iSPN", 0.5), ("FS", 1.5)):
        close(counts[name].mean(), rate, np.sqrt(0.3 * rate / STEPS))
        assert pair_correlation(counts[name]) == pytest.approx(0.3, rel=0.25)
    one, two = (counts[name].mean(axis=1) for name in ("dSPN", "iSPN"))
    # Of the means over N neurons nearly all variance is common.
    assert np.cov(one, two)[0, 1] / 0.5 == pytest.approx(0.3, rel=0.25)


def test_both_correlations_in_a_channel(engine, measured):
    """Members of the channel have the rate, others nothing; pairs share c of the mean."""
    counts, n, p, w, c = measured(engine, SHARED)[1]["FS"], 50, 20.0 * DT / 1000, 0.1, 0.3
    driven = counts.sum(axis=0) > 0
    assert driven.sum() == pytest.approx(0.6 * N, abs=3 * np.sqrt(0.24 * N))
    counts, q = counts[:, driven], p * (1 - c)
    own = q * n * (1 - w) + q * n * w * (1 - w) + q * (1 - q) * (n * w) ** 2
    close(counts.mean(), n * p, np.sqrt((c * n * p + own / driven.sum()) / STEPS))
    assert counts.var() == pytest.approx(own + c * n * p, rel=0.1)
    assert pair_correlation(counts) == pytest.approx(c * n * p / (own + c * n * p), rel=0.2)


def test_shared_trains(engine, measured):
    """A neuron hears each of T trains with probability s: T s trains of rate r, pairs share s."""
    counts, trains, s, p = measured(engine, SHARED)[1]["iSPN"], 200, 0.25, 20.0 * DT / 1000
    pool = lower(SHARED.circuit, SHARED.network, 1).drives[1].pool
    heard = np.bincount(pool[1], minlength=N)
    close(heard.mean(), trains * s, np.sqrt(trains * s * (1 - s) / N))
    close(heard.var(), trains * s * (1 - s), trains * s * (1 - s) * np.sqrt(2 / N))
    # Only the trains are random from step to step: T trains, each heard by s N neurons.
    listeners = np.diff(pool[0])
    assert listeners.sum() == heard.sum()
    common = p * (1 - p) * (listeners.astype(float) ** 2).sum() / N**2
    close(counts.mean(), p * heard.mean(), np.sqrt(common / STEPS))
    np.testing.assert_allclose(np.corrcoef(counts.sum(axis=0), heard)[0, 1], 1.0, atol=0.2)
    assert pair_correlation(counts) == pytest.approx(s, rel=0.1)


@pytest.mark.slow
@pytest.mark.compiled
def test_compiled_drives(native, measured):
    """Compiled code indexes and converts where NumPy broadcasts: the same checks there."""
    for check in (test_poisson_counts, test_binomial_counts, test_correlation_within_a_neuron,
                  test_types_of_a_channel_share_its_train, test_both_correlations_in_a_channel,
                  test_shared_trains):
        check(native, measured)


@pytest.mark.parametrize(("n", "p"), [(84, 6.55e-4), (250, 0.06), (250, 0.95), (1000, 0.6),
                                      (20_000, 0.06), (3, 1.0)])
def test_the_binomial_table_has_the_mean_and_variance(n, p):
    """The sum of P(X > k) is N p, the sum of (2 k + 1) P(X > k) is E[X^2]; no first term of
    (1 - p)^N may vanish."""
    above = 1.0 - np.append(binomial_table(n, p), 1.0)[:n]
    assert above.sum() == pytest.approx(n * p, rel=1e-9)
    square = ((2 * np.arange(n) + 1) * above).sum()
    assert square == pytest.approx(n * p * (1 - p) + (n * p) ** 2, rel=1e-9)
