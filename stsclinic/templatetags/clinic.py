"""How facts are shown on every page: dates, numbers, units, and what is not recorded."""

import datetime
from decimal import Decimal
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils import timezone

from stsclinic.access import may as user_may
from stsclinic.clinical.dates import PartialDate, show_date
from stsclinic.clinical.numbers import show_decimal

register = template.Library()

NOT_RECORDED = "Not recorded"


@register.filter
def day(value) -> str:
    """A date as 20-Nov-2026; a partial date as far as it is known; nothing as an empty text."""
    if not value:
        return ""
    if isinstance(value, str):
        return str(PartialDate.parse(value).show())
    if isinstance(value, datetime.datetime):
        return show_date(timezone.localtime(value).date())
    return show_date(value)


@register.filter
def moment(value) -> str:
    """An instant as 20-Nov-2026 14:02."""
    if not value:
        return ""
    local = timezone.localtime(value)
    return f"{show_date(local.date())} {local:%H:%M}"


@register.filter
def number(value) -> str:
    """A number without trailing zeros; nothing as an empty text."""
    if value is None or value == "":
        return ""
    return show_decimal(Decimal(str(value)))


@register.filter
def yes_no(value) -> str:
    """Yes, No or Not recorded."""
    return {True: "Yes", False: "No"}.get(value, NOT_RECORDED)


@register.filter
def or_not_recorded(value) -> str:
    """The value, or Not recorded."""
    return value if value not in (None, "") else NOT_RECORDED


@register.filter
def get(mapping, key):
    """The entry of a mapping, or None."""
    return mapping.get(key) if mapping else None


@register.simple_tag(takes_context=True)
def may(context, right, clinic_id=None) -> bool:
    """Whether the signed-in user has `right`, in this clinic where one is given."""
    return user_may(context["request"].user, right, clinic_id)


@register.simple_tag
def component(which, **context) -> str:
    """A component of templates/components that is the same whenever its context is: an icon, a state.

    Each is rendered once and kept, since a list shows the same few states on every line.
    """
    # The type belongs to it: a text that was marked as safe is equal to one that must be escaped.
    return _component(which, tuple((key, value, type(value)) for key, value in context.items()))


@lru_cache(maxsize=1024)
def _component(name: str, context: tuple) -> str:
    return render_to_string(f"components/{name}.html", {key: value for key, value, _type in context})
