"""Programs of several processes and threads, each of which a case starts: ``beside.py NAME``."""

from __future__ import annotations

import asyncio
import concurrent.futures as futures
import multiprocessing
import os
import sys
import threading
from typing import Any

import neostriatum as ns

SMALL = {"size": 60, "duration": "4 ms", "figures": False, "record": "none",
         "changes": {"warmup": "0 ms"}}
#: Longest wait for a result [s].
WAIT = 60


def ran(seed: int) -> str:
    """Run and return the hash of the network."""
    return ns.run("striatum_v1", seed=seed, threads=2, **SMALL).record["network_hash"]


def built(seed: int) -> str:
    """Build and return the hash."""
    return ns.build("striatum_v1", size=300, seed=seed).hash()


def recorded(seed: int) -> int:
    """Build, record pairs and count."""
    network = ns.build("striatum_v1", size=300, seed=seed)
    return ns.pair_recordings(network, "iSPN->dSPN", pairs=500).connected


def named(result: Any) -> str:
    """Return the name of a circuit, network or run, or the number of spikes."""
    if isinstance(result, ns.Run):
        return f"{result.circuit.name} {len(result.spikes)}"
    if isinstance(result, ns.Network):
        return result.circuit.name + result.hash()[:8]
    return result.name


def pooled(method: str, call: Any, before: Any = None) -> bool:
    """Call in a pool of processes after the parent has called too."""
    right = [call(seed) for seed in (1, 2)] if before is None else before
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map_async(call, (1, 2)).get(WAIT) == right


def executed(method: str, call: Any) -> bool:
    """Do the same with concurrent.futures."""
    right = [call(seed) for seed in (1, 2)]
    context = multiprocessing.get_context(method)
    with futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        return list(pool.map(call, (1, 2), timeout=WAIT)) == right


def handed(method: str, result: Any) -> bool:
    """Hand an object to a process, which tells its name."""
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.apply_async(named, (result,)).get(WAIT) == named(result)


def given(method: str, call: Any, *arguments: Any) -> bool:
    """Get an object from a process."""
    with multiprocessing.get_context(method).Pool(1) as pool:
        return bool(named(pool.apply_async(call, arguments).get(WAIT)))


def threaded(call: Any, count: int = 4) -> bool:
    """Call in threads at once."""
    right = [call(seed) for seed in (1, 2)] * count
    with futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, (1, 2) * count, timeout=WAIT)) == right


def cold_threads(call: Any) -> bool:
    """Call in threads at once, in a process that has called nothing yet."""
    with futures.ThreadPoolExecutor(4) as pool:
        return len(set(pool.map(call, (1,) * 4, timeout=WAIT))) == 1


def forked() -> bool:
    """Fork by hand after a build."""
    right = built(1)
    number = os.fork()
    if number == 0:
        os._exit(0 if built(1) == right else 1)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0


def forked_in_thread() -> bool:
    """Start a pool of forked processes in a thread while another builds."""
    listed: list[bool] = []
    thread = threading.Thread(target=lambda: listed.append(pooled("fork", built)))
    thread.start()
    right = built(3)
    thread.join()
    return listed == [True] and right == built(3)


async def gathered() -> bool:
    """Run beside each other in the threads of asyncio."""
    both = await asyncio.gather(asyncio.to_thread(ran, 1), asyncio.to_thread(ran, 2))
    return both == [ran(1), ran(2)]


def run_of(circuit: Any) -> Any:
    """Return a run whose circuit was looked at."""
    result = ns.run(circuit, **SMALL)
    result.circuit, result.spikes  # noqa: B018 (what was looked at is kept)
    return result


PROGRAMS: dict[str, Any] = {
    "fork pool after build": lambda: pooled("fork", built),
    "fork pool after run": lambda: pooled("fork", ran),
    "fork pool after recordings": lambda: pooled("fork", recorded),
    "fork executor after build": lambda: executed("fork", built),
    "fork by hand after build": forked, "fork in a thread": forked_in_thread,
    "spawn pool of runs": lambda: pooled("spawn", ran),
    "forkserver pool of builds": lambda: pooled("forkserver", built),
    "spawn is handed a circuit": lambda: handed("spawn", ns.load("striatum_v1")),
    "spawn is handed a network": lambda: handed("spawn", ns.build("striatum_v1", size=60)),
    "spawn is handed a run": lambda: handed("spawn", run_of("striatum_v1")),
    "fork is handed a circuit": lambda: handed("fork", ns.load("striatum_v1")),
    "spawn gives a circuit": lambda: given("spawn", ns.load, "striatum_v1"),
    "spawn gives a network": lambda: given("spawn", ns.build, "striatum_v1", 60),
    "spawn gives a run": lambda: given("spawn", run_of, "striatum_v1"),
    "threads of builds": lambda: threaded(built), "threads of runs": lambda: threaded(ran, 2),
    "threads of recordings": lambda: threaded(recorded),
    "cold threads of builds": lambda: cold_threads(built),
    "asyncio": lambda: asyncio.run(gathered()),
}


if __name__ == "__main__":
    sys.exit(None if PROGRAMS[sys.argv[1]]() else "other results")
