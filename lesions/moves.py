"""Where a lesion was before it was moved on the body map, and putting it back there.

Nothing is kept for this beside the history: the move that can be undone is the lesion's last change.
"""

from dataclasses import dataclass
from decimal import Decimal

from lesions.bodymap import agrees, site_words
from lesions.forms.places import place_words
from lesions.models import Lesion
from lesions.services import change_record
from stsclinic.audit.models import Change

ON_THE_MAP = ("map_figure", "map_x", "map_y")
OF_A_MOVE = (*ON_THE_MAP, "body_site", "laterality", "site_detail")
"""What a move on the map changes: where the lesion is, and how that is named."""
REASON = "Put back on the body map"


@dataclass(frozen=True)
class Move:
    """A lesion that was moved. `values` are those of OF_A_MOVE before, `came_from` says them in words."""

    lesion: Lesion
    values: dict
    came_from: str
    is_at: str


def last_move(lesion: Lesion) -> Move | None:
    """The lesion's last change, where that moved it on the body map."""
    change = Change.objects.filter(table_name=Lesion._meta.db_table, row_id=lesion.pk).last()
    if not (change and change.old and change.new):
        return None
    if all(change.old.get(name) == change.new.get(name) for name in ON_THE_MAP):
        return None
    values = {name: change.old[name] for name in OF_A_MOVE}
    for name in ("map_x", "map_y"):
        # A database's JSON has a number of its own kind.
        values[name] = None if values[name] is None else Decimal(str(values[name]))
    return Move(lesion, values, _where(Lesion(**values)), _where(lesion))


def put_back(lesion: Lesion, *, by: str) -> bool:
    """Undo the last move of a lesion; False where its last change is no move.

    Raises:
        StaleRecord: somebody changed the lesion since it was read.
        ValidationError: a rule refuses the place before. In both cases nothing was written.
    """
    move = last_move(lesion)
    if move is None:
        return False
    change_record(lesion, move.values, seen_version=lesion.version, by=by, reason=REASON)
    return True


def _where(lesion: Lesion) -> str:
    if lesion.put_at is not None and agrees(lesion.put_at, lesion.laterality):
        return place_words(lesion.put_at)
    return f"{site_words(lesion.body_site, lesion.laterality)} (middle of the site)"
