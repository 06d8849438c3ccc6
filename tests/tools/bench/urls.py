"""The application's addresses and one that does nothing: the floor beneath every page."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from stsclinic.access import BE_SIGNED_IN, require


@require(BE_SIGNED_IN)
def empty(request: HttpRequest) -> HttpResponse:
    """Nothing, to one who is signed in, behind the same middleware as every page."""
    return HttpResponse()


urlpatterns = [
    path("bench/empty/", empty, name="empty"),
    path("", include("stsclinic.urls")),
]
