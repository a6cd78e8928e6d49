"""Corruptions of a table's shape: its headings, its rows, and its file."""

import codecs
import gzip
import io
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.corruptions.base import (
    TABLES,
    Answer,
    Corruption,
    Rows,
    Spoil,
    all_of,
    edit_bytes,
    edit_rows,
    edit_text,
    stored,
)

KEEPS = Answer.LOADS


def corrupt_headings(dataset: str) -> Iterator[Corruption]:
    """Yield each column missing, twice, or under another name."""
    for table in TABLES[dataset]:
        names = stored(dataset, table)[0]
        for at, name in enumerate(names):
            for kind, change, answer in _headings(at, name):
                file, place = f"{table}.csv", f"{table}.{name}"
                spoil = edit_rows(table, change)
                yield Corruption(dataset, place, kind, spoil, (file,), (name,), (1,), answer)
        for kind, change, answer in _orders(len(names)):
            yield Corruption(
                dataset,
                f"{table}.csv",
                kind,
                edit_rows(table, change),
                (f"{table}.csv",),
                (),
                answer,
            )


Change = Callable[[Rows], Rows]


def _headings(at: int, name: str) -> Iterator[tuple[str, Change, Answer]]:
    """Yield what happens to one heading."""
    noticed = Answer.NOTICED
    yield "column missing", lambda rows: [row[:at] + row[at + 1 :] for row in rows], noticed
    yield "column twice", lambda rows: [[*row, row[at]] for row in rows], noticed
    yield "column twice, second blank", lambda rows: _beside(rows, name, ""), noticed
    yield "column twice, second other", lambda rows: _beside(rows, name, "7"), noticed
    yield "column twice, in lower case", lambda rows: _beside(rows, name.lower(), "7"), noticed
    yield "column twice, as pandas names it", lambda rows: _beside(rows, name + ".1", "7"), KEEPS
    for kind, written in {
        "lower case": name.lower(),
        "title case": name.title(),
        "blank behind": name + " ",
        "blank before": " " + name,
        "no-break space behind": name + "\u00a0",
        "tab behind": name + "\t",
        "zero-width space behind": name + "\u200b",
        "byte-order mark before": "\ufeff" + name,
        "quotes around": f'"{name}"',
        "NUL behind": name + "\0",
        "newline behind": name + "\n",
        "one letter less": name[:-1],
        "label": f"{name} (label)",
        "number": "1",
        "blank": "",
        "bidi override before": "\u202e" + name,
        "Cyrillic letter": name.replace("A", "А").replace("E", "Е"),
        "markup": "<b>" + name,
        "20,000 characters": name * 4_000,
    }.items():
        yield f"heading, {kind}", lambda rows, to=written: _rename(rows, at, to), noticed


def _orders(width: int) -> Iterator[tuple[str, Change, Answer]]:
    """Yield other orders and further columns, none of which changes what the table says."""
    keeps = Answer.LOADS
    yield "columns in reverse", lambda rows: [row[::-1] for row in rows], keeps
    yield "first column last", lambda rows: [row[1:] + row[:1] for row in rows], keeps
    yield "unknown column", lambda rows: _beside(rows, "XYZ", "1"), keeps
    yield "unknown column of NUL", lambda rows: _beside(rows, "XYZ", "\0"), Answer.NOTICED
    yield "row names", lambda rows: [[str(n or ""), *row] for n, row in enumerate(rows)], keeps
    yield "row names, unnamed", lambda rows: _row_names(rows, "Unnamed: 0"), keeps
    yield "blank column behind", lambda rows: _beside(rows, "", ""), keeps
    yield "300 unknown columns", lambda rows: _many(rows), keeps
    for kind, step in {"next": 1, "last": width - 1}.items():
        yield f"headings moved to the {kind}", lambda rows, by=step: _turn(rows, by), Answer.NOTICED
    yield "no heading", lambda rows: rows[1:], Answer.NOTICED
    yield "heading twice", lambda rows: [rows[0], *rows], Answer.NOTICED
    yield "heading in the middle", lambda rows: [*rows[:9], rows[0], *rows[9:]], Answer.NOTICED
    yield "heading at the end", lambda rows: [*rows, rows[0]], Answer.NOTICED
    yield "title above", lambda rows: [["Listing 16.2"], *rows], Answer.NOTICED
    yield "labels below", lambda rows: [rows[0], ["Label"] * width, *rows[1:]], Answer.NOTICED
    yield (
        "total below",
        lambda rows: [*rows, ["Total", *[str(len(rows))] * (width - 1)]],
        Answer.NOTICED,
    )
    yield "blank record below", lambda rows: [*rows, [""] * width], Answer.NOTICED
    yield "transposed", lambda rows: [list(row) for row in zip(*rows, strict=True)], Answer.NOTICED


def _rename(rows: Rows, at: int, to: str) -> Rows:
    return [[*rows[0][:at], to, *rows[0][at + 1 :]], *rows[1:]]


def _beside(rows: Rows, name: str, value: str) -> Rows:
    return [[*rows[0], name], *([*row, value] for row in rows[1:])]


def _many(rows: Rows) -> Rows:
    return [[*rows[0], *(f"X{n}" for n in range(300))], *([*row, *["1"] * 300] for row in rows[1:])]


def _row_names(rows: Rows, name: str) -> Rows:
    return [[name, *rows[0]], *([str(n), *row] for n, row in enumerate(rows[1:]))]


def _turn(rows: Rows, by: int) -> Rows:
    return [rows[0][-by:] + rows[0][:-by], *rows[1:]]


def corrupt_rows(dataset: str) -> Iterator[Corruption]:
    """Yield rows twice, in another order, too long, too short, or cut."""
    for table in TABLES[dataset]:
        name = f"{table}.csv"
        for kind, change, answer in (
            ("rows in reverse", lambda rows: [rows[0], *rows[:0:-1]], KEEPS),
            ("rows sorted by the last column", _sort_rows, KEEPS),
            ("a row twice, below", lambda rows: [*rows, rows[3]], Answer.NOTICED),
            ("a row twice, next", lambda rows: [*rows[:4], rows[3], *rows[4:]], Answer.NOTICED),
            ("a row three times", lambda rows: [*rows, rows[2], rows[2]], Answer.NOTICED),
            ("every row twice", lambda rows: [*rows, *rows[1:]], Answer.NOTICED),
            ("first row only", lambda rows: rows[:2], None),
            ("heading only", lambda rows: rows[:1], None),
            (
                "a row of somebody unknown",
                lambda rows: [*rows, ["X-99", *rows[3][1:]]],
                Answer.NOTICED,
            ),
            ("a row with a cell more", lambda rows: _stretch(rows, ["x"]), Answer.NOTICED),
            ("a row with a blank cell more", lambda rows: _stretch(rows, [""]), Answer.NOTICED),
            ("all rows with a cell more", _stretch_all, Answer.NOTICED),
            ("a row with a cell less", lambda rows: _shorten(rows, 1), Answer.NOTICED),
            ("a row of one cell", lambda rows: _shorten(rows, len(rows[0]) - 1), Answer.NOTICED),
            ("a row moved by a cell", _shift, Answer.NOTICED),
        ):
            if answer is None:
                # Fewer rows are a smaller trial; of the tables only events may just be fewer.
                answer = Answer.LITERAL if table in ("adae", "adlb") else Answer.NOTICED
            if kind == "a row of somebody unknown" and dataset == "mayo_pbc" and table == "adsl":
                answer = Answer.LITERAL
            columns: tuple[str, ...] = ()
            files = (
                (name, "adsl.csv", "adlb.csv", "adae.csv", "adex.csv")
                if "row only" in kind or ("heading only" in kind)
                else (name,)
            )
            yield Corruption(
                dataset, name, kind, edit_rows(table, change), files, columns, (), answer
            )


def _sort_rows(rows: Rows) -> Rows:
    return [rows[0], *sorted(rows[1:], key=lambda row: row[::-1])]


def _stretch(rows: Rows, more: list[str]) -> Rows:
    return [*rows[:5], rows[5] + more, *rows[6:]]


def _stretch_all(rows: Rows) -> Rows:
    return [rows[0], *([*row, "x"] for row in rows[1:])]


def _shorten(rows: Rows, by: int) -> Rows:
    return [*rows[:5], rows[5][:-by], *rows[6:]]


def _shift(rows: Rows) -> Rows:
    return [*rows[:5], ["", *rows[5][:-1]], *rows[6:]]


def corrupt_bytes(dataset: str) -> Iterator[Corruption]:
    """Yield each file in another encoding, with other line ends, damaged, or not what it seems."""
    names = [f"{table}.csv" for table in TABLES[dataset]] + ["study.yml"]
    for name in names:
        for kind, change, answer in _damages(name.endswith(".csv")):
            yield Corruption(dataset, name, kind, edit_bytes(name, change), (name,), (), (), answer)


Damage = tuple[str, Callable[[bytes], bytes], Answer]


def _damages(table: bool) -> Iterator[Damage]:
    noticed = Answer.NOTICED
    yield "byte-order mark", lambda b: codecs.BOM_UTF8 + b, KEEPS
    yield "two byte-order marks", lambda b: codecs.BOM_UTF8 * 2 + b, noticed
    yield "line ends of Windows", lambda b: b.replace(b"\n", b"\r\n"), KEEPS
    yield "line ends of old Macs", lambda b: b.replace(b"\n", b"\r"), noticed
    yield "line ends mixed", lambda b: b.replace(b"\n", b"\r\n", 3), KEEPS
    yield "line ends doubled", lambda b: b.replace(b"\n", b"\r\r\n"), noticed
    yield "no last line end", lambda b: b.rstrip(b"\n"), KEEPS
    yield "blank lines at the end", lambda b: b + b"\n\n\n", KEEPS
    yield "end-of-file of DOS", lambda b: b + b"\x1a", noticed
    yield "NUL at the end", lambda b: b + b"\0\0\0\0", noticed
    yield "NUL at the start", lambda b: b"\0" + b, noticed
    yield "no bytes", lambda b: b"", noticed
    yield "blanks only", lambda b: b"   \n \n", noticed
    yield "line ends only", lambda b: b"\n\n\n", noticed
    yield "NUL only", lambda b: b"\0" * 4096, noticed
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp500"):
        yield (
            f"in {encoding}",
            lambda b, to=encoding: _mark(b).decode().encode(to, "replace"),
            noticed,
        )
    for encoding in ("latin-1", "cp1252", "mac-roman", "cp850"):
        yield (
            f"in {encoding}",
            lambda b, to=encoding: _mark(b).decode().encode(to, "replace"),
            noticed,
        )
    yield "in gb18030", lambda b: _mark(b, "肝硬化").decode().encode("gb18030", "replace"), noticed
    yield (
        "in shift-jis",
        lambda b: _mark(b, "肝硬").decode().encode("shift-jis", "replace"),
        noticed,
    )
    yield "a byte that is no UTF-8", lambda b: b[:200] + b"\xff" + b[200:], noticed
    yield "a surrogate", lambda b: b[:200] + b"\xed\xa0\x80" + b[200:], noticed
    yield "an overlong blank", lambda b: b[:200] + b"\xc0\xa0" + b[200:], noticed
    yield "cut in the middle", lambda b: b[: len(b) // 2 + 3], noticed
    yield "cut after 100 bytes", lambda b: b[:100], noticed
    yield "gzip", gzip.compress, noticed
    yield "zip", _zip, noticed
    yield "a web page", lambda b: b"<!DOCTYPE html><html><body>Sign in</body></html>\n", noticed
    yield "JSON", lambda b: b'[{"USUBJID": "X"}]\n', noticed
    yield "a picture", lambda b: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), noticed
    yield "random bytes", lambda b: bytes(n * n * 7 % 251 for n in range(5_000)), noticed
    yield "a pointer of Git LFS", lambda b: b"version https://git-lfs.github.com/spec/v1\n", noticed
    yield (
        "marks of a merge",
        lambda b: b"<<<<<<< ours\n" + b + b"=======\n>>>>>>> theirs\n",
        noticed,
    )
    yield "a line of 3 MB", lambda b: b + b"x" * 3_000_000 + b"\n", noticed
    if table:
        yield from _csv_damages()


def _csv_damages() -> Iterator[Damage]:
    noticed = Answer.NOTICED
    for name, mark in (("semicolons", b";"), ("tabs", b"\t"), ("bars", b"|"), ("colons", b":")):
        yield f"{name} for commas", lambda b, to=mark: b.replace(b",", to), noticed
    yield "blanks after commas", lambda b: b.replace(b",", b", "), noticed
    yield "Excel's sep line", lambda b: b"sep=,\n" + b, noticed
    yield "a remark above", lambda b: b"# exported by SAS\n" + b, noticed
    yield "a remark below", lambda b: b + b"# end\n", noticed
    yield "a blank line above", lambda b: b"\n" + b, noticed
    yield "a blank line in the middle", lambda b: _insert(b, 6, b""), noticed
    yield "a line of blanks in the middle", lambda b: _insert(b, 6, b"   "), noticed
    yield "a line of commas in the middle", lambda b: _insert(b, 6, b",,,,,,,"), noticed
    yield "all cells quoted", _quote_all, KEEPS
    yield "all cells in apostrophes", lambda b: _quote_all(b).replace(b'"', b"'"), noticed
    yield "a stray quote", lambda b: _prefix_cell(b, (4,), b'"'), noticed
    yield "two stray quotes", lambda b: _prefix_cell(b, (4, 7), b'"'), noticed
    yield "two stray quotes, next", lambda b: _prefix_cell(b, (4, 5), b'"'), noticed
    yield "two stray quotes in the first column", lambda b: _quote_starts(b, (4, 7)), noticed
    yield "quotes around a line", lambda b: _wrap_line(b, 4), noticed
    yield "quotes around all lines", lambda b: b"".join(b'"%s"\n' % x for x in b.split()), noticed
    yield "a stray quote in the heading", lambda b: b'"' + b, noticed
    yield "a stray quote at the end", lambda b: b.rstrip(b"\n") + b'"\n', noticed
    yield "a backslash before a comma", lambda b: b.replace(b",", b"\\,", 40), noticed
    yield "a line of 5,000 cells", lambda b: b + b"1," * 5_000 + b"\n", noticed
    yield "50,000 blank lines", lambda b: b + b"\n" * 50_000, KEEPS
    yield "another table's text", lambda b: b"STUDYID,DOMAIN\nX,LB\n", noticed
    yield "study.yml's text", lambda b: b"title: x\norigin: real\n", noticed
    yield "line separators of Unicode", lambda b: b.replace(b"\n", "\u2028".encode()), noticed
    yield "next-line controls", lambda b: b.replace(b"\n", "\u0085".encode()), noticed
    yield "form feeds between", lambda b: b.replace(b"\n", b"\n\x0c", 4), noticed


def _mark(content: bytes, text: str = "ä") -> bytes:
    """Put a letter that ASCII lacks into the last cells."""
    return content.rstrip(b"\n") + text.encode() + b"\n"


def _zip(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("xl/worksheets/sheet1.xml", content)
    return packed.getvalue()


def _insert(content: bytes, at: int, line: bytes) -> bytes:
    lines = content.split(b"\n")
    return b"\n".join([*lines[:at], line, *lines[at:]])


def _quote_all(content: bytes) -> bytes:
    lines = content.decode().splitlines()
    return "".join('"' + line.replace(",", '","') + '"\n' for line in lines).encode()


def _prefix_cell(content: bytes, at: tuple[int, ...], mark: bytes) -> bytes:
    """Put a quote before the second cell of one line, and behind that of a second line."""
    lines = content.split(b"\n")
    for turn, row in enumerate(at):
        cells = lines[row].split(b",")
        cells[1] = cells[1] + mark if turn else mark + cells[1]
        lines[row] = b",".join(cells)
    return b"\n".join(lines)


def _quote_starts(content: bytes, at: tuple[int, ...]) -> bytes:
    lines = content.split(b"\n")
    for row in at:
        lines[row] = b'"' + lines[row]
    return b"\n".join(lines)


def _wrap_line(content: bytes, at: int) -> bytes:
    lines = content.split(b"\n")
    lines[at] = b'"' + lines[at] + b'"'
    return b"\n".join(lines)


def corrupt_files(dataset: str) -> Iterator[Corruption]:
    """Yield files missing, misnamed, or something else than a file; and things beside them."""
    for name in [f"{table}.csv" for table in TABLES[dataset]] + ["study.yml"]:
        for kind, spoil in _stand_ins(name):
            # Events and infusions need not be recorded: without their file there are none.
            optional = kind == "missing" and name in ("adae.csv", "adex.csv")
            answer = Answer.LITERAL if optional else Answer.NOTICED
            answer = KEEPS if kind in LINKS else answer
            # A name that only looks right, or a folder, is named as it is.
            files = (name, "folder")
            yield Corruption(dataset, name, f"file {kind}", spoil, files, (), (), answer)
    for kind, spoil, answer in _strangers():
        yield Corruption(dataset, "folder", kind, spoil, (), (), (), answer)


LINKS = ("a link to a file",)
"""Ways to hold a file that change nothing."""


def _stand_ins(name: str) -> Iterator[tuple[str, Spoil]]:
    """Yield what may stand in a file's place."""
    stem, suffix = name.split(".")
    yield "missing", lambda folder: (folder / name).unlink()
    for other in (
        *(name.upper(), name.title(), f"{stem}.{suffix.upper()}", f"{name}.txt", f" {name}"),
        *(f"{stem} .{suffix}", f"{stem} (1).{suffix}", f"{stem}_v2.{suffix}", f"{stem}.{suffix} "),
        *(
            f"{stem}s.{suffix}",
            f"{stem}.tsv",
            f"{stem}.xlsx",
            f"{stem}.yaml",
            f"{stem}.{suffix}.gz",
        ),
        *(f"{stem}\u200b.{suffix}", f"{stem.translate(CYRILLIC)}.{suffix}", f"{stem}..{suffix}"),
    ):
        yield f"named {other!a}", lambda folder, to=other: _move(folder, name, to)
    for other in (name.upper(), f"{stem}.{suffix.upper()}"):
        yield f"and also {other}", lambda folder, to=other: _copy_changed(folder, name, to)
    yield "a folder", lambda folder: _replace(folder / name, Path.mkdir)
    yield "a pipe", lambda folder: _replace(folder / name, os.mkfifo)
    yield "a link to itself", lambda folder: _replace(folder / name, lambda p: p.symlink_to(p))
    yield "a link to nothing", lambda folder: _replace(folder / name, lambda p: p.symlink_to("no"))
    yield "a link to a file", lambda folder: _link(folder / name)
    for device in ("/dev/null", "/dev/zero", "/dev/stdin", "/etc", "/proc/self/mem"):
        yield (
            f"a link to {device}",
            lambda folder, to=device: _replace(folder / name, lambda p: p.symlink_to(to)),
        )
    yield "a folder of its name within", lambda folder: _nest(folder, name)


CYRILLIC = str.maketrans("aesd", "аеѕԁ")


def _move(folder: Path, name: str, to: str) -> None:
    (folder / name).rename(folder / to)


def _copy_changed(folder: Path, name: str, to: str) -> None:
    (folder / to).write_bytes((folder / name).read_bytes().replace(b"1", b"2"))


def _replace(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def _link(path: Path) -> None:
    target = path.rename(path.parent.parent / path.name)
    path.symlink_to(target)


def _nest(folder: Path, name: str) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (folder / name).rename(inner / name)


def _strangers() -> Iterator[tuple[str, Spoil, Answer]]:
    """Yield what may lie beside the files; it must not keep a data set from being read."""
    for kind, make in (
        ("a folder notes.csv", lambda folder: (folder / "notes.csv").mkdir()),
        ("a folder notes.yml", lambda folder: (folder / "notes.yml").mkdir()),
        ("a pipe other.csv", lambda folder: os.mkfifo(folder / "other.csv")),
        ("a pipe other.yml", lambda folder: os.mkfifo(folder / "other.yml")),
        ("a pipe without suffix", lambda folder: os.mkfifo(folder / "pipe")),
        ("a link loop.csv", lambda folder: (folder / "loop.csv").symlink_to("loop.csv")),
        ("a link gone.csv", lambda folder: (folder / "gone.csv").symlink_to("gone")),
        ("a link zero.csv", lambda folder: (folder / "zero.csv").symlink_to("/dev/zero")),
        ("a link to the folder", lambda folder: (folder / "self").symlink_to(".")),
        ("a link self.csv to the folder", lambda folder: (folder / "self.csv").symlink_to(".")),
        ("a name with a newline", lambda folder: _touch(folder, b"a\nb.csv")),
        ("a name with escapes", lambda folder: _touch(folder, b"\x1b[31m.csv")),
        ("a name of 250 letters", lambda folder: _touch(folder, b"x" * 246 + b".csv")),
        ("an empty table lb.csv", lambda folder: _touch(folder, b"lb.csv")),
        ("a desktop.ini", lambda folder: _touch(folder, b"desktop.ini")),
    ):
        yield kind, make, KEEPS
    # Which of two is meant may be asked.
    for kind, name in {
        "a copy adsl.csv.bak": b"adsl.csv.bak",
        "a lock of Excel": b"~$adsl.csv",
        "Finder's files": b"._adsl.csv",
        "an unreadable name": b"\xff\xfe.csv",
    }.items():
        yield kind, lambda folder, to=name: _touch(folder, to), Answer.NOTICED
    yield "no files", _empty, Answer.NOTICED
    yield "no folder", _remove, Answer.NOTICED
    yield (
        "a file for a folder",
        all_of(_remove, lambda folder: folder.write_text("x")),
        Answer.NOTICED,
    )
    yield "a pipe for a folder", all_of(_remove, lambda folder: os.mkfifo(folder)), Answer.NOTICED
    loop = all_of(_remove, lambda folder: folder.symlink_to(folder.name))
    yield "a link to itself for a folder", loop, Answer.NOTICED
    yield "a link for a folder", _link_folder, KEEPS


def _touch(folder: Path, name: bytes) -> None:
    Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(b"")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def _remove(folder: Path) -> None:
    _empty(folder)
    folder.rmdir()


def _link_folder(folder: Path) -> None:
    folder.symlink_to(folder.rename(folder.with_name("stored")), target_is_directory=True)


__all__ = ["corrupt_bytes", "corrupt_files", "corrupt_headings", "corrupt_rows", "edit_text"]
