"""Compiled code on disk: the right function for everybody, whole, or none at all."""

import os
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

import neostriatum
from neostriatum import code_cache
from neostriatum.caching import compiled, inner
from neostriatum.reach import fingerprint

PACKAGE = Path(neostriatum.__file__).parent

SIMPLE = """
from neostriatum.caching import compiled

@compiled()
def twice(x):
    return 2 * x

print(repr(twice(21)), repr(twice(1.5)))
"""


def python(tmp_path, code, **environment):
    return subprocess.run([sys.executable, "-c", code], cwd=tmp_path, text=True, check=False,
                          capture_output=True, env={**os.environ, **environment})


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(code_cache, "folder", lambda: tmp_path)
    return tmp_path


def double_and_whole():
    @compiled()
    def halved(x):
        return x / 2 if x > 0 else -x

    return halved


class TestFiles:
    def test_one_file_for_each_kind_of_argument(self, cache):
        halved = double_and_whole()
        assert (halved(3.0), halved(4)) == (1.5, 2.0)
        assert len(list(cache.iterdir())) == 2
        again = double_and_whole()
        assert (again(3.0), again(4)) == (1.5, 2.0)
        assert sum(again.stats.cache_hits.values()) == 2

    def test_exchanged_files_are_not_run(self, cache):
        halved = double_and_whole()
        halved(3.0)
        halved(4)
        first, second = cache.iterdir()
        contents = first.read_bytes(), second.read_bytes()
        first.write_bytes(contents[1])
        second.write_bytes(contents[0])
        again = double_and_whole()
        assert (again(3.0), again(4)) == (1.5, 2.0)
        assert not again.stats.cache_hits

    @pytest.mark.parametrize("spoil", [
        lambda content: b"", lambda content: content[:1000], lambda content: content[:-1],
        lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
        lambda content: content + b"x",
    ])
    def test_a_damaged_file_is_not_opened(self, cache, spoil):
        halved = double_and_whole()
        halved(3.0)
        (file,) = cache.iterdir()
        file.write_bytes(spoil(file.read_bytes()))
        again = double_and_whole()
        assert again(3.0) == 1.5
        assert not again.stats.cache_hits

    def test_old_files_go(self, cache, monkeypatch):
        monkeypatch.setattr(code_cache, "KEPT", 2)
        halved = double_and_whole()
        for kind in (np.int8, np.int16, np.int32, np.float32):
            halved(kind(3))
        assert len(list(cache.iterdir())) == 2

    def test_a_full_disk_is_no_error(self, cache, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        halved = double_and_whole()
        monkeypatch.setattr(halved._cache._cache_file, "_save_data", full)
        code_cache._warn_once.cache_clear()
        with pytest.warns(UserWarning, match="NUMBA_CACHE_DIR"):
            assert halved(3.0) == 1.5

    def test_nowhere_to_write(self, monkeypatch):
        monkeypatch.setattr(code_cache, "folder", lambda: None)
        code_cache._warn_once.cache_clear()
        with pytest.warns(UserWarning, match="NUMBA_CACHE_DIR"):
            assert double_and_whole()(3.0) == 1.5


class TestFolder:
    def test_what_the_user_says(self, tmp_path):
        code = "from neostriatum.code_cache import folder; print(folder())"
        done = python(tmp_path, code, NUMBA_CACHE_DIR="here")
        assert done.stdout.strip() == str(tmp_path / "here" / "neostriatum")

    def test_an_import_writes_nothing(self, tmp_path):
        done = python(tmp_path, "import neostriatum.network.wire", NUMBA_CACHE_DIR="here")
        assert (done.returncode, done.stderr, list(tmp_path.iterdir())) == (0, "", [])

    @pytest.mark.parametrize("user", ["home", "XDG_CACHE_HOME"])
    def test_a_package_that_cannot_be_written(self, tmp_path, monkeypatch, user):
        monkeypatch.setattr(code_cache.config, "CACHE_DIR", "")
        home = tmp_path / "home"
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        expected = home / ".cache" / "neostriatum" / "compiled"
        if user == "XDG_CACHE_HOME":
            monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
            expected = tmp_path / "xdg" / "neostriatum" / "compiled"
        # A file where the folder would be made stops root too.
        (tmp_path / "package").mkdir()
        (tmp_path / "package" / "__pycache__").write_text("")
        monkeypatch.setattr(code_cache, "__file__", str(tmp_path / "package" / "code_cache.py"))
        assert code_cache.folder.__wrapped__() == expected

    def test_nothing_can_be_written(self, tmp_path, monkeypatch):
        monkeypatch.setattr(code_cache.config, "CACHE_DIR", "")
        monkeypatch.setattr(code_cache, "__file__", str(tmp_path / "taken" / "code_cache.py"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
        (tmp_path / "taken").write_text("")
        assert code_cache.folder.__wrapped__() is None

    def test_numba_may_be_told_anything(self, tmp_path):
        for name, value in (("NUMBA_THREADING_LAYER", "tbb"), ("NUMBA_THREADING_LAYER", "no"),
                            ("NUMBA_NUM_THREADS", "1"), ("NUMBA_CPU_NAME", "generic")):
            done = python(tmp_path, SIMPLE, NUMBA_CACHE_DIR="here", **{name: value})
            assert (done.stdout, done.stderr) == ("42 3.0\n", ""), name


class TestEnvironment:
    @pytest.mark.parametrize(("name", "value"), [
        ("NUMBA_NUM_THREADS", "0"), ("NUMBA_NUM_THREADS", "-1"), ("NUMBA_NUM_THREADS", "all"),
        ("NUMBA_NUM_THREADS", ""), ("NUMBA_DISABLE_JIT", "1")])
    @pytest.mark.parametrize("command", [["info"], ["build", "--size", "20"], ["cell", "dSPN"]])
    def test_what_forbids_compiling_is_named(self, tmp_path, name, value, command):
        done = subprocess.run([sys.executable, "-m", "neostriatum", *command], cwd=tmp_path,
                              env={**os.environ, name: value}, text=True, capture_output=True,
                              check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"{name}: must be ")
        assert done.stderr.count("\n") == 1
        assert not list(tmp_path.iterdir())


def plain(x):
    """Return something.

    A docstring does not count.
    """
    # Nor does a comment.
    return _step(x) + SHIFT


def _step(x):
    return x * FACTOR


SHIFT, FACTOR = 1.0, 2.0


class TestFingerprint:
    def test_words_do_not_count(self):
        source = {}
        texts = ['def f(x):\n    """Tell."""\n    return x + 1\n',
                 'def f(x):\n    """Say."""\n\n    # More.\n    return x + 1\n']
        if sys.version_info < (3, 14):
            texts.append("def f(x):\n    return x + 1\n")
        for number, text in enumerate(texts):
            names = {"__name__": "neostriatum.some"}
            exec(text, names)  # noqa: S102
            source[number] = fingerprint(names["f"])
        assert len(set(source.values())) == 1

    @pytest.mark.parametrize(("name", "value"), [
        ("SHIFT", 2.0), ("SHIFT", np.float32(1.0)), ("FACTOR", 3.0), ("_step", lambda x: x + x),
        ("_step", inner(_step)),
    ])
    def test_what_it_names_counts_at_any_depth(self, monkeypatch, name, value):
        before = fingerprint(plain)
        assert fingerprint(plain) == before
        monkeypatch.setitem(globals(), name, value)
        assert fingerprint(plain) != before

    def test_what_it_names_in_a_module_of_ours_counts(self, monkeypatch):
        from neostriatum import jit
        from neostriatum.network import weights

        function = weights._draw.py_func
        before = fingerprint(function)
        monkeypatch.setattr(jit, "normal_pair", inner(_step))
        assert fingerprint(function) != before

    def test_what_it_does_not_name_does_not(self, monkeypatch):
        from neostriatum.network import weights
        from neostriatum.network.wire import _rows

        before = fingerprint(_rows.py_func)
        monkeypatch.setattr(weights, "_draw", None)
        assert fingerprint(_rows.py_func) == before

    @pytest.mark.parametrize("constant", [slice(1, None), (slice(None), slice(2, 3))])
    def test_slices_count_that_python_3_14_keeps_as_constants(self, constant):
        texts = []
        for value in (constant, slice(0, 1)):
            code = _step.__code__.replace(co_consts=(*_step.__code__.co_consts, value))
            texts.append(fingerprint(FunctionType(code, globals(), "_step")))
        assert texts[0] != texts[1]

    def test_the_same_in_every_process(self, tmp_path):
        code = ("from neostriatum.engines.numba_engine.window import run_part\n"
                "from neostriatum.reach import fingerprint\nprint(fingerprint(run_part.py_func))")
        outputs = {python(tmp_path, code, PYTHONHASHSEED=seed).stdout for seed in ("1", "2")}
        assert len(outputs) == 1
        assert len(outputs.pop()) == 65

    def test_what_has_no_text_is_refused(self, monkeypatch):
        monkeypatch.setitem(globals(), "SHIFT", object())
        with pytest.raises(TypeError, match="no text"):
            fingerprint(plain)


def test_cold_processes_share_a_cache(tmp_path):
    code = SIMPLE.replace("2 * x", "2 * x + 0")
    (tmp_path / "code.py").write_text(code)
    running = [subprocess.Popen([sys.executable, "code.py"], cwd=tmp_path, text=True,
                                env={**os.environ, "NUMBA_CACHE_DIR": "cache"},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    ended = [(*process.communicate(timeout=300), process.returncode) for process in running]
    assert set(ended) == {("42 3.0\n", "", 0)}
    assert len(list((tmp_path / "cache").rglob("*.nbc"))) == 2
    assert not list((tmp_path / "cache").rglob("*.tmp*"))
