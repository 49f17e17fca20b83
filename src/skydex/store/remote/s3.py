"""Files of S3 and of stores that speak like it: botocore finds and signs the addresses, `http` asks for them.

So ranges, versions, counting and repetition are the same as for any web server, and credentials, regions, profiles and
endpoints (`AWS_ENDPOINT_URL`) are found as every tool of AWS finds them. Signed addresses are secrets: they are made
for one request, and neither shown nor kept.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_plus, urlsplit
from xml.etree import ElementTree

from skydex.errors import StoreError
from skydex.store.remote.faults import Fault
from skydex.store.remote.http import Denied, OtherRegion, asked
from skydex.store.remote.source import Order, Reply
from skydex.store.remote.traffic import Traffic

__all__ = ["S3Source"]

_SIGNED_S = 900
_CREDENTIALS = "See to the credentials for S3: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
_MOST_LISTING = 8 << 20


class S3Source:
    """A prefix in a bucket."""

    has_listing = True

    def __init__(self, url: str, *, time_s: float, anonymous: bool) -> None:
        parts = urlsplit(url)
        self._bucket, self._prefix = parts.netloc.rpartition("@")[2], parts.path.strip("/")
        if not self._bucket:
            raise Fault("its address names no bucket", remedy="Write s3://BUCKET/FOLDER.")
        self._time_s, self._anonymous = time_s, anonymous
        self._lock = threading.Lock()
        self._client: Any = None

    async def get(self, order: Order, traffic: Traffic) -> Reply | None:
        operation = "head_object" if order.only_stamp else "get_object"
        return await self._asked(operation, order, traffic, Key=self._key(order.name))

    async def names(self, folder: str, traffic: Traffic) -> Sequence[str]:
        prefix = f"{self._key(folder)}/" if self._key(folder) else ""
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = Order("", most_bytes=_MOST_LISTING)
            reply = await self._asked("list_objects_v2", page, traffic, Prefix=prefix, **more)
            if reply is None:
                raise Fault("there is no such bucket", remedy="See whether its address is right.")
            keys, token = _listed(reply.content)
            found += [key[len(self._prefix) :].lstrip("/") for key in keys if not key.endswith("/")]
            if not token:
                return found
            more = {"ContinuationToken": token}

    async def _asked(self, operation: str, order: Order, traffic: Traffic, **parameters: str) -> Reply | None:
        """One operation on the bucket, in its region."""
        try:
            return await self._once(operation, order, traffic, **parameters)
        except OtherRegion as elsewhere:
            with self._lock:
                self._client = _client(self._anonymous, region=elsewhere.region)
            return await self._once(operation, order, traffic, **parameters)

    async def _once(self, operation: str, order: Order, traffic: Traffic, **parameters: str) -> Reply | None:
        try:
            return await asked(self._signed(operation, **parameters), order, traffic, time_s=self._time_s)
        except Denied as denial:
            raise Denied(str(denial), remedy=_CREDENTIALS) from denial

    def _key(self, name: str) -> str:
        return "/".join(filter(None, (self._prefix, name)))

    def _signed(self, operation: str, **parameters: str) -> str:
        """The address of one operation, good for some minutes."""
        with self._lock:
            if self._client is None:
                self._client = _client(self._anonymous)
            try:
                named = {"Bucket": self._bucket, **parameters}
                url: str = self._client.generate_presigned_url(operation, Params=named, ExpiresIn=_SIGNED_S)
            except Exception as error:  # botocore's errors have no common class, and may quote what is secret
                raise Fault("the credentials for S3 cannot be used", remedy=_CREDENTIALS) from error
        return url


def _client(anonymous: bool, *, region: str | None = None) -> Any:
    try:
        import botocore.session
        from botocore import UNSIGNED
        from botocore.config import Config
    except ImportError as error:
        raise StoreError("Catalogues on S3 need botocore: pip install 'skydex[remote]'.") from error
    session = botocore.session.Session()
    try:
        is_open = anonymous or session.get_credentials() is None
        config = Config(signature_version=UNSIGNED if is_open else "s3v4")
        place = region or session.get_config_variable("region") or "us-east-1"
        return session.create_client("s3", region_name=place, config=config)
    except Exception as error:
        raise StoreError("S3 cannot be asked: see to AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL.") from error


def _listed(content: bytes) -> tuple[list[str], str]:
    """Keys on one page of a listing, and what to say to get the next."""
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise Fault("its server lists files in no form that is known") from error
    keys = [node.text or "" for node in root.iter() if node.tag.endswith("}Key") or node.tag == "Key"]
    if any(node.tag.endswith("EncodingType") and node.text == "url" for node in root.iter()):
        keys = [unquote_plus(key) for key in keys]
    token = next((node.text for node in root.iter() if node.tag.endswith("NextContinuationToken")), "")
    return keys, token or ""
