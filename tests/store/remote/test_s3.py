"""S3: the same rows, versions and counts as over HTTP, with credentials that nobody sees."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.rangeserver import Fault
from tests.store.remote.conftest import LAYOUT, rows_of

from skydex.errors import RemoteChangedError, RemoteUnavailableError
from skydex.store import counting, open_dataset

pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def moto():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def environment(moto, monkeypatch, tmp_path):
    """Credentials of nobody, and no files of the user's."""
    for key, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "very-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": moto,
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(key, value)
    return monkeypatch


@pytest.fixture
def in_another_region(environment, web, writer):
    """A bucket of eu-west-1, as S3 answers who asks for it as if it were elsewhere; and its catalogue."""
    environment.setenv("AWS_ENDPOINT_URL", web.url)
    own = writer.dataset(writer.scattered(1_000), layout=LAYOUT)
    shutil.copytree(own.directory, web.root / "sky/own")
    return own


@pytest.fixture
def bucket(environment, moto):
    import boto3

    client = boto3.client("s3", endpoint_url=moto)
    client.create_bucket(Bucket="sky")
    yield client
    for item in client.list_objects_v2(Bucket="sky").get("Contents", []):
        client.delete_object(Bucket="sky", Key=item["Key"])
    client.delete_bucket(Bucket="sky")


def upload(client, directory: Path, prefix: str) -> None:
    for file in directory.rglob("*"):
        if file.is_file():
            key = f"{prefix}/{file.relative_to(directory).as_posix()}"
            client.put_object(Bucket="sky", Key=key, Body=file.read_bytes(), ACL="public-read")


@pytest.fixture
def own(writer, bucket):
    local = writer.dataset(writer.scattered(2_000), layout=LAYOUT)
    upload(bucket, Path(local.directory), "some/own")
    return local


def test_our_own_catalogue_has_the_same_rows_on_s3(own, access):
    far = open_dataset("s3://sky/some/own", name="sky.objects", access=access)
    with counting() as traffic:
        assert rows_of(far).equals(rows_of(own))
    assert traffic.n_bytes > 0


@pytest.mark.parametrize("catalog", ["small_sky_npix_as_dir", "small_sky_order1_collection"])
def test_catalogues_of_others_have_the_same_rows_on_s3(bucket, access, shared_data, catalog):
    upload(bucket, shared_data / "hats" / catalog, "theirs")
    near = open_dataset(shared_data / "hats" / catalog, name="far.t")
    assert rows_of(open_dataset("s3://sky/theirs", name="far.t", access=access)).equals(rows_of(near))


def test_files_that_nothing_names_are_found_in_the_listing(bucket, access, shared_data):
    upload(bucket, shared_data / "hats/small_sky_source", "theirs")
    for name in ("partition_info.csv", "dataset/_metadata"):
        bucket.delete_object(Bucket="sky", Key=f"theirs/{name}")
    far = open_dataset("s3://sky/theirs", name="far.t", access=access)
    assert rows_of(far).num_rows == 17_161


def test_s3_is_asked_without_credentials_where_there_are_none(own, environment, access):
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    far = open_dataset("s3://sky/some/own", name="sky.objects", access=access)
    assert rows_of(far).equals(rows_of(own))


def test_an_object_that_changes_between_two_ranges_is_an_error(own, bucket, access):
    far = open_dataset("s3://sky/some/own", name="sky.objects", access=access)
    piece = far.select(None).pieces[0]
    far.read(piece, ["id"])
    key = f"some/own/{piece.file[len(far.directory) + 1 :]}"
    content = bucket.get_object(Bucket="sky", Key=key)["Body"].read()
    bucket.put_object(Bucket="sky", Key=key, Body=content[:100] + b"?" + content[101:])
    with pytest.raises(RemoteChangedError, match=r"sky\.objects changed"):
        far.read(piece, ["mag"])


def test_credentials_are_in_no_error(environment, access):
    with pytest.raises((RemoteUnavailableError, Exception)) as caught:
        open_dataset("s3://no-such-bucket/some/own", name="sky.objects", access=access)
    shown = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
    assert "sky.objects" in shown
    assert not any(word in shown for word in ("secret", "testing", "Signature", "no-such-bucket"))


EXCUSE = b"<Error><Code>AuthorizationQueryParametersError</Code><Region>eu-west-1</Region></Error>"
NAMED = {"x-amz-bucket-region": "eu-west-1"}


@pytest.mark.parametrize(
    "excuse",
    [
        Fault(status=301, headers=NAMED),
        Fault(status=307, headers={**NAMED, "Location": "http://127.0.0.1:9/elsewhere"}),
        Fault(status=400, headers=NAMED),
        Fault(status=400, headers={"Content-Type": "application/xml"}, body=EXCUSE),
    ],
    ids=["moved", "redirected", "named", "in words"],
)
def test_a_bucket_in_another_region_is_asked_there(in_another_region, web, access, excuse):
    web.faults = lambda asked: None if "eu-west-1" in asked.query else excuse
    far = open_dataset("s3://sky/own", name="sky.objects", access=access)
    assert rows_of(far).equals(rows_of(in_another_region))
    assert sum("us-east-1" in asked.query for asked in web.requests) <= access.connections


def test_a_region_that_is_never_right_is_told_with_the_remedy(in_another_region, web, access):
    web.faults = lambda asked: Fault(status=301, headers={"x-amz-bucket-region": "us-east-2"})
    with pytest.raises(RemoteUnavailableError, match=r"another region\. Name that in AWS_REGION"):
        open_dataset("s3://sky/own", name="sky.objects", access=access)


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_do_not_hold_are_told_with_the_remedy(in_another_region, web, access, status):
    web.faults = lambda asked: Fault(status=status)
    with pytest.raises(RemoteUnavailableError, match=r"refuses access .*AWS_PROFILE") as caught:
        open_dataset("s3://sky/own", name="sky.objects", access=access)
    assert "testing" not in str(caught.value)


def test_a_bucket_that_is_not_there_is_told(environment, access):
    with pytest.raises(RemoteUnavailableError, match=r"no such bucket\. See whether its address is right"):
        open_dataset("s3://no-such-bucket/some/own", name="sky.objects", access=access)
