"""CSV files: recorded spikes and tables of types; no column is ever taken for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from case import EITHER, REFUSED, SAME, Case
from sonata_files import COUNTS, FILES, config, configured, plain, read, written
from spikes import IDS, RIGHT, TIMES, events, table

KIND = "tables"

WORDS = ("time_ms", "id", "column", "field", "row", "csv", "number", "utf", "decode")
ROWS = list(zip(TIMES, IDS, strict=True))
WIDE = [(t, n, f) for (t, n), f in zip(ROWS, (1, 1, 2, 2), strict=True)]
#: Read one column off, these are sorted times.
RISING = [(0.5, 2, 1), (1.0, 3, 1), (7.0, 4, 2)]


def _spikes(label: str, text: str | bytes, expect: str = REFUSED, right: Any = RIGHT) -> Case:
    def run(folder: Path) -> Any:
        data = text.encode() if isinstance(text, str) else text
        (folder / "in.csv").write_bytes(data)
        return events(folder, "in.csv")

    return Case(f"spikes: {label}", run, expect, right, WORDS)


def _widths() -> list[Case]:
    plain_text = table()
    first, *rest = plain_text.splitlines()
    return [
        _spikes("two names, rows of three", table(WIDE)),
        _spikes("two names, rows of three with zeros", table([(*row, 0) for row in ROWS])),
        _spikes("two names, rows of three, ids that rise", table(RISING)),
        _spikes("two names, rows of four, ids that rise", table([(*row, 0) for row in RISING])),
        _spikes("three names, rows of four, ids that rise", table(
            [(*row, 0) for row in RISING], header="time_ms,id,flag")),
        _spikes("an index without a name, ids that rise", table(
            [(n, t, i) for n, (t, i, _) in enumerate(RISING)])),
        _spikes("blanks behind the names, rows of three", table(RISING, header="time_ms,id ")),
        _spikes("two names, rows of four", table([(*row, 1, 1) for row in WIDE])),
        _spikes("two names, rows of five", table([(0, 0, *row) for row in WIDE])),
        _spikes("two names, an index first", table([(n, *row) for n, row in enumerate(ROWS)])),
        _spikes("two names, rows of one", table([(t,) for t in TIMES])),
        _spikes("two names, the last row of three", plain_text.rstrip() + ",9\n"),
        _spikes("two names, the first row of three", "\n".join([first, rest[0] + ",9", *rest[1:]])),
        _spikes("two names, one row of one", f"{plain_text}9.5\n"),
        _spikes("three names, rows of four", table([(*row, 5) for row in WIDE],
                                                   header="time_ms,id,flag")),
        _spikes("three names, rows of two", table(header="time_ms,id,flag"), EITHER),
        _spikes("three names, rows of three", table(WIDE, header="time_ms,id,flag"), SAME),
        _spikes("an index with an empty name", table(
            [(n, *row) for n, row in enumerate(ROWS)], header=",time_ms,id"), SAME),
        _spikes("trailing commas in the rows", table([(*row, "") for row in ROWS]), EITHER),
        _spikes("trailing commas everywhere", table([(*row, "") for row in ROWS],
                                                    header="time_ms,id,"), EITHER),
        _spikes("a trailing comma in the header", table(header="time_ms,id,"), EITHER),
        _spikes("two names, blanks for commas in the rows", table(separator=" ").replace(
            "time_ms id", "time_ms,id")),
        _spikes("other order of columns", table([(n, t) for t, n in ROWS], header="id,time_ms"),
                SAME),
        _spikes("a column between", table([(t, 9, n) for t, n in ROWS],
                                          header="time_ms,x,id"), SAME),
        _spikes("a quoted comma in a third column", table(
            [(t, n, '"a,b"') for t, n in ROWS], header="time_ms,id,note"), SAME),
        _spikes("a comma in a third column, not quoted", table(
            [(t, n, "a,b") for t, n in ROWS], header="time_ms,id,note")),
    ]


def _names() -> list[Case]:
    return [
        _spikes("id twice", table(WIDE, header="time_ms,id,id")),
        _spikes("time_ms twice", table([(t, t + 1, n) for t, n in ROWS],
                                       header="time_ms,time_ms,id")),
        _spikes("id twice, the first one another", table([(t, 9, n) for t, n in ROWS],
                                                         header="time_ms,id,id")),
        _spikes("id and id.1", table(WIDE, header="time_ms,id,id.1"), EITHER),
        *(_spikes(f"header {header}", table(header=header)) for header in (
            "time,id", "Time_ms,ID", "time_s,id", "time_ms,ids", "t,i", "timestamps,node_ids",
            "0.5,2", "time_ms;id")),
        _spikes("no header", "\n".join(f"{t},{n}" for t, n in ROWS)),
        _spikes("blanks around the names", table(header=" time_ms , id "), EITHER),
        _spikes("blanks around the values", table([(f" {t} ", f" {n} ") for t, n in ROWS]), EITHER),
        _spikes("quoted names and values", table(
            [(f'"{t}"', f'"{n}"') for t, n in ROWS], header='"time_ms","id"'), EITHER),
        _spikes("single quotes", table([(f"'{t}'", f"'{n}'") for t, n in ROWS],
                                       header="'time_ms','id'")),
        _spikes("a quote that does not end", table().replace("7.25", '"7.25')),
        _spikes("the header twice", table() + table()),
    ]


def _dialects() -> list[Case]:
    text, names = table(), ("tab", "semicolon", "blank", "bar")
    listed = [_spikes(f"separator {name}", table(separator=item), EITHER)
             for name, item in zip(names, "\t; |", strict=True)]
    codes = {"utf-8-sig": SAME, "utf-16": EITHER, "utf-16-le": EITHER, "utf-32": EITHER,
             "latin-1": SAME, "cp1252": SAME, "ascii": SAME}
    listed += [_spikes(f"in {code}", text.encode(code), expect) for code, expect in codes.items()]
    accents = table([(t, n, "é") for t, n in ROWS], header="time_ms,id,é")
    return [
        *listed,
        _spikes("accents in latin-1", accents.encode("latin-1"), EITHER),
        _spikes("accents in UTF-8", accents, SAME),
        _spikes("semicolons and decimal commas", table().replace(",", ";").replace(".", ",")),
        _spikes("decimal commas in quotes", table([(f'"{t}"'.replace(".", ","), n)
                                                   for t, n in ROWS]), EITHER),
        _spikes("decimal commas, not quoted", table([(str(t).replace(".", ","), n)
                                                     for t, n in ROWS])),
        _spikes("thousands in quotes", table([*ROWS, ('"1,000.5"', 2)]), EITHER,
                ((*TIMES, 1000.5), (*IDS, 2))),
        _spikes("thousands with blanks", table([*ROWS, ("1 000.5", 2)])),
        *(_spikes(f"ends of lines {label}", text.replace("\n", end), expect)
          for label, end, expect in (("of DOS", "\r\n", SAME), ("of old Macs", "\r", EITHER),
                                     ("doubled", "\n\n", EITHER))),
        _spikes("no last end of line", text.rstrip(), SAME),
        _spikes("blank lines at the end", text + "\n\n\n", SAME),
        _spikes("a blank line first", "\n" + text, EITHER),
        _spikes("a comment first", "# from a tool\n" + text),
        _spikes("a comment in the middle", text.replace("7.25", "# from a tool\n7.25")),
        _spikes("a comment behind a row", text.replace("7.25,4", "7.25,4 # last")),
        _spikes("a line of units", text.replace("time_ms,id", "time_ms,id\nms,1")),
        _spikes("sep=, as Excel has it", "sep=,\n" + text, EITHER),
        _spikes("a null character", text.replace("7.25", "7.\x0025")),
        _spikes("nothing", ""), _spikes("the header alone", "time_ms,id\n"),
        _spikes("bytes of a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    ]


def _values() -> list[Case]:
    def last(time: Any, number: Any) -> str:
        return table([*ROWS[:-1], (time, number)])

    listed = [_spikes(f"time {time}", last(time, 4), expect) for time, expect in (
        ("7.250", SAME), ("7.25e0", SAME), ("+7.25", EITHER), ("725e-2", SAME), ("NaN", REFUSED),
        ("inf", REFUSED), ("-7.25", REFUSED), ("", REFUSED), ("7.25 ms", REFUSED),
        ("0x7", REFUSED), ("1e400", REFUSED), ("None", REFUSED), ("7_25", REFUSED),
        ("True", REFUSED), ("\u0667", REFUSED), ("1e11", REFUSED), ("7:25", REFUSED))]
    listed += [_spikes(f"id {number}", last(7.25, number), expect) for number, expect in (
        ("4.0", EITHER), ("4e0", EITHER), ("04", EITHER), ("4.5", REFUSED), ("", REFUSED),
        ("NaN", REFUSED), ("-4", REFUSED), ("0x4", REFUSED), ("True", REFUSED), ("four", REFUSED),
        ("9223372036854775812", REFUSED), ("18446744073709551620", REFUSED), ("2147483648",
                                                                              REFUSED))]
    return [*listed,
            _spikes("all ids floats", table([(t, float(n)) for t, n in ROWS]), EITHER),
            _spikes("all ids true or false", table([(t, n > 2) for t, n in ROWS])),
            _spikes("not sorted", table(sorted(ROWS, key=lambda row: -row[0])), EITHER,
                    ((0.5, 1.0, 1.0, 7.25), (2, 3, 1, 4))),
            _spikes("a population of a CSV file", table(
                [(t, "ctx", n) for t, n in ROWS], " ", "timestamps,population,node_ids"), EITHER)]


def _types(label: str, text: str | bytes, expect: str = REFUSED, right: Any = plain,
           kind: str = "edge", words: tuple[str, ...] = ()) -> Case:
    """Return a table of types of the first edges (type 7) or of the nodes (types 0 to 2)."""
    def run(folder: Path) -> str:
        content = config()
        content["networks"][f"{kind}s"][0][f"{kind}_types_file"] = "$DIR/types.csv"
        configured(written(folder), content)
        (folder / "types.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return read(folder)

    return Case(f"{kind} types: {label}", run, expect, right,
                words or ("types.csv", "column", f"{kind}_type_id", "field", "row", "nsyns"))


def doubled() -> str:
    """Return what is seen where the first edges stand for two synapses each."""
    import tempfile

    import h5py

    with tempfile.TemporaryDirectory() as place:
        folder = written(Path(place))
        with h5py.File(folder / next(iter(FILES.values())), "r+") as file:
            for population in file["edges"].values():
                population["0/syn_weight"][...] *= 2
        return read(folder)


def _tables() -> list[Case]:
    head, two = "edge_type_id nsyns", doubled
    nodes = "node_type_id pop_name\n" + "".join(f"{n} {name}\n" for n, name in enumerate(COUNTS))
    rows: list[tuple[str, str | bytes, str, Any]] = [
        ("plain", f"{head}\n7 2\n", SAME, two), ("ends of DOS", f"{head}\r\n7 2\r\n", SAME, two),
        ("byte order mark", f"\ufeff{head}\n7 2\n", SAME, two),
        ("UTF-16", f"{head}\n7 2\n".encode("utf-16"), EITHER, two),
        ("commas", "edge_type_id,nsyns\n7,2\n", EITHER, two),
        ("tabs", "edge_type_id\tnsyns\n7\t2\n", EITHER, two),
        ("two blanks", "edge_type_id  nsyns\n7  2\n", EITHER, two),
        ("rows of three", f"{head}\n7 2 3\n", REFUSED, two),
        ("rows of three, of which two rows", f"{head}\n3 7 5\n4 8 6\n", REFUSED, two),
        ("an index first", f"{head}\n0 7 2\n1 8 3\n", REFUSED, two),
        ("rows of one", f"{head}\n7\n", EITHER, plain),
        ("a blank behind every row", f"{head} \n7 2 \n", EITHER, two),
        ("a blank behind the rows", f"{head}\n7 2 \n", EITHER, two),
        ("nsyns twice", "edge_type_id nsyns nsyns\n7 2 3\n", REFUSED, two),
        ("edge_type_id twice", "edge_type_id edge_type_id nsyns\n7 8 2\n", REFUSED, two),
        ("two rows of one type", f"{head}\n7 2\n7 3\n", REFUSED, two),
        ("no row of the type", f"{head}\n8 2\n", EITHER, plain),
        ("a text for a number", f"{head}\n7 two\n", REFUSED, two),
        ("a decimal comma", f"{head}\n7 2,0\n", REFUSED, two),
        ("a float for a number", f"{head}\n7 2.0\n", SAME, two),
        ("a float for a type", f"{head}\n7.0 2\n", EITHER, two),
        ("half a type", f"{head}\n7.5 2\n", EITHER, plain),
        ("NULL", f"{head}\n7 NULL\n", EITHER, plain), ("NONE", f"{head}\n7 NONE\n", EITHER, plain),
        ("quoted", 'edge_type_id nsyns note\n7 2 "a b"\n', EITHER, two),
        ("not quoted", "edge_type_id nsyns note\n7 2 a b\n", REFUSED, two),
        ("a comment", f"# made\n{head}\n7 2\n", REFUSED, two),
        ("blank lines", f"\n{head}\n\n7 2\n\n", EITHER, two),
        ("other case", "Edge_Type_ID nsyns\n7 2\n", REFUSED, two),
        ("nothing", "", REFUSED, two),
    ]
    listed = [_types(label, text, expect, right) for label, text, expect, right in rows]
    words = ("types.csv", "column", "node_type_id", "field", "row", "pop_name")
    shifted = "node_type_id pop_name\n" + "".join(
        f"{n} {n + 1} {name}\n" for n, name in enumerate(COUNTS))
    return [*listed,
            _types("plain", nodes, SAME, kind="node", words=words),
            _types("rows of three", shifted, kind="node", words=words),
            _types("pop_name twice", nodes.replace("pop_name\n", "pop_name pop_name\n").replace(
                "SPN\n", "SPN FS\n").replace(" FS\n", " FS dSPN\n", 1), kind="node", words=words),
            _types("ends of DOS", nodes.replace("\n", "\r\n"), SAME, kind="node", words=words),
            _types("commas", nodes.replace(" ", ","), EITHER, kind="node", words=words),
            _types("byte order mark", "\ufeff" + nodes, SAME, kind="node", words=words)]


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*_widths(), *_names(), *_dialects(), *_values(), *_tables()]
