"""DeleteObjects with a condition on each object (`ETag`), errors of single objects, and the quiet mode."""

import io
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, register_namespace, tostring
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from local.emulator.conditions import find_failed_condition, make_failed_condition_error
from local.emulator.s3_bodies import parse_xml, read_text
from local.emulator.s3_requests import (
    Forward,
    S3Error,
    Target,
    check_version_id,
    find_bucket,
    find_object,
    make_missing_key_error,
    read_target,
)

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_ENTITIES = {"\r": "&#13;"}
register_namespace("", _NAMESPACE)


def is_delete_objects(request: Request) -> bool:
    return request.method == "POST" and "delete" in request.args and not read_target(request).key


def delete_objects(environ: dict[str, Any], forward: Forward) -> Response | None:
    """Return the response to DeleteObjects, or None if moto can handle the request. The body is valid."""
    request = Request(environ)
    bucket = read_target(request).bucket
    if find_bucket(bucket) is None:
        return None
    root = parse_xml(environ["wsgi.input"].getvalue(), "Delete")
    accepted, errors = [], []
    for entry in root.iterfind("Object"):
        try:
            _check_entry(bucket, entry)
            accepted.append(entry)
        except S3Error as error:
            errors.append((entry, error))
    response = _forward_entries(environ, accepted, forward) if accepted else _make_response()
    is_quiet = root.findtext("Quiet", "").strip().lower() == "true"
    if response.status_code == 200 and (errors or is_quiet):
        response.data = _build_result(response.data, errors, is_quiet)
    return response


def _check_entry(bucket: str, entry: Element) -> None:
    """Raise S3Error if the version id is invalid or the object does not have the stated ETag."""
    version_id, etag = entry.findtext("VersionId"), entry.findtext("ETag")
    check_version_id(version_id)
    if etag is None:
        return
    key = find_object(Target(bucket, read_text(entry, "Key")), version_id)
    if key is None:
        raise make_missing_key_error()
    if find_failed_condition({"If-Match": etag}, key.etag, key.last_modified):
        raise make_failed_condition_error()


def _forward_entries(environ: dict[str, Any], entries: list[Element], forward: Forward) -> Response:
    """Return moto's response to a request that deletes these entries."""
    listed = "".join(f"<Object>{_write_members(entry)}</Object>" for entry in entries)
    body = f"<Delete>{listed}</Delete>".encode()
    response: Response = forward(
        {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    )
    return response


def _write_members(entry: Element) -> str:
    return "".join(
        f"<{name}>{escape(entry.findtext(name, ''), _ENTITIES)}</{name}>"
        for name in ("Key", "VersionId")
        if entry.findtext(name)
    )


def _make_response() -> Response:
    return Response(f'<DeleteResult xmlns="{_NAMESPACE}"/>', mimetype="application/xml")


def _build_result(body: bytes, errors: list[tuple[Element, S3Error]], is_quiet: bool) -> bytes:
    """Return moto's result with further errors, and without the deleted keys in the quiet mode."""
    result = fromstring(body)  # noqa: S314 moto's own response
    if is_quiet:
        for deleted in result.findall(f"{{{_NAMESPACE}}}Deleted"):
            result.remove(deleted)
    for entry, error in errors:
        element = SubElement(result, f"{{{_NAMESPACE}}}Error")
        members = {name: entry.findtext(name) for name in ("Key", "VersionId")}
        for name, text in {**members, "Code": error.code, "Message": error.message}.items():
            if text is not None:
                SubElement(element, f"{{{_NAMESPACE}}}{name}").text = text
    data: bytes = tostring(result, encoding="utf-8", xml_declaration=True)
    return data.replace(b"\r", b"&#13;")
