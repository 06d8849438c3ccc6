"""What PostgreSQL copies in binary, read whatever the pieces it comes in."""

from struct import pack

import pytest

from sessions_app.registry_columns import COPY_HEADER, _Arrays

END = pack(">h", -1)


def array(numbers):
    """A bigint[] as PostgreSQL sends it; None is NULL."""
    if numbers is None:
        return pack(">i", -1)
    elements = b"".join(pack(">iq", 8, number) for number in numbers)
    head = pack(">iii", 1, 0, 20) + pack(">ii", len(numbers), 1)
    return pack(">i", len(head) + len(elements)) + head + elements


def copied(*rows):
    return (
        b"\0" * COPY_HEADER + b"".join(pack(">h", len(row)) + b"".join(map(array, row)) for row in rows) + END
    )


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_in_pieces_of_any_size(size):
    data = copied(([1, 2**40], [-3, 4]), (None, None), ([5], [6]))
    found = _Arrays(2)
    for start in range(0, len(data), size):
        found.write(data[start : start + size])
    assert [column.tolist() for column in found.columns()] == [[1, 2**40, 5], [-3, 4, 6]]


def test_nothing():
    found = _Arrays(3)
    found.write(copied())
    assert [column.tolist() for column in found.columns()] == [[], [], []]
