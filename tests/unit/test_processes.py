"""What only whole processes can show: an interrupt, and many cold starts at once."""

import os
import pickle
import signal
import subprocess
import sys
import time

import numba
import pytest

COLD = """
import numpy as np
from neostriatum.network.law import probability
assert probability(2, np.array([0.25]), np.inf, 10.0) == 0.25
"""


@pytest.mark.slow
def test_sixteen_cold_processes_share_a_cache(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    running = [subprocess.Popen([sys.executable, "-c", COLD], env=environment,
                                stderr=subprocess.PIPE, text=True) for _ in range(16)]
    ended = [(one.communicate(timeout=500)[1], one.returncode) for one in running]
    assert [code for _, code in ended] == [0] * 16, ended
    assert list(tmp_path.rglob("*.nbi"))


@pytest.mark.slow
def test_an_interrupt_ends_a_run_within_five_seconds(tmp_path):
    command = [sys.executable, "-m", "neostriatum", "run", "--size", "2000", "--duration", "1000 s",
               "--out", "run"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("simulating"):
            break
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    sent = time.monotonic()
    rest = running.stderr.read()
    assert running.wait(60) == 130, rest
    assert time.monotonic() - sent < 5
    running.stderr.close()
    last = rest.strip().splitlines()[-1]
    assert last.startswith("run: interrupted with ")
    assert last.endswith("Go on with: neostriatum resume run")


def test_an_index_that_another_version_left_is_not_opened(tmp_path):
    (tmp_path / "one.py").write_text("from neostriatum.caching import compiled\n\n"
                                     "@compiled()\ndef twice(x):\n    return 2 * x\n\n"
                                     "print(twice(21))\n")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for _ in range(2):
        done = subprocess.run([sys.executable, "one.py"], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("42\n", "")
        (index,) = (tmp_path / "cache").rglob("*.nbi")
        # What a pickle looks like that names a class which is no longer there.
        index.write_bytes(pickle.dumps(numba.__version__) + b"cneostriatum.caching\nGone\n.")


def test_a_changed_source_is_compiled_anew(monkeypatch, tmp_path):
    from neostriatum import caching
    from neostriatum.network.law import probability

    assert probability._cache._cache_file._source_stamp == caching._FINGERPRINT
    changed = tmp_path / "neostriatum"
    for name in ("network", "engines/numba_engine"):
        (changed / name).mkdir(parents=True)
    for name in ("rng.py", "jit.py", "caching.py", "network/law.py"):
        (changed / name).write_text("x = 1\n")
    monkeypatch.setattr(caching, "__file__", str(changed / "caching.py"))
    first = caching._fingerprint()
    (changed / "network" / "law.py").write_text("x = 2\n")
    assert caching._fingerprint() != first
