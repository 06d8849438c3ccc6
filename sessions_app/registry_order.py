"""Rows that were found, put in the order of a report: by patient, series, session and lesion.

The database gives ids and no order: IDs are ordered as code points are, which no database's own order is everywhere.
numpy is imported where it is used.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sessions_app.registry_columns import Found
from stsclinic.reporting.columns import NOWHERE, Columns, Lookup, Numbers, Parts, StoredSessions, small
from stsclinic.reporting.records import InfusionRecord, LesionRecord


class Numbered:
    """Rows with a number each, by their ids, which differ."""

    def __init__(self, ids: Numbers, numbers: Numbers):
        import numpy as np

        self._lookup, self._numbers = Lookup(ids), np.append(numbers, NOWHERE).astype(np.int32)

    def of(self, ids: Numbers) -> Numbers:
        """The numbers of rows by their ids; NOWHERE of others."""
        return self._numbers[self._lookup.find(ids)]


class OrderedSeries:
    """The series of some patients, in the order of these, and of series_no.

    Args:
        found: series by patient; their first fact is series_no.
        patients: ids, in the order of their study IDs.
    """

    def __init__(self, found: Found, patients: Sequence[int]):
        import numpy as np

        patient = Numbered(np.array(patients, dtype=np.int64), np.arange(len(patients))).of(found.owner)
        number = np.array([series_no for series_no, *_ in found.kinds], dtype=np.int64)[found.kind]
        self.rows = _in_order(patient, number)
        """Where they stand in what was found."""
        self.numbered = Numbered(found.own[self.rows], np.arange(len(self.rows)))


class OrderedSessions:
    """The sessions of some series, in the order of these, of date and of session_no.

    Args:
        found: sessions by series; their first fact is session_no, and the further number is their day.
        infusions: by the ids of sessions.
    """

    def __init__(self, found: Found, series: OrderedSeries, infusions: Mapping[int, InfusionRecord]):
        import numpy as np

        place, day = series.numbered.of(found.owner), found.more[0].astype(np.int32)
        number = np.array([session_no for session_no, *_ in found.kinds], dtype=np.int64)[found.kind]
        rows = _in_order(place, day, number)
        self.count = len(rows)
        self.numbered = Numbered(found.own[rows], np.arange(self.count))
        infused = self.numbered.of(np.array(list(infusions), dtype=np.int64)).tolist()
        self.stored = StoredSessions(
            facts=found.kinds,
            fact=found.kind[rows],
            day=day[rows],
            infusions={
                one: infusion
                for one, infusion in zip(infused, infusions.values(), strict=True)
                if one != NOWHERE
            },
        )
        starts, stops = _ends(place[rows], len(series.rows))
        self.ends = list(zip(starts.tolist(), stops.tolist(), strict=True))
        """Of each series from where to before where its sessions stand."""


class OrderedLesions:
    """The lesions of some patients, in the order of these, and of lesion IDs.

    Args:
        found: lesions by patient; their facts are those of a LesionRecord.
        patients: ids, in the order of their study IDs.
    """

    def __init__(self, found: Found, patients: Sequence[int]):
        import numpy as np

        self._records = [LesionRecord(*one) for one in found.kinds]
        self._texts = sorted({one.lesion_id for one in self._records})
        place_of = {text: place for place, text in enumerate(self._texts)}
        of_kind = np.array([place_of[one.lesion_id] for one in self._records], dtype=np.int64)
        patient = Numbered(np.array(patients, dtype=np.int64), np.arange(len(patients))).of(found.owner)
        rows = _in_order(patient, of_kind[found.kind])
        self._patient, self._kind, self._patients = patient[rows], found.kind[rows], len(patients)
        self._numbered = Numbered(found.own[rows], of_kind[self._kind])

    def by_patient(self) -> list[dict[str, LesionRecord]]:
        """The lesions of each patient by their IDs."""
        records = [self._records[kind] for kind in self._kind.tolist()]
        return _grouped(self._patient, self._patients, [one.lesion_id for one in records], records)

    def arms(self, treated: Found, series: OrderedSeries) -> list[dict[str, str]]:
        """The arms of the lesions of each series by their IDs; an arm is the only fact of what was found."""
        place, lesion, kind = self._rows_of(treated, series.numbered)
        arms = [arm for (arm,) in treated.kinds]
        texts = [self._texts[one] for one in lesion.tolist()]
        found = _grouped(place, len(series.rows), texts, [arms[one] for one in kind.tolist()])
        # Many series treat lesions of the same IDs.
        alike: dict[tuple, dict[str, str]] = {}
        return [alike.setdefault(tuple(one.items()), one) for one in found]

    def parts(
        self, found: Found, sessions: OrderedSessions, kind_of: Callable[[Sequence[Any]], Any]
    ) -> Parts:
        """What was found of the lesions at sessions.

        Args:
            kind_of: makes a kind of the facts of a row.
        """
        session, lesion, kind = self._rows_of(found, sessions.numbered)
        kinds = [kind_of(one) for one in found.kinds]
        columns = Columns(self._texts, kinds, small(lesion, len(self._texts)), small(kind, len(kinds)))
        return Parts(columns, *_ends(session, sessions.count))

    def _rows_of(self, found: Found, owners: Numbered) -> tuple[Numbers, Numbers, Numbers]:
        """The number of its owner, the place of its lesion's ID in the texts, and the kind of each row, in order."""
        owner, lesion = owners.of(found.owner), self._numbered.of(found.own)
        owner[lesion == NOWHERE] = NOWHERE
        rows = _in_order(owner, lesion)
        return owner[rows], lesion[rows], found.kind[rows]


def _in_order(owner: Numbers, *within: Numbers) -> Numbers:
    """The rows that have an owner, by that, and by whole numbers from 0."""
    import numpy as np

    key = owner.astype(np.int64)
    for numbers in within:
        key *= int(numbers.max(initial=0)) + 2
        key += numbers
    # Most stand in their order already.
    order = np.argsort(key, kind="stable")
    return order[np.searchsorted(owner[order], 0) :]


def _ends(sorted_owners: Numbers, owners: int) -> tuple[Numbers, Numbers]:
    """From where to before where each of so many owners stands."""
    import numpy as np

    counts = np.bincount(sorted_owners, minlength=owners).astype(np.int32)
    stops = np.cumsum(counts, dtype=np.int32)
    return stops - counts, stops


def _grouped(
    sorted_owners: Numbers, owners: int, keys: Sequence[str], values: Sequence[Any]
) -> list[dict[str, Any]]:
    """What each of so many owners has, by its key."""
    starts, stops = _ends(sorted_owners, owners)
    return [
        dict(zip(keys[start:stop], values[start:stop], strict=True))
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]
