from __future__ import annotations

from alerting.labels import fingerprint, frozen


def test_the_order_of_labels_makes_no_difference() -> None:
    assert frozen({"b": "2", "a": "1"}) == (("a", "1"), ("b", "2"))


def test_the_fingerprint_is_the_same_in_any_process() -> None:
    labels = frozen({"http.route": "/é/"})

    assert fingerprint("errors", labels) == "34bf1c0451d14fe4ad3483f9ba6335b6"


def test_rule_and_labels_cannot_be_confused() -> None:
    assert fingerprint("a", (("b", "c"),)) != fingerprint("a", (("b,c", ""),))
