from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def select_one() -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return HttpResponse(str(cursor.fetchone()))


@login_not_required
def bare(request: HttpRequest) -> HttpResponse:
    return select_one()


def signed_in(request: HttpRequest) -> HttpResponse:
    assert request.user.is_authenticated and request.user.roles  # type: ignore[union-attr]
    return select_one()


urlpatterns = [
    path("bench/bare/", bare),
    path("bench/signed-in/", signed_in),
    path("", include("onatc.urls")),
]
