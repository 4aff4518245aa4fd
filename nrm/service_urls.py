"""Addresses of the services directory and of networks."""

from django.urls import URLPattern, path

from nrm.views import accreditation, networks, service_public, services

patterns: list[URLPattern] = [
    path("help/", service_public.service_public, name="service-public"),
    path("services/", services.service_list, name="service-list"),
    path("services/export/", services.service_export, name="service-export"),
    path("services/new/", services.service_create, name="service-create"),
    path("services/<uuid:pk>/", services.service_detail, name="service-detail"),
    path("services/<uuid:pk>/edit/", services.service_edit, name="service-edit"),
    path("services/<uuid:pk>/end/", services.service_end, name="service-end"),
    path("services/<uuid:pk>/places/", services.service_places, name="service-places"),
    path("services/<uuid:pk>/confirm/", services.service_confirm, name="service-confirm"),
    path("services/<uuid:pk>/propose/", services.service_propose, name="service-propose"),
    path("services/proposals/<uuid:pk>/answer/", services.proposal_answer, name="service-proposal-answer"),
    path("services/<uuid:pk>/address/", services.service_address, name="service-address"),
    path("services/<uuid:pk>/address/write/", services.service_address_write, name="service-address-write"),
    path("services/<uuid:pk>/address/remove/", services.service_address_remove, name="service-address-remove"),
    path("services/<uuid:pk>/accreditations/new/", accreditation.accreditation_create, name="accreditation-create"),
    path("accreditations/<uuid:pk>/withdraw/", accreditation.accreditation_withdraw, name="accreditation-withdraw"),
    path("services/<uuid:pk>/inspections/new/", accreditation.inspection_create, name="inspection-create"),
    path("inspections/<uuid:pk>/corrective/new/", accreditation.corrective_create, name="corrective-create"),
    path("inspections/corrective/<uuid:pk>/done/", accreditation.corrective_done, name="corrective-done"),
    path("networks/", networks.network_list, name="network-list"),
    path("networks/export/", networks.network_export, name="network-export"),
    path("networks/new/", networks.network_create, name="network-create"),
    path("networks/<uuid:pk>/", networks.network_detail, name="network-detail"),
    path("networks/<uuid:pk>/edit/", networks.network_edit, name="network-edit"),
    path("networks/<uuid:pk>/members/new/", networks.network_member_add, name="network-member-add"),
    path("networks/members/<uuid:pk>/end/", networks.network_member_end, name="network-member-end"),
]
