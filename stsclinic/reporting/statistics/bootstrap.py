"""How sure is a share of lesions or series, when those of one patient are not independent?

Patients are drawn with replacement, each with all that is theirs, with a fixed seed: the same data
give the same interval. The interval is that of the percentiles of the shares drawn.
Source: Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall 1993, chapter 13;
Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc B 2007;69:369-90.
"""

from collections.abc import Iterator, Mapping, Sequence

from stsclinic.reporting.columns import Numbers

DRAWS = 4000
SEED = 20261120
PERCENTILES = (2.5, 97.5)
CELLS = 80_000
"""How many numbers of one block of draws are made at once: as many as a processor has at hand."""

ALIKE = 12
"""How many patients there are at least for each different row where it is quicker to draw rows than patients."""

Interval = tuple[float, float] | None


def share_intervals(
    tables: Sequence[Numbers], inside: Mapping[str, Sequence[int]]
) -> list[dict[str, Interval]]:
    """The 95% intervals of shares, for each table by the names in `inside`.

    None with fewer than two patients, and where none or all have it: then every draw is the same.

    Args:
        tables: each with a row for each patient, and in its columns how many of the patient's lesions or series
            have each outcome. Patients without any are left out.
        inside: by name the columns that are counted, of all.
    """
    import numpy as np

    found: list[dict[str, Interval]] = []
    for table, sums in zip(tables, _sums_drawn([_in_order(table) for table in tables]), strict=True):
        all_of = table.sum(axis=0)
        each: dict[str, Interval] = {}
        for name, columns in inside.items():
            events = all_of[list(columns)].sum()
            if sums is None or not 0 < events < all_of.sum():
                each[name] = None
            else:
                shares = sums[:, list(columns)].sum(axis=1) / sums.sum(axis=1)
                low, high = np.percentile(shares, PERCENTILES)
                each[name] = (float(low), float(high))
        found.append(each)
    return found


def times_drawn(patients: int, draws: int, seed: int) -> Iterator[Numbers]:
    """How often each of so many patients is drawn with replacement: blocks of arrays, draws × patients."""
    import numpy as np

    generator, block = np.random.default_rng(seed), max(1, CELLS // patients)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = generator.integers(patients, size=(size, patients))
        drawn += np.arange(size)[:, None] * patients
        yield np.bincount(drawn.ravel(), minlength=size * patients).reshape(size, patients).astype(float)


def _in_order(table: Numbers) -> Numbers:
    """The rows that hold anything, in an order that is not that of the patients: that of their numbers."""
    import numpy as np

    kept = table[table.sum(axis=1) > 0].astype(float)
    return kept[np.lexsort(kept.T[::-1])]


def _different(table: Numbers) -> tuple[Numbers, Numbers]:
    """The different rows of a table whose rows stand in order, and how often each is there."""
    import numpy as np

    is_first = np.ones(len(table), dtype=bool)
    is_first[1:] = (table[1:] != table[:-1]).any(axis=1)
    first = np.flatnonzero(is_first)
    return table[first], np.diff(first, append=len(table))


def _sums_drawn(tables: Sequence[Numbers]) -> list[Numbers | None]:
    """For each table the sums of its columns in each draw: draws × columns; None with fewer than two rows.

    Patients with the same row cannot be told apart. Where rows are few, how often each is drawn is one draw of a
    multinomial distribution, which is exact and does not grow with the patients; else patients are drawn, once
    for all tables that have as many.
    """
    import numpy as np

    found: list[Numbers | None] = [None] * len(tables)
    together: dict[int, list[int]] = {}
    for place, table in enumerate(tables):
        patients = len(table)
        rows, times = _different(table)
        if patients > 1 and len(rows) * ALIKE <= patients:
            drawn = np.random.default_rng(SEED).multinomial(patients, times / patients, size=DRAWS)
            found[place] = drawn @ rows
        elif patients > 1:
            together.setdefault(patients, []).append(place)
    for patients, places in together.items():
        columns = np.hstack([tables[place] for place in places])
        sums = np.concatenate([times @ columns for times in times_drawn(patients, DRAWS, SEED)])
        for place, of_table in zip(places, np.split(sums, len(places), axis=1), strict=True):
            found[place] = of_table
    return found
