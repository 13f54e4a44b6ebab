from __future__ import annotations

import html
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.urls import path

from alerting import stored_silences
from alerting.models import StoredSilence
from alerting.notifications.silence import Silence

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [path("admin/", admin.site.urls)]

SILENCES = "/admin/prs_alerting/storedsilence/"
BUSY = {"alertname": "busy"}
NIGHTS = {"weekdays": [0, 6], "start": "22:00", "end": "06:00", "timezone": "UTC"}


def stored_silence(**fields: Any) -> StoredSilence:
    now = datetime.now(UTC)
    wanted = {"matchers": BUSY, "ends_at": now + timedelta(hours=1), "comment": "x"}
    silence = Silence.model_validate({**wanted, **fields})
    made = stored_silences.create(silence, author="alice", now=time.time())
    return StoredSilence.objects.get(pk=made.id)


def form(
    *, starts_in: float = 0.0, ends_in: float = 3_600.0, **fields: object
) -> dict[str, str]:
    """Return the fields of the form, in UTC and to the second."""
    begin, end = (
        datetime.fromtimestamp(int(time.time()) + seconds, UTC)
        for seconds in (starts_in, ends_in)
    )
    given: dict[str, object] = {"matchers": BUSY, "comment": "moving house", **fields}
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
    }
    return {
        "starts_at_0": f"{begin:%Y-%m-%d}",
        "starts_at_1": f"{begin:%H:%M:%S}",
        "ends_at_0": f"{end:%Y-%m-%d}",
        "ends_at_1": f"{end:%H:%M:%S}",
        **texts,
    }


def write(client: Client, where: str, fields: dict[str, str]) -> str:
    response = client.post(f"{SILENCES}{where}", fields, follow=True)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def test_a_silence_is_added_as_over_the_api(admin_client: Client) -> None:
    empty = admin_client.get(f"{SILENCES}add/").content.decode()
    added = write(admin_client, "add/", form(weekly=NIGHTS))
    row = StoredSilence.objects.get()
    silence = stored_silences.understood(row)

    assert 'name="matchers"' in empty
    assert "added successfully" in added
    assert (row.author, row.comment) == ("admin", "moving house")
    assert (row.ends_at - row.starts_at) == timedelta(hours=1)
    assert silence is not None
    assert [str(each) for each in silence.matchers] == ['alertname="busy"']
    assert silence.weekly is not None
    assert 'alertname="busy"' in html.unescape(
        admin_client.get(SILENCES).content.decode()
    )


@override_settings(USE_TZ=False, TIME_ZONE="UTC")
def test_times_are_kept_without_time_zones_too(admin_client: Client) -> None:
    write(admin_client, "add/", form())
    row = StoredSilence.objects.get()
    silence = stored_silences.understood(row)

    assert silence is not None
    assert abs(silence.ends_at.timestamp() - time.time() - 3_600) < 60


def test_a_change_ends_the_old_one_and_says_by_whom_the_new_one_is(
    admin_client: Client,
) -> None:
    old = stored_silence()
    changed = write(
        admin_client, f"{old.pk}/change/", form(ends_in=7_200.0, comment="longer")
    )
    old.refresh_from_db()
    new = StoredSilence.objects.exclude(pk=old.pk).get()

    assert "changed successfully" in changed
    assert (old.author, old.comment) == ("alice", "x")
    assert old.ends_at.timestamp() <= time.time()
    assert (new.author, new.comment) == ("admin", "longer")
    assert new.ends_at.timestamp() > time.time() + 7_000


def test_saving_what_is_the_same_changes_nothing(admin_client: Client) -> None:
    moment = datetime.fromtimestamp(int(time.time()), UTC)
    old = stored_silence(starts_at=moment, ends_at=moment + timedelta(hours=1))
    times = {
        "starts_at_0": f"{old.starts_at:%Y-%m-%d}",
        "starts_at_1": f"{old.starts_at:%H:%M:%S}",
        "ends_at_0": f"{old.ends_at:%Y-%m-%d}",
        "ends_at_1": f"{old.ends_at:%H:%M:%S}",
    }
    matchers = json.dumps(old.definition["matchers"])
    write(
        admin_client,
        f"{old.pk}/change/",
        {**times, "matchers": matchers, "weekly": "", "comment": "x"},
    )

    assert StoredSilence.objects.get() == old
    assert StoredSilence.objects.get().author == "alice"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ends_in": -60.0, "starts_in": -120.0}, "ends_at is over already"),
        ({"ends_in": -60.0}, "ends_at must be later than starts_at"),
        ({"ends_in": 400 * 86_400.0}, "at most a year"),
        ({"matchers": {"1": "x"}}, "matchers.0.name cannot be '1'"),
        ({"matchers": "alertname=busy"}, "This is no JSON; write {"),
        ({"weekly": {**NIGHTS, "timezone": "Mars"}}, "'Mars' is no time zone"),
        ({"weekly": {**NIGHTS, "weekdays": [7]}}, "weekly.weekdays.0 cannot be 7"),
    ],
)
def test_a_mistake_is_named_with_what_to_write_instead(
    admin_client: Client, fields: dict[str, Any], expected: str
) -> None:
    assert expected in write(admin_client, "add/", form(**fields))
    assert not StoredSilence.objects.exists()


def test_there_may_be_only_so_many(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_silences, "LIMIT", 0)

    assert "There are 0 silences already" in write(admin_client, "add/", form())
    assert not StoredSilence.objects.exists()


def test_silences_are_ended_and_not_deleted(admin_client: Client) -> None:
    row = stored_silence()
    chosen = {"action": "end", "_selected_action": [str(row.pk)]}
    ended = admin_client.post(SILENCES, chosen, follow=True).content.decode()
    row.refresh_from_db()

    assert "Silences ended: 1." in ended
    assert row.ends_at.timestamp() <= time.time()
    assert admin_client.post(f"{SILENCES}{row.pk}/delete/").status_code == 403


def test_what_is_over_can_be_read_and_not_changed(admin_client: Client) -> None:
    row = stored_silence(weekly=NIGHTS)
    stored_silences.expire(row.pk, now=time.time())
    page = admin_client.get(f"{SILENCES}{row.pk}/change/").content.decode()
    refused = admin_client.post(f"{SILENCES}{row.pk}/change/", form())
    over = admin_client.get(SILENCES, {"when": "over"}).content.decode()
    current = admin_client.get(SILENCES, {"when": "now"}).content.decode()

    assert "busy" in page
    assert 'name="_save"' not in page
    assert refused.status_code == 403
    assert str(row.pk) in over
    assert str(row.pk) not in current


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("view_storedsilence", set()),
        ("add_storedsilence", {"add"}),
        ("change_storedsilence", {"change"}),
        ("delete_storedsilence", {"end"}),
    ],
)
def test_each_needs_its_permission(permission: str, allowed: set[str]) -> None:
    row = stored_silence()
    user = User.objects.create_user("carl", is_staff=True)
    names = {"view_storedsilence", permission}
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)

    added = client.post(f"{SILENCES}add/", form()).status_code
    changed = client.post(f"{SILENCES}{row.pk}/change/", form()).status_code
    open_row = StoredSilence.objects.order_by("-ends_at")[0]
    chosen = {"action": "end", "_selected_action": [str(open_row.pk)]}
    client.post(SILENCES, chosen)
    open_row.refresh_from_db()
    done = {
        "add": added == 302,
        "change": changed == 302,
        "end": open_row.ends_at.timestamp() <= time.time(),
    }

    assert {name for name, is_done in done.items() if is_done} == allowed
