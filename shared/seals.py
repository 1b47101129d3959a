"""The seals of the audit: once a night the head of every chain, put where this app may add and read but never change.

A seal is a blob of its own; in Azure its container is immutable. A chain that was rewritten as a whole holds together,
but no longer holds what an earlier night has sealed.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError

from shared.errors import StoreConflict, StoreUnavailable

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

CONTAINER = "audit-seals"
_NO_OVERWRITE = "UnauthorizedBlobOverwrite"
"""How Azure refuses whoever may only add where the blob is there, whatever If-None-Match says (azure-cli, issue 19203)."""

_NO_CONTAINER = "ContainerNotFound"


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entry of a subject's chain."""

    subject: str
    sequence: int
    hash: str


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """All heads of one night. `date`: of the night, as its run names it."""

    date: str
    at: datetime
    heads: tuple[Head, ...]


class Seals:
    """The container of the seals; opened for each use, which is once a night."""

    def __init__(self, open_container: Callable[[], "ContainerClient"], *, creates: bool = True) -> None:
        self._open_container = open_container
        self._creates = creates

    async def put(self, seal: Seal) -> None:
        """Add a night's seal. One that is there already stays as it is.

        PUT {container}/{date}.json with If-None-Match: * (of Storage Blob Data Contributor, add is enough).
        Raises StoreUnavailable and StoreConflict.
        """
        body = msgspec.json.encode(seal)
        async with self._open_container() as container:
            try:
                try:
                    await container.upload_blob(_name(seal.date), body, overwrite=False)
                except ResourceNotFoundError:
                    if not self._creates:
                        raise
                    await _create(container)
                    await container.upload_blob(_name(seal.date), body, overwrite=False)
            except ResourceExistsError:
                return
            except AzureError as error:
                if getattr(error, "error_code", None) == _NO_OVERWRITE:
                    return
                raise _told(error) from error

    async def all(self) -> AsyncIterator[Seal]:
        """Every seal, the oldest first; none where there is no container yet.

        Raises StoreUnavailable, StoreConflict, and msgspec.DecodeError for what is none.

        List Blobs, then GET each (Storage Blob Data Reader).
        """
        async with self._open_container() as container:
            try:
                async for name in container.list_blob_names():
                    found = await container.download_blob(name)
                    yield msgspec.json.decode(await found.readall(), type=Seal)
            except AzureError as error:
                if getattr(error, "error_code", None) != _NO_CONTAINER:
                    raise _told(error) from error


async def _create(container: "ContainerClient") -> None:
    try:
        await container.create_container()
    except ResourceExistsError:
        return


def _name(date: str) -> str:
    return f"{date}.json"


def _told(error: AzureError) -> StoreUnavailable | StoreConflict:
    code = getattr(error, "error_code", None) or type(error).__name__
    status = getattr(error, "status_code", None)
    refused = status is not None and status < 500 and status not in (408, 429)
    return StoreConflict(f"{CONTAINER}: {code}") if refused else StoreUnavailable(f"{CONTAINER} did not answer: {code}")
