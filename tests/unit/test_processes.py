"""What only a whole process can show: an interrupt."""

import signal
import subprocess
import sys
import time

import pytest


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
