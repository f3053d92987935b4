"""The example notebook runs from top to bottom and says what the parameter sheet says.

What it stores comes from ``jupyter execute --inplace examples/notebook.ipynb``.
"""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

import neostriatum as ns
from neostriatum.circuit.sources import sources

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
#: A hosting site shows outputs that are stored; a large file it does not.
LARGEST = 300_000


def read():
    return nbformat.read(NOTEBOOK, as_version=4)


def outputs(notebook):
    """What the code cells of a notebook put out, in order."""
    return [one for cell in notebook.cells if cell.cell_type == "code" for one in cell.outputs]


def plain_tables(notebook):
    """The words of every table that a notebook put out; tags vary with the version of pandas."""
    pages = [one.get("data", {}).get("text/html", "") for one in outputs(notebook)]
    return [re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split()
            for page in pages if "<table" in page]


def table(text):
    """The cells of every row of the only table in a piece of Markdown, without its two heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[2:]]


def corrections():
    (found,) = [cell.source for cell in read().cells
                if cell.cell_type == "markdown" and "| Line of the notebook |" in cell.source]
    return table(found)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook after its cells have run, by this interpreter and in an empty folder."""
    folder = tmp_path_factory.mktemp("notebook")
    write_kernel_spec(folder / "kernels" / "python3")
    notebook = read()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with pytest.MonkeyPatch.context() as patch:
        # First on the search path, so whatever kernel the machine has does not matter.
        patch.setenv("JUPYTER_PATH", str(folder))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        client = NotebookClient(notebook, kernel_name="python3", timeout=900,
                                resources={"metadata": {"path": str(folder)}})
        assert KernelSpecManager().get_kernel_spec("python3").argv[0] == sys.executable
        client.execute()
    return notebook


class TestExecuted:
    def test_every_cell_runs_without_a_complaint(self, executed):
        cells = [cell for cell in executed.cells if cell.cell_type == "code"]
        assert len(cells) > 15
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        # Neither an error nor a warning on stderr.
        assert not [one for one in outputs(executed)
                    if one.output_type in ("error", "stream")]

    def test_every_pathway_is_in_the_table_of_results(self, executed):
        (results,) = [one["data"]["text/html"] for one in outputs(executed)
                      if "PSP (mV)" in one.get("data", {}).get("text/html", "")]
        for name in ns.load("seed").pathways:
            assert name.replace(">", "&gt;") in results

    def test_figures_are_drawn(self, executed):
        assert sum("image/png" in one.get("data", {}) for one in outputs(executed)) == 6

    def test_stored_tables_are_those_of_the_present_code(self, executed):
        fresh, stored = plain_tables(executed), plain_tables(read())
        assert len(fresh) >= 8
        assert fresh == stored, "execute it again, see above"
        assert not [one for one in fresh if {"NaN", "None"} & set(one)]


class TestStored:
    def test_outputs_are_stored_and_small(self):
        assert NOTEBOOK.stat().st_size < LARGEST
        assert all(cell.outputs for cell in read().cells if cell.cell_type == "code")

    def test_no_path_of_the_machine_that_ran_it(self):
        text = NOTEBOOK.read_text("utf-8")
        assert not re.findall(r"(?:/home/|/tmp/|/root/|/Users/|C:\\)\S*", text)

    def test_every_correction_is_listed(self):
        sheet = (ROOT / "docs" / "parameters.md").read_text("utf-8")
        expected = table(sheet.split("## 8. Errors in the seed")[1].split("\n## ")[0])
        assert len(expected) >= 40
        assert [row[0] for row in corrections()] == [row[0] for row in expected]

    def test_every_correction_says_what_it_was_what_it_is_and_whose(self):
        for row in corrections():
            assert len(row) == 4, row
            assert all(row), row
            named = set(row[3].split(", ")) - {"Brian2", "units", "–"}  # noqa: RUF001
            assert named <= set(sources()), row
