"""The markers of the body map, written by hand: a patient has some twenty, each with a dozen values."""

from html import escape

from django import template
from django.utils.safestring import SafeString

from lesions.bodymap import MarkedLesion, Marker

register = template.Library()

_MANY = '<circle class="stack-back" cx="3" cy="-3" r="10"/><circle class="dot" r="10"/>'
_ULCER = '<path class="dot" d="M0-13 13 0 0 13-13 0z"/>'
_ONE = '<circle class="dot" r="10.5"/>'
_TREATED = '<path class="treated" d="M9-18h4v4h4v4h-4v4h-4v-4h-4v-4h4z"/>'


@register.simple_tag
def body_marker(marker: Marker, hide_key: bool, placing: bool) -> SafeString:
    """A marker of components/body_outline.html.

    Args:
        hide_key: the page lists the lesions itself; then several at one place link to their first's page.
        placing: lesions are put and moved here, by body-place.js.
    """
    _number, first = marker.lesions[0]
    is_many = marker.state == "many"
    words = escape(marker.words)
    url = first.url if hide_key and is_many else marker.url
    of_lesion = (
        f' data-lesion="{first.pk}" data-label="{escape(first.label)}"'
        if placing and first.pk and not is_many
        else ""
    )
    return SafeString(  # noqa: S308 (every text is escaped here)
        f'<a class="body-marker is-{escape(marker.state)}" href="{escape(url)}" aria-label="{words}"{of_lesion}>'
        f'<title>{words}</title><g transform="translate({escape(marker.x)} {escape(marker.y)})">'
        f'<circle class="hit" r="12"/>{_MANY if is_many else _shape(marker, first)}'
        f"<text>{escape(marker.label)}</text>"
        f"{_TREATED if first.was_treated and not is_many else ''}</g></a>"
    )


def _shape(marker: Marker, lesion: MarkedLesion) -> str:
    ring = f'<circle class="ring" r="{escape(str(lesion.ring))}"/>' if lesion.ring else ""
    return ring + (_ULCER if marker.state == "ulcer" else _ONE)
