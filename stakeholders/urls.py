from django.urls import path

from stakeholders import views

app_name = "stakeholders"

urlpatterns = [
    path("institutions/", views.institution_list, name="institution-list"),
    path("institutions/<uuid:pk>/", views.institution_detail, name="institution-detail"),
    path("institutions/<uuid:pk>/rename/", views.institution_rename, name="institution-rename"),
]
