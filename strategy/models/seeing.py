"""Filters that people keep under a name and share."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from stakeholders.models import Institution


class FilteredPage(models.TextChoices):
    """The pages whose filter can be kept, by the name of their URL; RIGHTS says who may open each."""

    MEASURES = "strategy:measure-list", _("Measures")
    TIMELINE = "strategy:measure-timeline", _("Timeline")
    LATE = "strategy:late-list", _("What is late")
    MATRIX = "strategy:round-matrix", _("Institutions and rounds")
    RECOMMENDATIONS = "strategy:recommendation-list", _("Recommendations")


RIGHTS = {
    FilteredPage.MEASURES: "sees_plan",
    FilteredPage.TIMELINE: "sees_plan",
    FilteredPage.LATE: "sees_plan",
    FilteredPage.MATRIX: "sees_matrix",
    FilteredPage.RECOMMENDATIONS: "sees_plan",
}


class SharedWith(models.TextChoices):
    NOBODY = "nobody", _("nobody")
    INSTITUTION = "institution", _("my institution")
    EVERYBODY = "everybody", _("everybody who may open the page")


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    def visible_to(self, user: Any) -> Self:
        """One's own, and what others share with one's institution or with everybody; of pages that one may open.

        A filter is a question: what it finds, each reader is told by the page's own rights."""
        if not user.is_authenticated or not user.roles:
            return self.none()
        shared = Q(shared_with=SharedWith.EVERYBODY) | Q(
            shared_with=SharedWith.INSTITUTION, institution__in={one.institution_id for one in user.assignments}
        )
        pages = [str(page) for page, right in RIGHTS.items() if getattr(user, right)]
        return self.filter(Q(owner=user) | shared, page__in=pages)


@tracked
class SavedFilter(models.Model):
    """A filter of a page under a name: the address's query, of which the page's own form understood each part.

    A person's names are different on each page (actions.saved_filters); not so in the database, since whoever takes
    over another's filters may have one of the same name."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("owner"))
    # The owner's institution at the time of sharing; filled exactly when it is shared with it.
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("institution")
    )
    name = models.CharField(_("name"), max_length=80)
    page = models.CharField(_("page"), max_length=60, choices=FilteredPage)
    query = models.CharField(_("filter"), max_length=1000, blank=True)
    shared_with = models.CharField(
        _("shared with"), max_length=12, choices=SharedWith, default=SharedWith.NOBODY, db_default="nobody"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ["page", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(shared_with="institution") | Q(institution__isnull=False),
                name="saved_filter_shared_with_an_institution",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The page under this filter."""
        return f"{reverse(self.page)}?{self.query}"

    @staticmethod
    def query_of(chosen: dict[str, str]) -> str:
        return urlencode(sorted((name, value) for name, value in chosen.items() if value))

    @property
    def parts(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in QueryDict(self.query).items()]
