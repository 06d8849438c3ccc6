"""Who has a sheet open now, and until when did a person have it?

The marks hold no clinical data and leave no history. They are renewed every few seconds while the sheet
is looked at, so that colleagues on one sheet know of each other.
"""

import datetime

from django.utils import timezone

from sessions_app.models import DraftReader, SessionDraft
from stsclinic.clinics.models import User

RENEWED_AFTER = datetime.timedelta(seconds=6)
"""A mark younger than this is left alone: most of the looks at the sheet then write nothing."""
HERE_FOR = datetime.timedelta(seconds=20)
"""How long after the last mark a person counts as there. The page looks every 3 to 10 seconds."""


def note_here(
    *, draft: SessionDraft, user: User, shown_at: datetime.datetime | None = None, has_typed: bool = False
) -> None:
    """Mark that the person has the sheet open.

    Args:
        shown_at: when the page was made that the person has: its facts are of that moment.
        has_typed: the person typed on that page, and so went on from what it said.
    """
    now = timezone.now()
    mark = DraftReader.objects.filter(draft=draft, user=user).first()
    is_news = has_typed and (mark is None or mark.typed_at is None or now - mark.typed_at >= RENEWED_AFTER)
    if mark is not None and now - mark.here_at < RENEWED_AFTER and not is_news:
        return
    values = {"here_at": now}
    if has_typed:
        values |= {"typed_at": now, "shown_at": min(shown_at or now, now)}
    DraftReader.objects.update_or_create(draft=draft, user=user, defaults=values)


def others_here(draft: SessionDraft, user: User) -> list[str]:
    """The user names of those who have the sheet open beside this user, in order."""
    marks = DraftReader.objects.filter(draft=draft, here_at__gt=timezone.now() - HERE_FOR)
    return list(marks.exclude(user=user).order_by("user__username").values_list("user__username", flat=True))
