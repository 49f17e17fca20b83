"""Catalogues over https: who is not trusted is told apart from who is silent, and redirects never give it up."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import ssl

import pytest
from tests.rangeserver import Fault, serving
from tests.store.remote.conftest import LAYOUT, rows_of

from skydex.errors import RemoteUnavailableError
from skydex.store import open_dataset

pytest.importorskip("cryptography")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that vouches for itself and for 127.0.0.1, in one file with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test of skydex")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def safe(certificate, writer, tmp_path):
    """A catalogue over https, and the server of its files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    own = writer.dataset(writer.scattered(1_000), layout=LAYOUT)
    shutil.copytree(own.directory, tmp_path / "safe/own")
    with serving(tmp_path / "safe", tls=context) as server:
        yield own, server


@pytest.fixture
def trusted(certificate, monkeypatch):
    """As if the process had been started with SSL_CERT_FILE."""
    from skydex.store.remote import wire

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(wire, "_WIRES", {})
    yield
    wire.wire().stop()


def test_a_certificate_that_nobody_vouches_for_is_told_at_once_with_the_remedy(safe, access):
    _, server = safe
    with pytest.raises(RemoteUnavailableError, match=r"certificate of its server is not trusted\. .*SSL_CERT_FILE"):
        open_dataset(f"{server.url}/own", name="sky.objects", access=access)
    assert not server.requests


def test_a_certificate_that_is_vouched_for_is_as_good_as_any(safe, trusted, access):
    own, server = safe
    assert rows_of(open_dataset(f"{server.url}/own", name="sky.objects", access=access)).equals(rows_of(own))


def test_redirects_lead_from_https_to_https_and_never_to_http(safe, trusted, access, web):
    own, server = safe
    shutil.copytree(server.root / "own", server.root / "moved")
    shutil.copytree(server.root / "own", web.root / "own")
    to = {"own": f"{server.url}/moved"}
    server.faults = lambda asked: (
        Fault(status=302, headers={"Location": f"{to['own']}/{asked.name[4:]}"})
        if asked.name.startswith("own/")
        else None
    )
    far = open_dataset(f"{server.url}/own", name="sky.objects", access=access)
    assert rows_of(far, ["id"]).equals(rows_of(own, ["id"]))
    to["own"] = f"{web.url}/own"
    with pytest.raises(RemoteUnavailableError, match=r"from https to http\. Mount it by its right address"):
        rows_of(far, ["mag"])
    assert not web.requests


def test_redirects_lead_from_http_to_https(safe, trusted, access, web):
    own, server = safe
    web.faults = lambda asked: Fault(status=301, headers={"Location": f"{server.url}/{asked.name}"})
    assert rows_of(open_dataset(f"{web.url}/own", name="sky.objects", access=access)).equals(rows_of(own))
