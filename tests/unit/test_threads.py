"""Rows shared out among threads, in a process that forks and has threads of its own."""

import os
import queue
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.errors import BuildError
from neostriatum.threads import STRETCHES, over_rows, using_threads

FORKED = """
import concurrent.futures as cf
import multiprocessing as mp
import neostriatum as ns

def built(seed):
    return ns.build("striatum_v1", size=300, seed=seed).hash()

def ran(seed):
    return ns.run("striatum_v1", size=60, duration="5 ms", figures=False, seed=seed,
                  changes={"warmup": "0 ms"},
                  out=f"{mp.current_process().name}-{seed}").summary["spike_hash"]

network = ns.build("striatum_v1", size=300, seed=1)
expected = built(1), ran(1), ns.pair_recordings(network, "FS->dSPN", pairs=50).connected
with mp.get_context("fork").Pool(2) as pool:
    assert pool.map_async(built, (1, 2)).get(100)[0] == expected[0]
    assert pool.map_async(ran, (1, 2)).get(100)[0] == expected[1]
with cf.ProcessPoolExecutor(2, mp_context=mp.get_context("fork")) as pool:
    assert list(pool.map(built, (1, 2), timeout=100))[0] == expected[0]
with cf.ThreadPoolExecutor(4) as pool:
    assert set(pool.map(built, [1] * 8)) == {expected[0]}
print("all equal")
"""


@pytest.mark.parametrize("layer", ["", "workqueue", "omp"])
def test_forks_and_threads_after_a_run(tmp_path, layer):
    environment = {**os.environ, "NUMBA_THREADING_LAYER": layer} if layer else dict(os.environ)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], cwd=tmp_path, text=True,
                          capture_output=True, check=False, timeout=300, env=environment)
    assert (done.stdout, done.returncode) == ("all equal\n", 0), done.stderr


class TestOverRows:
    @pytest.mark.parametrize("threads", [1, 2, 3, 8])
    @pytest.mark.parametrize("count", [0, 1, 2, 7, 1000])
    def test_every_row_once(self, count, threads):
        visits = np.zeros(count, int)

        def visit(start, stop, by):
            visits[start:stop] += by

        with using_threads(threads):
            over_rows(count, visit, 2)
        assert (visits == 2).all()

    def test_an_error_is_raised(self):
        def stop(start, stop):
            if start:
                raise ZeroDivisionError

        with using_threads(2), pytest.raises(ZeroDivisionError):
            over_rows(100, stop)

    def test_an_interrupt_ends_all_threads(self):
        before, begun = threading.active_count(), []

        def interrupted(start, stop):
            begun.append(start)
            time.sleep(0.01)
            if threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt

        with using_threads(3), pytest.raises(KeyboardInterrupt):
            over_rows(1000, interrupted)
        assert threading.active_count() == before
        assert len(begun) < 3 * STRETCHES

    def test_an_error_of_a_queue_is_raised(self):
        def empty(start, stop):
            raise queue.Empty

        with using_threads(2), pytest.raises(queue.Empty):
            over_rows(100, empty)

    @pytest.mark.parametrize("count", [0, -1, 1025, True])
    def test_how_many_is_checked(self, count):
        with pytest.raises(BuildError, match="threads: must be a whole number from 1 to 1024"), \
                using_threads(count):
            pass

    def test_what_was_asked_ends(self):
        with using_threads(1), using_threads(2), using_threads(None):
            pass
        assert ns.build("striatum_v1", size=50, threads=3).size == 50
