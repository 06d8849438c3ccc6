"""How facts are shown on every page: dates, numbers, units, and what is not recorded."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import conditional_escape as escape
from django.utils.safestring import SafeString

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


_NUMBER_KINDS = frozenset({"number", "count", "whole", "figure", "p"})


@register.simple_tag
def table_rows(table) -> SafeString:
    """The rows of components/data_table.html, written by hand: a page may have a thousand cells.

    The first cell heads its row; a number stands right, and says of what column it is, as each other cell does.
    """
    heads = []
    for column in table.columns:
        css = ' class="num"' if column.kind in _NUMBER_KINDS else ""
        words = f"{column.label} ({column.unit})" if column.unit else column.label
        heads.append((css, f'{css} data-label="{escape(words)}"'))
    return SafeString("".join(_table_row(heads, row) for row in table.rows))  # noqa: S308 (escaped cell by cell)


def _table_row(heads: list[tuple[str, str]], row: Sequence[str]) -> str:
    first, *others = row
    css, told = heads[0]
    cells = [f'<th scope="row"{told if css else ""}>{escape(first)}</th>']
    for (_css, told), text in zip(heads[1:], others, strict=False):
        cells.append(f"<td{told}{' data-empty' if text == '–' else ''}>{escape(text)}</td>")
    return f"<tr>{''.join(cells)}</tr>"
