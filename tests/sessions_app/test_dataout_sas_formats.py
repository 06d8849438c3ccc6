"""The SAS program of an export, read back: each code has the words that the codebook has."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator

import pyreadstat
import pytest

from sessions_app.dataout.coding import is_coded, value_labels
from sessions_app.dataout.plan import ANALYSIS, Plan
from sessions_app.dataout.sas_formats import format_name, formats_program
from sessions_app.datasheets.columns import SHEETS
from tests.sessions_app.test_dataout_files import AS_RECORDED, bundle, import_sound

TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|%?\$?[A-Za-z_&][\w./]*\.?|[;=(),]|\S")
PLAN = Plan(clinics=(), formats=())


def statements(program: str) -> Iterator[list[str]]:
    """The statements of a SAS program as their tokens, without comments."""
    statement: list[str] = []
    for token in TOKEN.findall(re.sub(r"/\*.*?\*/", "", program, flags=re.DOTALL)):
        if token == ";":
            yield statement
            statement = []
        else:
            statement.append(token)
    assert not statement, "a statement without its end"


def read_back(program: str) -> tuple[dict[str, dict[str, str]], dict[tuple[str, str], str]]:
    """The words of the codes of each format, and the format of each (sheet, variable)."""
    words: dict[str, dict[str, str]] = {}
    formats: dict[tuple[str, str], str] = {}
    sheet = ""
    for first, *rest in statements(program):
        if first == "value":
            assert rest[0] not in words, "a format that is defined twice"
            assert rest[2::3] == ["="] * (len(rest[1:]) // 3)
            texts = [token[1:-1].replace("''", "'") for token in rest[1:] if token != "="]
            words[rest[0]] = dict(zip(texts[::2], texts[1::2], strict=True))
            assert len(words[rest[0]]) == len(texts) // 2
        elif first == "modify":
            (sheet,) = rest
        elif first == "format":
            for name, given in zip(rest[::2], rest[1::2], strict=True):
                assert given.endswith(".")
                formats[sheet, name] = given[:-1]
    return words, formats


@pytest.mark.django_db
@pytest.mark.parametrize("chosen", [{}, AS_RECORDED], ids=["plain", "all"])
def test_each_code_in_the_files_has_the_words_of_the_codebook(tmp_path, chosen):
    import_sound()
    folder = bundle(tmp_path / "out", formats=("xpt", "sav"), **chosen)
    words, formats = read_back((folder / "sas/formats.sas").read_text(encoding="utf-8"))
    told = {where: words[name] for where, name in formats.items()}
    with (folder / "codebook.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["leaves"] == "yes"]
    in_codebook = {
        (row["sheet"], row["variable"]): dict(one.split(" = ", 1) for one in row["values"].split("; "))
        for row in rows
        if row["type"] in ("code", "yes_no")
    }
    assert told == in_codebook
    seen = 0
    for sheet, variable in told:
        frame, _meta = pyreadstat.read_xport(folder / f"sas/{sheet}.xpt")
        spss, meta = pyreadstat.read_sav(folder / f"spss/{sheet}.sav")
        labels = meta.variable_value_labels[variable]
        by_spss = [labels.get(number, "") for number in spss[variable]]
        assert [told[sheet, variable].get(code, "") for code in frame[variable]] == by_spss
        seen += sum(map(bool, by_spss))
    assert seen > 40


@pytest.mark.django_db
def test_the_manifest_lists_it_and_the_codebook_names_it(tmp_path):
    import_sound()
    folder = bundle(tmp_path / "out", formats=("xpt",))
    digest = hashlib.sha256((folder / "sas/formats.sas").read_bytes()).hexdigest()
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    assert [one["sha256"] for one in listed if one["path"] == "sas/formats.sas"] == [digest]
    for name in ("codebook.html", "manifest.txt"):
        assert "formats.sas" in (folder / name).read_text(encoding="utf-8")
    assert not (bundle(tmp_path / "other", formats=("sav",)) / "sas").exists()


def test_every_sheet_is_read_before_its_variables_are_given_formats():
    program = formats_program(PLAN)
    read = [
        re.search(r"memlist = (\w+)", " ".join(one)) for one in statements(program) if one[0] == "%xpt2loc"
    ]
    assert [one[1] for one in read if one] == list(PLAN.sheets)
    assert all(f'"&folder/{name}.xpt"' in program for name in PLAN.sheets)
    assert program.index("value $") < program.index("%xpt2loc") < program.index("proc datasets")


def test_an_apostrophe_is_doubled():
    assert "'patient_choice' = 'Patient''s choice'" in formats_program(PLAN)


def test_the_name_of_a_format_is_one_that_sas_takes():
    """At most 32 characters with its $, letters, digits and underscores, and no digit at its end."""
    for sheet in [*SHEETS.values(), ANALYSIS]:
        for column in filter(is_coded, sheet.columns):
            assert re.fullmatch(r"\$[a-z_][a-z0-9_]{0,29}[a-z_]", format_name(sheet, column))


def test_two_vocabularies_never_share_a_format():
    found: dict[str, set[tuple[str, ...]]] = {}
    for sheet in PLAN.sheets.values():
        for column in filter(is_coded, sheet.columns):
            found.setdefault(format_name(sheet, column), set()).add(tuple(value_labels(column).values()))
    assert all(len(one) == 1 for one in found.values())
