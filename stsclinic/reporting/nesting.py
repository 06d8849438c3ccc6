"""Which groups of rows lie within one another? Groups are bit masks, so that all pairs can be looked at."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple


class Rows(NamedTuple):
    """Rows of one kind (a code of stsclinic.reporting.rows.LEVEL), a bit for each."""

    level: str
    mask: int

    @property
    def number(self) -> int:
        """How many rows."""
        return self.mask.bit_count()


class Groups:
    """Numbers the rows of each kind and their patients as they come."""

    def __init__(self) -> None:
        self._places: dict[str, dict[Hashable, int]] = {}
        self._people: dict[str, list[Hashable]] = {}
        self._patients: dict[Rows, int] = {}
        self._most: dict[str, tuple[int, int]] = {}

    def add(self, level: str, keys: Iterable[tuple]) -> Rows:
        """The group of these keys; the first part of a key is the patient_id."""
        places, people = self._places.setdefault(level, {}), self._people.setdefault(level, [])
        numbers = []
        for key in keys:
            if key not in places:
                places[key] = len(people)
                people.append(key[0])
            numbers.append(places[key])
        bits = bytearray(len(people) // 8 + 1)
        for number in numbers:
            bits[number // 8] |= 1 << number % 8
        return Rows(level, int.from_bytes(bits, "little"))

    def patients(self, rows: Rows) -> int:
        """How many patients stand behind them."""
        if rows not in self._patients:
            people = self._people[rows.level] if rows.mask else []
            self._patients[rows] = len({people[number] for number in _numbers(rows.mask)})
        return self._patients[rows]

    def together(self, parts: Sequence[Rows]) -> Rows:
        mask = 0
        for one in parts:
            mask |= one.mask
        return Rows(parts[0].level, mask)

    def rest(self, total: Rows, parts: Sequence[Rows]) -> Rows:
        """What the parts leave of a total."""
        return Rows(total.level, total.mask & ~self.together(parts).mask)

    def nested(self, groups: Iterable[Rows], most: int) -> Iterator[tuple[Rows, Rows]]:
        """(inner, outer): all pairs of which one holds all but 1 to `most` patients' rows of the other."""
        by_level: dict[str, list[Rows]] = {}
        for one in groups:
            by_level.setdefault(one.level, []).append(one)
        for found in by_level.values():
            for (inner,), outer in self.covers(found, most, 1):
                yield inner, outer

    def covers(
        self, groups: Iterable[Rows], most: int, parts: int
    ) -> Iterator[tuple[tuple[Rows, ...], Rows]]:
        """So many groups of one kind that are apart, and another that they fill but for 1 to `most` patients."""
        found = sorted({one for one in groups if one.mask}, key=lambda one: (one.number, one.mask))
        if not found:
            return
        counts = [one.number for one in found]
        gap = most * self._most_rows(found[0].level)
        for inner in combinations(found, parts):
            filled = sum(one.number for one in inner)
            together = self.together(inner)
            if together.number < filled:
                continue
            # What is left can have no more rows than so many patients have.
            for outer in found[bisect_right(counts, filled) : bisect_right(counts, filled + gap)]:
                rest = self.rest(outer, inner)
                if rest.number == outer.number - filled and self.patients(rest) <= most:
                    yield inner, outer

    def _most_rows(self, level: str) -> int:
        """Of one patient."""
        people = self._people[level]
        if self._most.get(level, (0, 0))[0] != len(people):
            self._most[level] = len(people), max(Counter(people).values(), default=0)
        return self._most[level][1]


def _numbers(mask: int) -> Iterator[int]:
    for place, byte in enumerate(mask.to_bytes(mask.bit_length() // 8 + 1, "little")):
        while byte:
            low = byte & -byte
            yield place * 8 + low.bit_length() - 1
            byte ^= low
