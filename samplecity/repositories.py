"""Bluesky's servers of personal data (PDS) and the directory of DIDs (PLC), as the reference implementation answers.

A PDS knows only those whose repositories it hosts. A page of ``listRecords`` has a cursor as long as it holds a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samplecity.messages import Request, Response, as_json
from samplecity.people import LABELER, LABELER_DID, PDS, Person
from samplecity.records import (
    BLOCK_COLLECTION,
    GATE_COLLECTION,
    PROFILE_COLLECTION,
    Json,
    block_record,
    gate_record,
    gate_uri,
    post_record,
    profile_record,
    record_cid,
    value_cid,
)
from samplecity.world import POST_COLLECTION, World
from samplecity.xrpc import LARGEST_PAGE, Xrpc, XrpcError, bare, number, required

if TYPE_CHECKING:
    from collections.abc import Iterable

    from samplecity.bulk import BulkAccount

PASSWORD = "harbor-falls-demo"  # noqa: S105 - invented
Record = tuple[str, str, str, Json]
"""rkey, URI, CID, value."""


class DataServer(Xrpc):
    """A PDS: the repositories of the people it hosts. It knows nothing of the others."""

    def __init__(self, world: World, host: str, bulk: BulkAccount | None = None) -> None:
        super().__init__(world, bulk if host == PDS else None)
        self.host = host
        self.methods |= {
            "com.atproto.repo.listRecords": self.list_records,
            "com.atproto.repo.getRecord": self.record,
            "com.atproto.repo.describeRepo": self.describe,
            "com.atproto.sync.getRepoStatus": self.status,
            "com.atproto.server.createSession": self.session,
            "com.atproto.server.describeServer": lambda _: {"did": f"did:web:{host}", "availableUserDomains": []},
        }

    def list_records(self, request: Request) -> Json | bytes:
        """``com.atproto.repo.listRecords``: newest first unless ``reverse``."""
        repo, collection = required(request, "repo"), required(request, "collection")
        limit, cursor = number(request, "limit", 50, LARGEST_PAGE), bare(request.one("cursor"))
        reverse = request.one("reverse") == "true"
        if self.bulk and repo in (self.bulk.did, self.bulk.handle):
            return self.bulk.records(limit, cursor) if collection == POST_COLLECTION else {"records": []}
        held = sorted(self._records(self._hosted(repo), collection), key=lambda item: item[0], reverse=not reverse)
        if cursor:
            held = [item for item in held if (item[0] > cursor if reverse else item[0] < cursor)]
        page = held[:limit]
        answer: Json = {"records": [{"uri": uri, "cid": cid, "value": value} for _, uri, cid, value in page]}
        return {**answer, "cursor": page[-1][0]} if page else answer

    def record(self, request: Request) -> Json:
        """``com.atproto.repo.getRecord``."""
        repo, collection = required(request, "repo"), required(request, "collection")
        rkey = required(request, "rkey")
        person = self._hosted(repo)
        for key, uri, cid, value in self._records(person, collection):
            if key == rkey and request.one("cid", cid) == cid:
                return {"uri": uri, "cid": cid, "value": value}
        raise XrpcError(
            message=f"Could not locate record: at://{person.number}/{collection}/{rkey}", name="RecordNotFound"
        )

    def describe(self, request: Request) -> Json:
        """``com.atproto.repo.describeRepo``."""
        person = self._hosted(required(request, "repo"))
        kinds = (BLOCK_COLLECTION, GATE_COLLECTION, POST_COLLECTION, PROFILE_COLLECTION)
        return {
            "handle": person.handle,
            "did": person.number,
            "didDoc": document(person.number, person.handle, person.service),
            "collections": sorted(kind for kind in kinds if any(self._records(person, kind))),
            "handleIsCorrect": True,
        }

    def status(self, request: Request) -> Json:
        """``com.atproto.sync.getRepoStatus``."""
        did = required(request, "did")
        person = self.person(did)
        if person is None or person.service != self.host:
            raise XrpcError(message=f"Could not find repo for DID: {did}", name="RepoNotFound")
        return {"did": did, "active": True} if person.active else {"did": did, "active": False, "status": "deactivated"}

    def session(self, request: Request) -> Json:
        """``com.atproto.server.createSession``."""
        asked = request.json()
        person = self.person(str(asked.get("identifier", "")))
        if person is None or asked.get("password") != PASSWORD or person.service != self.host:
            raise XrpcError(message="Invalid identifier or password", name="AuthenticationRequired", status=401)
        return {
            "accessJwt": f"access.{person.key}.jwt",
            "refreshJwt": f"refresh.{person.key}.jwt",
            "handle": person.handle,
            "did": person.number,
            "didDoc": document(person.number, person.handle, person.service),
            "active": True,
        }

    def _hosted(self, repo: str) -> Person:
        person = self.person(repo)
        if person is None or person.service != self.host:
            raise XrpcError(message=f"Could not find repo: {repo}", name="RepoNotFound")
        if not person.active:
            raise XrpcError(message=f"Repo has been deactivated: {person.number}", name="RepoDeactivated")
        return person

    def _records(self, person: Person, collection: str) -> Iterable[Record]:
        if collection == POST_COLLECTION:
            for entry in self.world.written_by(person):
                yield entry.number, entry.native_id, record_cid(entry), post_record(self.world, entry)
        elif collection == GATE_COLLECTION:
            for gate in self.world.gates.values():
                if gate.root.startswith(f"at://{person.number}/"):
                    value = gate_record(gate)
                    yield gate.root.rsplit("/", 1)[-1], gate_uri(gate), value_cid(value), value
        elif collection == BLOCK_COLLECTION:
            for bar in self.world.barred(person.key, "block"):
                value = block_record(bar)
                yield bar.rkey, f"at://{person.number}/{collection}/{bar.rkey}", value_cid(value), value
        elif collection == PROFILE_COLLECTION:
            value = profile_record(person)
            yield "self", f"at://{person.number}/{collection}/self", value_cid(value), value


class Directory:
    """``plc.directory``: DID documents."""

    def __init__(self, world: World, bulk: BulkAccount | None = None) -> None:
        self.world = world
        self.bulk = bulk

    def answer(self, request: Request) -> Response:
        """``GET /{did}``."""
        did = request.path.strip("/")
        if self.bulk and did == self.bulk.did:
            return _as_document(document(did, self.bulk.handle, PDS))
        if did == LABELER_DID:
            return _as_document(labeler_document())
        person = self.world.people.get(("bluesky", did))
        if person is None:
            return as_json({"message": f"DID not registered: {did}"}, 404)
        return _as_document(document(did, person.handle, person.service))


def _as_document(found: Json) -> Response:
    return as_json(found, content_type="application/did+ld+json; charset=utf-8")


def document(did: str, handle: str, host: str) -> Json:
    """A DID document."""
    key = {
        "id": f"{did}#atproto",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": f"zQ3sh{did[8:]}{did[8:28]}",
    }
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": f"https://{host}"}
    return {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
            "https://w3id.org/security/suites/secp256k1-2019/v1",
        ],
        "id": did,
        "alsoKnownAs": [f"at://{handle}"],
        "verificationMethod": [key],
        "service": [service],
    }


def labeler_document() -> Json:
    """The DID document of the moderation service, which holds no repository here."""
    service = {"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": f"https://{LABELER}"}
    return {**document(LABELER_DID, LABELER, LABELER), "service": [service]}
