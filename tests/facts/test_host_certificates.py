"""Certificates from openssl, curl and kubeadm."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from host_samples import document, facts, fields

from kubecause.facts.host_certificates import moment, parse_curl_verbose, parse_x509
from kubecause.model import Entity

FAKE = "O = Acme Co, CN = Kubernetes Ingress Controller Fake Certificate"


def test_openssl_text() -> None:
    """Names as printed, the end in UTC; without a time of collection nothing is said about expiry."""
    [fact] = facts("x509-text", "x509", command="openssl x509 -in /etc/tls/tls.crt -text")

    assert fact.fields == {
        "subject": FAKE,
        "issuer": FAKE,
        "not_after": "2026-11-21T22:42:36Z",
        "self_signed": True,
        "ingress_fake": True,
        "address": "/etc/tls/tls.crt",
    }
    assert fact.entity == Entity("Client", None, scope="paste.txt:10")


@pytest.mark.parametrize(
    ("collected", "expired", "not_yet_valid"),
    [
        (datetime(2026, 11, 21, 12, tzinfo=UTC), False, False),
        (datetime(2026, 11, 22, tzinfo=UTC), True, False),
        (datetime(2026, 11, 1, tzinfo=UTC), False, True),
        (datetime(2027, 1, 1, tzinfo=UTC).replace(tzinfo=None), True, False),
        (datetime(2026, 11, 21, 23, tzinfo=UTC).replace(tzinfo=None), None, False),
    ],
)
def test_expiry_is_judged_at_the_time_of_collection(collected: datetime, expired: bool | None, not_yet_valid: bool) -> None:
    """A collection time without a zone decides only what no zone could change."""
    [fact] = facts("x509-text", "x509", collected=collected)

    assert (fact["expired"], fact["not_yet_valid"]) == (expired, not_yet_valid)


def test_dates_of_several_files() -> None:
    """A file name above the dates tells whose they are."""
    assert fields(facts("x509-dates", "x509"), "certificate") == [
        {"not_after": "2025-11-20T22:42:36Z", "address": "/etc/kubernetes/pki/apiserver.crt"},
        {"not_after": "2027-11-02T22:42:36Z", "address": "/etc/kubernetes/pki/front-proxy-client.crt"},
    ]


def test_s_client() -> None:
    """The pieces s_client prints of one certificate become one fact; its verdict counts as said by the text."""
    assert fields(facts("s_client", "x509", command="openssl s_client -connect 10.0.0.1:6443"), "certificate") == [
        {
            "subject": "CN = kube-apiserver",
            "issuer": "CN = kubernetes",
            "not_after": "2025-11-20T22:42:36Z",
            "expired": True,
            "self_signed": False,
            "ingress_fake": False,
            "address": "10.0.0.1:6443",
        },
    ]


def test_names_of_old_openssl() -> None:
    """The one-line form with slashes is understood too."""
    [fact] = parse_x509(document("subject= /O=Acme Co/CN=TRAEFIK DEFAULT CERT", "x509"))

    assert fact["ingress_fake"] is True


def test_curl_shows_the_certificate() -> None:
    """The server block of curl -vk: names, end, and the address it connected to."""
    [fact] = facts("curl-vvk", "curl-verbose")

    assert fact["address"] == "127.0.0.1:23790"
    assert fact["not_after"] == "2026-11-21T22:42:36Z"
    assert (fact["self_signed"], fact["ingress_fake"]) == (True, True)


def test_curl_refuses_a_certificate() -> None:
    """No server block is printed, but curl says what is wrong with it."""
    assert fields(facts("curl-vv-selfsigned", "curl-verbose"), "certificate") == [
        {"self_signed": True, "address": "127.0.0.1:23790"}
    ]


def test_curl_in_a_runbook() -> None:
    """Pasted behind hash marks, with the command that names the server."""
    [fact] = facts("curl-seed", "curl-verbose", command="curl -vv https://172.24.135.12")

    assert fact.fields == {
        "subject": "CN=Kubernetes Ingress Controller Fake Certificate,O=Acme Co",
        "ingress_fake": True,
        "address": "172.24.135.12:443",
    }


def test_a_private_authority_is_not_self_signed() -> None:
    """An unknown root in the chain says nothing about the server's own certificate."""
    text = "* SSL certificate problem: self-signed certificate in certificate chain"

    assert list(parse_curl_verbose(document(text, "curl-verbose"))) == []


def test_a_refused_connection_shows_no_certificate() -> None:
    """Without TLS there is no certificate to speak of."""
    assert facts("curl-refused", "curl-verbose") == []


def test_kubeadm() -> None:
    """``<invalid>`` means expired; both tables are read, a missing certificate is not a certificate."""
    found = fields(facts("certs-expiration", "certs-expiration"), "certificate")

    assert [("admin.conf", True), ("apiserver", False), ("apiserver-etcd-client", False), ("ca", False)] == [
        (row["subject"], row["expired"]) for row in found
    ]
    assert found[2] == {
        "subject": "apiserver-etcd-client",
        "issuer": "etcd-ca",
        "not_after": "2021-12-30T23:36:00Z",
        "expired": False,
    }


def test_kubeadm_without_authority_column() -> None:
    """Version 1.15 printed no authority."""
    assert fields(facts("certs-expiration-1.15", "certs-expiration"), "certificate") == [
        {"subject": "admin.conf", "not_after": "2020-05-09T22:32:00Z", "expired": False},
    ]


@pytest.mark.parametrize(
    "text", ["Foo 20 22:42:36 2026 GMT", "Nov 31 22:42:36 2026 GMT", "Nov 20 99:42:36 2026 GMT", "tomorrow", ""]
)
def test_a_broken_date_is_no_date(text: str) -> None:
    """Garbled dates do not raise."""
    assert moment(text) is None
