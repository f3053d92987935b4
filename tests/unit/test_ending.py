"""The end of a run: what was simulated is safe and finished, whatever becomes of its figures.

And a library leaves alone what is not its own: signal handlers, settings of Matplotlib, warnings.
"""

import json
import locale
import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import matplotlib as mpl
import numba
import numpy as np
import pytest
import scipy.signal  # sets filters of warnings when it is first imported
from matplotlib.figure import Figure

import neostriatum as ns
from neostriatum import durable, plotting
from neostriatum.cli import main
from neostriatum.commands.run import summary_lines
from neostriatum.errors import BuildError, NeostriatumWarning, RunFileError
from neostriatum.plotting.gallery import picture
from neostriatum.recording.checked import checked
from neostriatum.recording.record import write_record
from neostriatum.recording.writer import Writer

pytestmark = pytest.mark.usefixtures("one_figure")
ROOT = Path(__file__).parents[2]
SRC, GOOD = str(ROOT / "src"), str(ROOT / "tests" / "data" / "good_small.toml")
QUICK = {"engine": "reference", "size": 60, "duration": "5 ms"}
COMMAND = ["run", GOOD, "--engine", "reference", "--size", "60", "--duration", "5 ms"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run without figures; not to be changed."""
    return ns.run(GOOD, out=tmp_path_factory.mktemp("runs") / "first", figures=False, **QUICK)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_process(*arguments, **environment):
    """Run the command line as a process of its own."""
    return subprocess.run([sys.executable, "-m", "neostriatum", *arguments], text=True,
                          env={**os.environ, "PYTHONPATH": SRC, **environment},
                          capture_output=True, timeout=300, check=False)


# ---- figures that cannot be drawn ---------------------------------------------------------------


def raising(error):
    def fail(*_, **__):
        raise error

    return fail


FAILURES = {
    "of Matplotlib": RuntimeError("Failed to process string with tex"),
    "of a value": ValueError("Key backend: 'x' is not a valid value"),
    "of an import": ImportError("No module named 'matplotlib'"),
    "of memory": MemoryError(),
    "of ours": ns.NeostriatumError("run: cannot be drawn"),
    "of the disk": RunFileError("figures: cannot be written (No space left on device)"),
    "of the system": OSError(28, "No space left on device"),
    "of arithmetic": FloatingPointError("overflow"),
    "that is a warning": UserWarning("glyph missing"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_figure_that_fails_is_a_warning(kind, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", raising(FAILURES[kind]))
        assert main([*COMMAND, "--out", "a b", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["neurons"] == 60
    assert err.count("\n") == 1
    assert err.startswith("warning: a b: the run is finished, but its figures and report could not")
    assert "Make them with: neostriatum report 'a b'" in err
    assert ns.Run("a b").status == "finished"
    assert main(["plot", "a b", "rates", "--quiet"]) == 0


def test_a_report_that_fails_is_a_warning(monkeypatch):
    monkeypatch.setattr("neostriatum.reporting.report._page", raising(KeyError("name")))
    with pytest.warns(NeostriatumWarning, match="the run is finished"):
        run = ns.run(GOOD, out="a", **QUICK)
    assert run.summary["neurons"] == 60
    assert [one.name for one in (run.folder / "figures").iterdir()] == ["rates.png"]
    assert "report in" not in "".join(summary_lines(run))


@pytest.mark.parametrize("command", ["report", "plot"])
def test_figures_that_were_asked_for_fail_with_their_error(command, run, monkeypatch, capsys):
    monkeypatch.setattr(Figure, "savefig", raising(RuntimeError("no tex")))
    assert main([command, str(run.folder), "--out", "new.html"]) == 1
    assert "no tex" in capsys.readouterr().err


def test_an_interrupt_while_drawing_says_that_the_run_is_finished(monkeypatch, capsys):
    monkeypatch.setattr(Figure, "savefig", raising(KeyboardInterrupt()))
    assert main([*COMMAND, "--out", "a", "--quiet"]) == 130
    assert "the run is finished. Make them with: neostriatum report a" in capsys.readouterr().err
    assert ns.Run("a").finished


def test_working_files_that_stay_are_a_warning(monkeypatch):
    monkeypatch.setattr(Writer, "clear_up", raising(RunFileError("chunk: cannot be written")))
    with pytest.warns(NeostriatumWarning, match="is finished, but working files"):
        assert ns.run(GOOD, out="a", figures=False, **QUICK).finished


def test_a_record_that_cannot_be_finished_leaves_a_run_to_resume(run, monkeypatch):
    def full(folder, record):
        if record["status"] == "finished":
            msg = "run.json: cannot be written (No space left on device)"
            raise RunFileError(msg)
        write_record(folder, record)

    with monkeypatch.context() as patch:
        patch.setattr("neostriatum.runs.loop.write_record", full)
        with pytest.raises(RunFileError, match="No space"):
            ns.run(GOOD, out="a", figures=False, **QUICK)
    assert ns.Run("a").status == "failed"
    assert ns.report("a", pictures={})["bytes"]
    assert ns.resume("a").summary["spike_hash"] == run.summary["spike_hash"]


def test_an_interrupt_once_the_run_is_finished_changes_nothing(run, monkeypatch):
    def interrupted(folder, record):
        write_record(folder, record)
        if record["status"] == "finished":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("neostriatum.runs.loop.write_record", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ns.run(GOOD, out="a", figures=False, **QUICK)
    checked(ns.Run("a"))
    assert ns.resume("a").summary["spike_hash"] == run.summary["spike_hash"]


def test_a_sweep_whose_figure_fails_is_finished(monkeypatch, capsys):
    Path("trial.toml").write_text(f"circuit = {GOOD!r}\nsize = 40\nduration = '2 ms'\nengine = "
                                  "'reference'\n[vary]\n'dopamine.d1' = [0.1, 0.2]\n")
    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", raising(RuntimeError("no tex")))
        assert main(["sweep", "trial.toml", "--out", "s", "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["finished"], json.loads(out)["figure"]) == (2, None)
    assert err.startswith("warning: s: the sweep is finished, but its figure could not be made")
    assert main(["sweep", "trial.toml", "--out", "s", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figure"] == "s/figure.png"


ENVIRONMENTS = {
    "a backend that is none": {"MPLBACKEND": "Qt4Agg"},
    "a backend that is not installed": {"MPLBACKEND": "TkAgg"},
    "TeX without TeX": {"MATPLOTLIBRC": "rc"},
    "settings that are not text": {"MATPLOTLIBRC": "bytes"},
    "settings that are a folder": {"MATPLOTLIBRC": "."},
    "no folder for fonts": {"MPLCONFIGDIR": "/proc/nosuch"},
    "warnings that are errors": {"PYTHONWARNINGS": "error", "MPLBACKEND": "Qt4Agg"},
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_environment_fails_a_run(name):
    Path("rc").write_text("text.usetex: True\nfont.family: nosuch\naxes.grid: True\n")
    Path("bytes").write_bytes(b"font.family: \xff\xfe\n")
    done = in_process(*COMMAND, "--out", "a", "--json", **ENVIRONMENTS[name])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["neurons"] == 60
    assert "our bug" not in done.stderr
    assert ns.Run("a").finished
    drawn = (Path("a") / "report.html").exists()
    assert drawn == ("neostriatum report a" not in done.stderr)


# ---- figures that are the same for everybody ----------------------------------------------------

SETTINGS = {
    "grid": {"axes.grid": True}, "size": {"savefig.bbox": "tight", "figure.figsize": (1, 1)},
    "TeX": {"text.usetex": True}, "font": {"font.family": ["nosuch"], "axes.titleweight": "bold"},
    "colours": {"axes.facecolor": "red", "savefig.transparent": True, "image.cmap": "jet"},
    "sketch": {"path.sketch": (1, 100, 2), "lines.marker": "o"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_changes_a_figure(name, run):
    make = plotting.FIGURES["rates"]
    plain = {ending: picture(make, run, [ending])[ending] for ending in ("png", "svg", "pdf")}
    with mpl.rc_context(SETTINGS[name]):
        before = dict(mpl.rcParams)
        assert {ending: picture(make, run, [ending])[ending] for ending in plain} == plain
        assert dict(mpl.rcParams) == before


# ---- what is not ours ---------------------------------------------------------------------------


def state():
    """What a library could change for its whole process."""
    mask = os.umask(0)
    os.umask(mask)
    return {
        "signals": {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM,
                                                           signal.SIGPIPE)},
        "showwarning": warnings.showwarning, "filters": list(warnings.filters),
        "settings": dict(mpl.rcParams), "backend": mpl.rcParams._get_backend_or_none(),
        "numpy": np.geterr(), "print": np.get_printoptions(), "umask": mask, "cwd": Path.cwd(),
        "locale": locale.setlocale(locale.LC_ALL), "hooks": (sys.excepthook, threading.excepthook),
        "streams": (sys.stdin, sys.stdout, sys.stderr), "environment": dict(os.environ),
        "recursion": sys.getrecursionlimit(), "threads": numba.get_num_threads(),
        "library": scipy.signal.__name__,
        "random": np.random.get_state()[1].tolist(),  # noqa: NPY002
    }


CALLS = {
    "run": lambda first: ns.run(GOOD, **QUICK),
    "run on two threads": lambda first: ns.run(GOOD, threads=2, **QUICK | {"engine": "numba"}),
    "report": lambda first: ns.report(first, "r.html"),
    "draw": lambda first: ns.draw(first, "rates", out="f"),
    "main run": lambda first: main([*COMMAND, "--quiet"]),
    "main report": lambda first: main(["report", str(first), "--out", "r.html", "--quiet"]),
    "main refused": lambda first: main(["run", "nosuch"]),
    "main build": lambda first: main(["build", GOOD, "--size", "60", "--quiet"]),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_process_is_left_as_it_was(name, run):
    before = state()
    CALLS[name](run.folder)
    after = state()
    assert {key: one for key, one in after.items() if one != before[key]} == {}


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL, signal.default_int_handler])
def test_the_handler_of_interrupts_is_given_back(handler):
    seen = []
    before = signal.signal(signal.SIGINT, handler)
    try:
        ns.run(GOOD, figures=False, progress=lambda *_: seen.append(
            signal.getsignal(signal.SIGINT)), **QUICK)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    if handler is signal.SIG_IGN:
        assert set(seen) == {handler}


def test_a_handler_that_python_does_not_know_is_left_alone(monkeypatch):
    """As of a process that embeds Python: getsignal returns None, which signal refuses."""
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    monkeypatch.setattr(signal, "signal", raising(AssertionError("a handler was set")))
    assert ns.run(GOOD, figures=False, **QUICK).finished


def test_a_run_in_a_thread_asks_for_no_signals(monkeypatch):
    monkeypatch.setattr(signal, "signal", raising(ValueError("only in the main thread")))
    runs = []
    thread = threading.Thread(target=lambda: runs.append(ns.run(GOOD, figures=False, **QUICK)))
    thread.start()
    thread.join()
    assert runs[0].finished


# ---- memory and disks ---------------------------------------------------------------------------

PLACES = ("neostriatum.network.build.place", "neostriatum.network.build.connect",
          "neostriatum.engines.reference.Reference.prepare",
          "neostriatum.engines.reference.Reference.advance",
          "neostriatum.recording.writer.Writer.add", "neostriatum.recording.writer.Writer.finish")


@pytest.mark.parametrize("place", PLACES)
def test_too_little_memory_is_one_line(place, monkeypatch, capsys):
    monkeypatch.setattr(place, raising(MemoryError("Unable to allocate 2.77 GiB")))
    with pytest.raises(BuildError, match="more memory than there is"):
        ns.run(GOOD, out="a", figures=False, **QUICK)
    assert not Path("a").exists() or ns.Run("a").status == "failed"
    assert main([*COMMAND, "--out", "b", "--quiet"]) == 2
    err = capsys.readouterr().err
    assert "needs more memory than there is (Unable to allocate 2.77 GiB)" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["info", "plot", "export", "build", "cell"])
def test_too_little_memory_in_any_command(command, run, monkeypatch, capsys):
    places = {"info": ("neostriatum.information.describe", [GOOD]),
              "plot": ("neostriatum.plotting.gallery.draw", [str(run.folder)]),
              "export": ("neostriatum.recording.export.export",
                         [str(run.folder), "--to", "csv", "--out", "x"]),
              "build": ("neostriatum.network.build.place", [GOOD, "--quiet"]),
              "cell": ("neostriatum.experiments.cell.cell", ["dSPN"])}
    place, arguments = places[command]
    monkeypatch.setattr(place, raising(MemoryError()))
    assert main([command, *arguments]) == 2
    err = capsys.readouterr().err
    assert "needs more memory than there is" in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
@pytest.mark.parametrize("command", [["info", GOOD], ["info", GOOD, "--json"], ["--help"]])
def test_output_that_cannot_be_written(command):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "neostriatum", *command], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=300,
                              env={**os.environ, "PYTHONPATH": SRC})
    assert done.returncode == 5
    assert done.stderr == ("output: cannot be written (No space left on device). "
                           "Free space or use --quiet\n")


def test_windows_opens_no_folder_and_writes_bytes(monkeypatch):
    flags, real, binary = [], os.open, 1 << 30

    def opened(path, flag, *rest, **options):
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied", path)
        flags.append(flag)
        return real(path, flag & ~binary, *rest, **options)

    monkeypatch.delattr(os, "O_DIRECTORY")
    monkeypatch.setattr(os, "O_BINARY", binary, raising=False)
    monkeypatch.setattr(os, "open", opened)
    durable.write_text(Path("a"), "x\n")
    durable.append_line(Path("b"), "x")
    durable.cut(Path("b"), 1)
    assert [Path(one).read_bytes() for one in "ab"] == [b"x\n", b"x"]
    assert len(flags) == 3
    assert all(one & binary for one in flags)


@pytest.mark.parametrize("name", ["\N{SUPERSCRIPT TWO}", "\N{CIRCLED DIGIT ONE}", "0x7", "-3"])
def test_folders_that_are_no_numbers(name):
    for one in (name, "0004"):
        (Path("runs") / one).mkdir(parents=True)
    assert durable.claim(None) == Path("runs/0005")


@pytest.mark.parametrize(("first", "late"), [(50_000, True), (5.1, True), (5, False), (0, False)])
def test_input_spikes_after_the_end(first, late, capsys):
    text = Path(GOOD).read_text("utf-8")
    Path("late.csv").write_text(f"time_ms,id\n{first},0\n{first + 1},1\n")
    Path("net.toml").write_text(text + '\n[inputs.late.targets.FS]\nspikes = { file = "late.csv" }'
                                '\nconductance = { AMPA = "500 nS" }\n')
    assert main(["run", "net.toml", *COMMAND[2:], "--out", "a"]) == 0
    warning = "warning: input late on FS: no spike of late.csv falls into the run"
    assert (warning in capsys.readouterr().err) == late
    assert ("no spike of late.csv" in Path("a/report.html").read_text("utf-8")) == late


# ---- names of folders ---------------------------------------------------------------------------


def test_a_run_is_found_after_a_change_of_folder(monkeypatch):
    run = ns.run(GOOD, out="rel", figures=False, **QUICK)
    again = ns.Run("rel")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    for one in (run, again):
        assert one.summary["out"] == "rel"
        assert len(one.spikes) >= 0
        one.verify()
        assert ns.report(one, pictures={})["out"] == str(Path("rel/report.html"))
    assert ns.resume(again).summary["out"] == "rel"
    assert not list(Path().iterdir())


@pytest.mark.parametrize("command", [["report"], ["plot"], ["rerun"], ["resume"],
                                     ["export", "--to", "csv", "--out", "x"]])
def test_a_run_without_its_folder_is_pointed_out(command, run, capsys):
    shutil.copytree(run.folder, "runs/0001")
    assert main([command[0], "0001", *command[1:]]) == 5
    assert "Did you mean runs/0001?" in capsys.readouterr().err
    assert main([command[0], "0002", *command[1:]]) == 5
    assert "Did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["info", "cite"])
def test_a_circuit_that_is_a_run(command, run, capsys):
    shutil.copytree(run.folder, "runs/0001")
    assert main([command, "0001"]) == 2
    assert "Did you mean runs/0001?" in capsys.readouterr().err
