"""What a run left behind: its patch and its artifacts."""

from dataclasses import dataclass

from outpost_cli.json_fields import JsonObject, read_integer, read_list, read_text


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it lies in the store; `url` is good for a while without a key."""

    name: str
    url: str
    size_bytes: int
    sha256: str
    document: JsonObject


@dataclass(frozen=True, slots=True)
class PatchLink(StoredFile):
    """Where a run's patch lies; its statistics are in the document."""

    @classmethod
    def from_document(cls, document: JsonObject) -> "PatchLink":
        return cls(
            name="The patch",
            url=read_text(document, "url"),
            size_bytes=read_integer(document, "sizeBytes"),
            sha256=read_text(document, "sha256"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Artifact(StoredFile):
    """One file that a run left."""

    type: str

    @classmethod
    def from_document(cls, document: JsonObject) -> "Artifact":
        return cls(
            name=read_text(document, "name"),
            type=read_text(document, "type"),
            size_bytes=read_integer(document, "sizeBytes"),
            sha256=read_text(document, "sha256"),
            url=read_text(document, "url"),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class ArtifactList:
    artifacts: tuple[Artifact, ...]
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "ArtifactList":
        return cls(artifacts=read_list(document, "artifacts", Artifact.from_document), document=document)
