"""The one place that asks what the machine and its limits are."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from neostriatum import machine

SOURCE = Path(machine.__file__).parent
#: What only machine.py may ask.
ASKED = {"sched_getaffinity", "cpu_count", "process_cpu_count", "getrlimit", "RLIMIT_AS",
         "RLIMIT_DATA"}


def group(folder: Path, limits: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in limits.items():
        (folder / name).write_text(text)
    return folder


def v2(most: str, taken: str = "100", inactive: str = "0") -> dict[str, str]:
    return {"memory.max": f"{most}\n", "memory.current": f"{taken}\n",
            "memory.stat": f"anon 5\ninactive_file {inactive}\n"}


class TestFreeMemory:
    def test_of_this_machine(self):
        free = machine.free_memory()
        assert free is None or free > 1e8

    @pytest.mark.parametrize("where", [".", "job_1", "job_1/step_0", "job_1/step_0/user/task_0"])
    def test_the_limit_of_any_group_above_counts(self, tmp_path, where):
        group(tmp_path / "job_1/step_0/user/task_0", v2("max"))
        group(tmp_path / where, v2("4000", inactive="50"))
        own = tmp_path / "cgroup"
        own.write_text("0::/job_1/step_0/user/task_0\n")
        assert machine.free_memory(tmp_path, own) == 3950

    def test_the_least_counts(self, tmp_path):
        group(tmp_path / "a", v2("4000"))
        group(tmp_path / "a/b", v2("900"))
        own = tmp_path / "cgroup"
        own.write_text("0::/a/b\n")
        assert machine.free_memory(tmp_path, own) == 800

    def test_of_the_first_version(self, tmp_path):
        group(tmp_path / "memory/slurm/uid_0/job_7", {
            "memory.limit_in_bytes": "5000\n", "memory.usage_in_bytes": "1000\n",
            "memory.stat": "cache 5\ninactive_file 20\n"})
        own = tmp_path / "cgroup"
        own.write_text("9:cpu,cpuacct:/slurm\n8:memory:/slurm/uid_0/job_7\n1:name=systemd:/x\n")
        assert machine.free_memory(tmp_path, own) == 4020

    @pytest.mark.parametrize("text", ["", "nonsense\n", "0::/gone\n", "0::/../..\n", "8:memory:\n"])
    def test_groups_that_are_not_there(self, tmp_path, text):
        own = tmp_path / "cgroup"
        own.write_text(text)
        free = machine.free_memory(tmp_path, own)
        assert free is None or free > 1e8

    def test_a_limit_whose_use_nobody_tells(self, tmp_path):
        group(tmp_path, {"memory.max": "1000\n"})
        assert machine.free_memory(tmp_path, tmp_path / "none") == 1000

    def test_without_the_file(self, tmp_path):
        group(tmp_path, v2("1000", taken="300"))
        assert machine.free_memory(tmp_path, tmp_path / "none") == 700

    @pytest.mark.parametrize("limit", ["AS", "DATA"])
    def test_a_limit_of_address_space_or_data_counts(self, limit):
        code = ("import resource, sys; sys.path.insert(0, sys.argv[1])\n"
                "from neostriatum.machine import free_memory\n"
                f"resource.setrlimit(resource.RLIMIT_{limit}, (3 * 10**9, -1))\n"
                "print(free_memory())")
        done = subprocess.run([sys.executable, "-c", code, str(SOURCE.parent)], text=True,
                              capture_output=True, check=True)
        assert 0 < int(done.stdout) < 3 * 10**9


class TestCores:
    def test_within_the_affinity(self):
        assert 1 <= machine.cores() <= (os.cpu_count() or 1)

    def test_where_nobody_tells_the_affinity(self, monkeypatch):
        for name in ("sched_getaffinity", "process_cpu_count"):  # the one asks the other
            monkeypatch.delattr(os, name, raising=False)
        monkeypatch.setattr(machine, "_granted", lambda second: [])
        assert machine.cores() == os.cpu_count()

    @pytest.mark.parametrize(("limits", "expected"), [
        ({"cpu.max": "150000 100000\n"}, [2]), ({"cpu.max": "max 100000\n"}, []),
        ({"cpu.max": "1000 100000\n"}, [1]), ({"cpu.max": "what\n"}, []),
        ({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, []),
        ({"cpu.cfs_quota_us": "400000\n", "cpu.cfs_period_us": "100000\n"}, [4]),
    ])
    def test_a_quota_counts(self, monkeypatch, tmp_path, limits, expected):
        group(tmp_path, limits)
        monkeypatch.setattr(machine, "control_groups", lambda controller: [tmp_path])
        assert list(machine._quotas()) == expected


def test_nothing_else_asks():
    asked = [f"{path.relative_to(SOURCE)}:{node.lineno} {node.attr}"
             for path in SOURCE.rglob("*.py") if path.name != "machine.py"
             for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, ast.Attribute) and node.attr in ASKED]
    assert not asked
