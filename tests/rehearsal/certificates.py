"""A certificate authority for one test run, and a certificate for AWS's host names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files of the authority, the server's certificate and the server's key."""

    authority: Path
    certificate: Path
    key: Path


def write_certificates(folder: Path, regions: Sequence[str]) -> CertificateFiles:
    """Sign a certificate for AWS's endpoints in `regions` and write it to `folder`."""
    files = CertificateFiles(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = _make_name("Rehearsal authority")
    authority = (
        _make_builder(authority_name, authority_name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in _list_host_names(regions)])
    server = (
        _make_builder(_make_name("amazonaws.com"), authority_name, server_key)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def _list_host_names(regions: Sequence[str]) -> list[str]:
    """Return the host names; a wildcard covers a single label, so services, APIs and buckets need separate patterns."""
    domains = ["amazonaws.com", "s3.amazonaws.com"]
    for region in regions:
        domains += [f"{region}.amazonaws.com"]
        domains += [f"{service}.{region}.amazonaws.com" for service in ("execute-api", "s3", "ecr")]
    return [f"*.{domain}" for domain in domains] + domains


def _make_name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _make_builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
    )
