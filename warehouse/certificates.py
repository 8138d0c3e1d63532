"""Certificates the embedded server's parts know each other by (mutual TLS on its gRPC ports)."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from warehouse.private import write_private

if TYPE_CHECKING:
    from pathlib import Path

AUTHORITY, CERTIFICATE, KEY = "ca.crt", "node.crt", "node.key"
LIFETIME = dt.timedelta(days=3650)
LEEWAY = dt.timedelta(days=1)


def make(folder: Path, *, now: dt.datetime) -> None:
    """Write an authority's certificate, a node certificate and the node's key, valid for ten years from ``now``.

    The authority's own key is thrown away: nobody can ever add a node. Only this user can read the files.
    """
    authority_key, node_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _builder("onrecord storage authority", authority_key, "onrecord storage authority", now).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    node = (
        _builder("onrecord storage", node_key, "onrecord storage authority", now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
    )
    for name, builder in ((AUTHORITY, authority), (CERTIFICATE, node)):
        signed = builder.sign(authority_key, hashes.SHA256())
        write_private(folder / name, signed.public_bytes(serialization.Encoding.PEM))
    write_private(
        folder / KEY,
        node_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def _builder(subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, now: dt.datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LEEWAY)
        .not_valid_after(now + LIFETIME)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
