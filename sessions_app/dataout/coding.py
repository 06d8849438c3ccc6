"""The numbers that stand for codes in the files of statistics programs, and the labels of their variables."""

from sessions_app.datasheets.columns import Column

YES_NO = {"no": 0, "yes": 1}


def is_coded(column: Column) -> bool:
    """Whether the column holds one code of a vocabulary."""
    return column.kind in ("code", "yes_no")


def numbers(column: Column) -> dict[str, int]:
    """The number of each code: 0 and 1 for no and yes, else 1, 2, … in the order of the vocabulary."""
    if column.kind == "yes_no":
        return YES_NO
    return {code: number for number, code in enumerate(column.vocabulary or {}, start=1)}


def value_labels(column: Column) -> dict[int, str]:
    """The words of each number."""
    return {number: (column.vocabulary or {})[code] for code, number in numbers(column).items()}


def variable_label(column: Column) -> str:
    """The label with the unit: `Longest (mm)`."""
    return f"{column.label} ({column.unit})" if column.unit else column.label
