"""PtGA and PhGA over the treatments: means, decreases, and each series' line."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from stsclinic.clinical.remission import HORIZON, baseline_and_end
from stsclinic.reporting import scores
from stsclinic.reporting.outcomes import Findings, LesionOutcome, LesionsOf, size_mm2
from stsclinic.reporting.records import AssessmentRecord, SessionRecord
from stsclinic.reporting.rows import Behind, LesionOf, SessionOf, Value, behind
from stsclinic.reporting.scores import SCALES
from stsclinic.reporting.selection import Course
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column, Listed, Rows, Table
from stsclinic.reporting.tables.words import interval_columns, time_labels

INTERVAL_FOOTNOTE = "The 95% interval of a mean is by Student's t over the series; none with fewer than two."
LINES_FOOTNOTE = (
    "Each analysed series in its own line: the score at each treatment, and the change to the last."
)
SIZES_FOOTNOTE = (
    "Size is longest × widest at the first assessment as present and at the last of the chosen horizon; a gone "
    "lesion has 0 mm². A lesion without both is not shown."
)


def score_tables(report: Report) -> list[Table]:
    return [_scores(report), _change(report), _lines(report), _sizes(report)]


def score_at(course: Course, scale: str, time: str) -> int | None:
    """The score of a series at a time such as `before_2` or `last`."""
    if time == "last":
        return getattr(course.treatments[-1], scale)
    number = int(time.removeprefix("before_"))
    return getattr(course.treatments[number - 1], scale) if number <= len(course.treatments) else None


def _with_scores(report: Report, scale: str, *times: str) -> Behind:
    """The series that have a score at each of these times, with the score or how far it fell."""
    name, words = SCALES[scale], time_labels(report)
    if len(times) == 1:
        time = times[0]
        value = Value(f"{name} {_lower(words[time])}", lambda course: score_at(course, scale, time))
    else:
        first, later = times
        value = Value(
            f"Decrease of {name}, {_lower(words[later])}",
            lambda course: (score_at(course, scale, first) or 0) - (score_at(course, scale, later) or 0),
        )

    def find() -> list[Course]:
        courses = (one.course for one in report.series)
        return [
            course for course in courses if all(score_at(course, scale, time) is not None for time in times)
        ]

    return Behind("series", find, value)


def _lower(words: str) -> str:
    return f"{words[0].lower()}{words[1:]}"


def _scores(report: Report) -> Table:
    rows = Rows(
        (
            Column("score", "Score", "code", labels=SCALES),
            Column("time", "Time", "code", labels=time_labels(report)),
            Column("n", "n", "count"),
            Column("mean", "Mean", "number", decimals=1),
            Column("sd", "SD", "number", decimals=2),
            Column("median", "Median", "number", decimals=1),
            *interval_columns(1),
        )
    )
    for scale in SCALES:
        for one in report.scores[scale]:
            low, high = scores.mean_interval(one["n"], one["mean"], one["sd"]) or (None, None)
            values = (scale, one["time"], one["n"], one["mean"], one["sd"], one["median"], low, high)
            rows.add(values, _with_scores(report, scale, one["time"]))
    footnotes = (*scores.FOOTNOTES[:1], INTERVAL_FOOTNOTE)
    return rows.table("scores", "Scores before each treatment", "scores", footnotes)


def _change(report: Report) -> Table:
    times = time_labels(report)
    rows = Rows(
        (
            Column("score", "Score", "code", labels=SCALES),
            Column("from", "From", "code", labels=times),
            Column("to", "To", "code", labels=times),
            Column("n", "n", "count"),
            Column("mean_decrease", "Mean decrease", "number", decimals=1),
            Column("sd", "SD", "number", decimals=2),
            Column("median_decrease", "Median decrease", "number", decimals=1),
            *interval_columns(1),
            Column("t", "t", "number", decimals=2),
            Column("df", "df", "whole"),
            Column("p_t", "p (t)", "p"),
            Column("p_wilcoxon", "p (Wilcoxon)", "p"),
        )
    )
    for scale in SCALES:
        for one in report.change[scale]:
            low, high = one["ci95"] or (None, None)
            whole = one | {"score": scale, "ci95_low": low, "ci95_high": high}
            rows.add(
                tuple(whole[column.code] for column in rows.columns),
                _with_scores(report, scale, one["from"], one["to"]),
            )
    return rows.table("change", "Decrease of the scores", "scores", scores.FOOTNOTES[1:])


def _lines(report: Report) -> Table:
    """One row for each analysed series and score."""
    times = [one["time"] for one in report.scores["ptga"] if one["time"] != "last"]
    columns = (
        Column("patient_id", "Patient"),
        Column("series_no", "Series", "whole"),
        Column("score", "Score", "code", labels=SCALES),
        *(Column(time, time.removeprefix("before_"), "whole") for time in times),
        Column("change", "Change, first to last", "whole"),
    )
    scales, count = list(SCALES), len(report.series)

    def row_of(row: int) -> tuple[Any, ...]:
        scale, place = divmod(row, count)
        return _line(report.series[place].course, scales[scale], times)

    def find(row: int, column: str) -> Behind | None:
        scale, place = divmod(row, count)
        course = report.series[place].course
        if column == "change":
            ends = (course.treatments[0], course.treatments[-1])
            return score_behind(course, scales[scale], ends[: len(course.treatments)])
        number = times.index(column) if column in times else len(course.treatments)
        if number >= len(course.treatments):
            return None
        return score_behind(course, scales[scale], course.treatments[number : number + 1])

    rows = Listed(range(count * len(scales)), row_of)
    return Table(
        "score_lines",
        "Scores of each analysed series before each treatment",
        columns,
        rows,
        (LINES_FOOTNOTE,),
        section="lists",
        behind=find,
        is_individual=True,
    )


def score_behind(course: Course, scale: str, sessions: Sequence[SessionRecord]) -> Behind:
    """The sessions at which these scores of one series were asked for."""
    rows = [SessionOf(course, session) for session in sessions]
    return behind("sessions", rows, Value(SCALES[scale], lambda row: getattr(row.session, scale)))


def _line(course: Course, scale: str, times: Sequence[str]) -> tuple[Any, ...]:
    first, last = getattr(course.treatments[0], scale), getattr(course.treatments[-1], scale)
    return (
        course.series.patient_id,
        course.series.series_no,
        scale,
        *(score_at(course, scale, time) for time in times),
        None if first is None or last is None else last - first,
    )


def _sizes(report: Report) -> Table:
    """One row for each lesion of an analysed series that has a size before and after."""
    columns = (
        Column("patient_id", "Patient"),
        Column("series_no", "Series", "whole"),
        Column("lesion_id", "Lesion"),
        Column("size_baseline", "Size at baseline", "number", "mm²", 1),
        Column("size_end", "Size at the end", "number", "mm²", 1),
        Column("size_change_percent", "Change", "number", "%", 0),
    )
    horizon = report.selection.horizon

    def row_of(lesion: LesionOutcome) -> tuple[Any, ...]:
        series, sizes = lesion.course.series, sizes_of(lesion, horizon)
        assert sizes is not None
        before, after = sizes
        key = series.patient_id, series.series_no, lesion.lesion_id
        return *key, before, after, (after - before) / before * 100

    is_measured = report.lesions.at(horizon).alike.ask(
        lambda baseline, end, _: None not in Findings(baseline, end).mm2()
    )
    lesions = LesionsOf(report.series)
    measured = Listed(is_measured.nonzero()[0], lambda place: lesions[int(place)])

    def find(row: int, column: str) -> Behind | None:
        lesion = measured[row]
        ends = _measured_at(lesion, horizon)
        sessions = {"size_baseline": ends[:1], "size_end": ends[1:], "size_change_percent": ends}.get(column)
        if sessions is None:
            return None
        size = Value(
            f"Size of {lesion.lesion_id}",
            lambda row: size_mm2(row.session.assessments[lesion.lesion_id]),
            "mm²",
            1,
        )
        return behind("sessions", [SessionOf(lesion.course, session) for session in sessions], size)

    title = f"Size of each lesion before and after ({HORIZON[horizon].lower()})"
    return Table(
        "sizes",
        title,
        columns,
        Listed(measured, row_of),
        (SIZES_FOOTNOTE,),
        section="lists",
        behind=find,
        is_individual=True,
    )


def sizes_of(lesion: LesionOutcome, horizon: str) -> tuple[float, float] | None:
    """Longest × widest in mm² at baseline and at the end; None without both."""
    before, after = lesion.seen_at(horizon).mm2()
    return None if before is None or after is None else (before, after)


class _SeenAt(NamedTuple):
    """A session at which a lesion was assessed, with what was seen of it."""

    session: SessionRecord
    seen: AssessmentRecord

    @property
    def status(self) -> str:
        return self.seen.status


def _measured_at(lesion: LesionOf, horizon: str) -> list[SessionRecord]:
    """The sessions of the baseline and of the end."""
    seen = [_SeenAt(one, one.assessments[lesion.lesion_id]) for one in _assessed(lesion, horizon)]
    return [one.session for one in baseline_and_end(seen) if one is not None]


def _assessed(lesion: LesionOf, horizon: str) -> list[SessionRecord]:
    """The sessions of the horizon at which the lesion was assessed."""
    course = lesion.course
    sessions = course.treatments if horizon == "end_of_treatment" else course.sessions
    return [session for session in sessions if lesion.lesion_id in session.assessments]
