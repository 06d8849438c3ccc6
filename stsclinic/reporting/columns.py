"""Sessions, and what was seen and injected at them, in columns: a million rows are looked at together, not one by one.

A row belongs to a session and a lesion and holds what many others hold, too: its kind. The records of a session, and
those of its rows, are made when somebody looks at them; most never are. numpy is imported where it is used.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import Any

from stsclinic.reporting.records import AssessmentRecord, InfusionRecord, InjectionRecord, SessionRecord

Numbers = Any
"""An array of numpy: a number for each row, and of tables a row of numbers."""


NOWHERE = -1
"""Stands for the place of what is not there."""

BLOCK = 100_000
"""Rows that are looked for at once, which bounds the memory."""

FAR_APART = 8
"""How many numbers there may be for each key, for all of them to be looked up in one array."""


class Places:
    """Numbers what is equal alike, from 0, as it comes."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def of(self, one: Hashable) -> int:
        """Its number."""
        return self._numbers.setdefault(one, len(self._numbers))

    @property
    def found(self) -> list[Any]:
        """What was numbered, in the order of the numbers."""
        return list(self._numbers)


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows by session, and within a session by lesion. `lesion` and `kind` are places in the two lists."""

    lesion_ids: Sequence[str]
    kinds: Sequence[Any]
    lesion: Numbers
    kind: Numbers


class _RowsOfSession:
    """The rows of one session, from `start` to before `stop`."""

    __slots__ = ("columns", "start", "stop")

    def __init__(self, columns: Columns, start: int, stop: int):
        self.columns, self.start, self.stop = columns, start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    def each(self) -> Iterator[tuple[str, Any]]:
        """The lesion and the kind of each row."""
        columns, rows = self.columns, slice(self.start, self.stop)
        for lesion, kind in zip(columns.lesion[rows].tolist(), columns.kind[rows].tolist(), strict=True):
            yield columns.lesion_ids[lesion], columns.kinds[kind]


class SeenRows(_RowsOfSession, Mapping[str, AssessmentRecord]):
    """The assessments of a session by lesion_id; a kind is an AssessmentRecord."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        return (lesion_id for lesion_id, _ in self.each())

    def __getitem__(self, lesion_id: str) -> AssessmentRecord:
        return dict(self.each())[lesion_id]


class GivenRows(_RowsOfSession, Sequence[InjectionRecord]):
    """The injections of a session; a kind is what an InjectionRecord holds beside its lesion."""

    __slots__ = ()

    def __iter__(self) -> Iterator[InjectionRecord]:
        return (InjectionRecord(lesion_id, *kind) for lesion_id, kind in self.each())

    def __getitem__(self, place: Any) -> Any:
        return list(self)[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


@dataclass(frozen=True, slots=True)
class Parts:
    """Columns, and from where to before where the rows of each session stand in them, one session after the other."""

    columns: Columns
    starts: Numbers
    stops: Numbers

    def of(self, sessions: Numbers) -> "Gathered":
        """The rows of these sessions; of all of them, the columns as they are."""
        import numpy as np

        every = np.arange(len(self.starts), dtype=np.int32)
        if len(sessions) == len(every) and (sessions == every).all():
            session = np.repeat(every, self.stops - self.starts)
            columns = self.columns
            return Gathered(columns.lesion_ids, columns.kinds, columns.lesion, columns.kind, session)
        return _taken(self.columns, self.starts[sessions], self.stops[sessions])


@dataclass(slots=True)
class StoredSessions:
    """Sessions in columns, those of a series together and in order of date, then session_no.

    `facts` are the different (session_no, kind, PtGA, PhGA), `fact` has the place of each session's; `day` is the
    number of its date. `seen` and `given` are known later than the rest.
    """

    facts: Sequence[tuple[int, str, int | None, int | None]]
    fact: Numbers
    day: Numbers
    infusions: Mapping[int, InfusionRecord]
    """By the place of the session."""
    seen: Parts = field(init=False)
    given: Parts = field(init=False)

    def record(self, place: int) -> SessionRecord:
        """One of them."""
        number, kind, ptga, phga = self.facts[self.fact[place]]
        return SessionRecord(
            number,
            kind,
            date.fromordinal(int(self.day[place])),
            ptga,
            phga,
            SeenRows(self.seen.columns, int(self.seen.starts[place]), int(self.seen.stops[place])),
            GivenRows(self.given.columns, int(self.given.starts[place]), int(self.given.stops[place])),
            self.infusions.get(place),
        )


class SessionsOf(Sequence[SessionRecord]):
    """Stored sessions from `start` to before `stop`; their records are made when somebody looks at one."""

    __slots__ = ("_records", "start", "stop", "stored")

    def __init__(self, stored: StoredSessions, start: int, stop: int):
        self.stored, self.start, self.stop = stored, start, stop
        self._records: list[SessionRecord] | None = None

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, place: Any) -> Any:
        if self._records is None:
            self._records = [self.stored.record(one) for one in range(self.start, self.stop)]
        return self._records[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


@dataclass(frozen=True, slots=True)
class Gathered(Columns):
    """The rows of some sessions, in their order; `session` is the place of each row's session among them."""

    session: Numbers


def seen_at(sessions: Sequence[SessionRecord]) -> Gathered:
    """Every assessment at these sessions; the kinds are AssessmentRecords."""
    return _gathered([one.assessments for one in sessions], lambda seen: seen.items())


def given_at(sessions: Sequence[SessionRecord]) -> Gathered:
    """Every injection at these sessions; the kinds are (agent, mg/ml, ml, pain) as in an InjectionRecord."""
    return _gathered([one.injections for one in sessions], kinds_given)


def kinds_given(given: Sequence[InjectionRecord]) -> Iterator[tuple[str, tuple]]:
    """The lesion of each injection of a session, and what an InjectionRecord holds beside it."""
    if isinstance(given, GivenRows):
        return given.each()
    return (
        (one.lesion_id, (one.agent, one.concentration_mg_ml, one.volume_ml, one.pain_vas)) for one in given
    )


def _gathered(
    of_sessions: Sequence[Any], rows_of: Callable[[Any], Iterable[tuple[str, Hashable]]]
) -> Gathered:
    """Rows that stand in columns are taken from there; others are put into columns of their own."""
    import numpy as np

    if set(map(type, of_sessions)) in ({SeenRows}, {GivenRows}):
        columns, first, stop = (list(map(attrgetter(name), of_sessions)) for name in _RowsOfSession.__slots__)
        if len(set(map(id, columns))) == 1:
            return _taken(columns[0], first, stop)
    stored: dict[int, Columns] = {}
    begins: dict[int, int] = {}
    rows = 0
    lesion_ids, kinds = Places(), Places()
    lesion: list[int] = []
    kind: list[int] = []
    first, stop, own = [], [], []
    for place, one in enumerate(of_sessions):
        if isinstance(one, _RowsOfSession):
            key = id(one.columns)
            if key not in begins:
                stored[key], begins[key] = one.columns, rows
                rows += len(one.columns.kind)
            first.append(begins[key] + one.start)
            stop.append(begins[key] + one.stop)
            continue
        own.append(place)
        first.append(len(kind))
        stop.append(len(kind) + len(one))
        for lesion_id, its_kind in rows_of(one):
            lesion.append(lesion_ids.of(lesion_id))
            kind.append(kinds.of(its_kind))
    for place in own:
        first[place] += rows
        stop[place] += rows
    found = [*stored.values()]
    if kind or not found:
        ids = np.array(lesion, dtype=np.int32), np.array(kind, dtype=np.int32)
        found.append(Columns(lesion_ids.found, kinds.found, *ids))
    return _taken(found[0] if len(found) == 1 else _together(found), first, stop)


def _taken(columns: Columns, first: Sequence[int] | Numbers, stop: Sequence[int] | Numbers) -> Gathered:
    """The rows of each session, from the first to before the last one."""
    import numpy as np

    starts, stops = (np.asarray(one, dtype=np.int64) for one in (first, stop))
    session = np.repeat(np.arange(len(starts), dtype=np.int32), stops - starts)
    row = ranges(starts, stops)
    return Gathered(columns.lesion_ids, columns.kinds, columns.lesion[row], columns.kind[row], session)


def ranges(starts: Numbers, stops: Numbers) -> Numbers:
    """The whole numbers from each start to before its stop, one range after the other."""
    import numpy as np

    counts = stops - starts
    until = np.cumsum(counts)
    return np.repeat(starts - until + counts, counts) + np.arange(until[-1] if len(until) else 0)


def _together(found: Sequence[Columns]) -> Columns:
    """One after the other, what is equal numbered alike."""
    import numpy as np

    lesion_ids, kinds = Places(), Places()

    def joined(places: Places, names: Sequence[Sequence[Any]], numbers: Sequence[Numbers]) -> Numbers:
        return np.concatenate(
            [
                np.array([places.of(name) for name in its_names], dtype=np.int32)[its_numbers]
                for its_names, its_numbers in zip(names, numbers, strict=True)
            ]
        )

    lesion = joined(lesion_ids, [one.lesion_ids for one in found], [one.lesion for one in found])
    kind = joined(kinds, [one.kinds for one in found], [one.kind for one in found])
    return Columns(lesion_ids.found, kinds.found, lesion, kind)


class Lookup:
    """Where keys stand in a list of whole numbers from 0, in which each stands once."""

    def __init__(self, keys: Numbers):
        import numpy as np

        last = int(keys.max(initial=0))
        self._by_key: Numbers | None = None
        if last < FAR_APART * len(keys) + BLOCK:
            # The last one is that of every later key, and of NOWHERE.
            self._by_key = np.full(last + 2, NOWHERE, dtype=np.int32)
            self._by_key[keys] = np.arange(len(keys))
        else:
            self._order = np.argsort(keys)
            self._keys = keys[self._order]

    def find(self, wanted: Numbers) -> Numbers:
        """The place of each; NOWHERE where it is not there."""
        import numpy as np

        if self._by_key is not None:
            return self._by_key[np.minimum(wanted, len(self._by_key) - 1)]
        found = np.empty(len(wanted), dtype=np.int32)
        for start in range(0, len(wanted), BLOCK):
            block = wanted[start : start + BLOCK]
            place = np.minimum(np.searchsorted(self._keys, block), len(self._keys) - 1)
            found[start : start + BLOCK] = np.where(self._keys[place] == block, self._order[place], NOWHERE)
        return found


def small(places: Numbers, count: int) -> Numbers:
    """Places in a list of so many, in as little memory as they need. They are to look something up, not to reckon with."""
    import numpy as np

    return places.astype(np.int8 if count <= 1 << 7 else np.int16 if count <= 1 << 15 else np.int32)


class LesionPlaces:
    """Where the lesions of series or patients stand in a list.

    Args:
        owners: for each lesion the number of what it belongs to.
        lesion_ids: their IDs, of which one belongs to the same owner once.
    """

    def __init__(self, owners: Numbers, lesion_ids: Sequence[str]):
        import numpy as np

        self._number = {lesion_id: number for number, lesion_id in enumerate(dict.fromkeys(lesion_ids))}
        numbers = np.array([self._number[lesion_id] for lesion_id in lesion_ids], dtype=np.int64)
        self._lookup = Lookup(owners.astype(np.int64) * len(self._number) + numbers)

    def find(self, rows: Gathered, owner_of_session: Numbers) -> Numbers:
        """The place of each row's lesion in the list; NOWHERE where it is not there."""
        import numpy as np

        number_of = [self._number.get(lesion_id, NOWHERE) for lesion_id in rows.lesion_ids]
        number = np.array(number_of, dtype=np.int32)[rows.lesion]
        found = np.empty(len(number), dtype=np.int32)
        for start in range(0, len(number), BLOCK):
            block = slice(start, start + BLOCK)
            owner = owner_of_session[rows.session[block]].astype(np.int64)
            wanted = owner * len(self._number) + number[block]
            wanted[number[block] == NOWHERE] = NOWHERE
            found[block] = self._lookup.find(wanted)
        return found
