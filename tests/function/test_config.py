"""How the function is set by its environment; whole processes: tests/test_lambda_handler.py."""

import pytest

from frogmove.core.options import MIB, OnConflict
from frogmove.errors import UsageError
from frogmove.function.config import read_config
from tests.function.fake_lambda import ENDS


def test_config_has_defaults_for_what_is_not_set_or_empty() -> None:
    client_config = ["ON_CONFLICT", "CONCURRENCY", "SWEEP_AGE", "MULTIPART_THRESHOLD", "PART_SIZE"]
    others = ["MARGIN", "ENDPOINT_URL", "KMS_KEY_ID", "EXPECTED_BUCKET_OWNER"]
    config = read_config(ENDS)
    assert read_config(ENDS | {f"FROGMOVE_{name}": " " for name in client_config}) == config
    assert read_config(ENDS | {f"FROGMOVE_{name}": "" for name in others}) == config
    assert config.on_conflict is OnConflict.OVERWRITE
    assert (config.concurrency, config.bulk_concurrency) == (16, 64)
    assert (config.sweep_age, config.margin) == (900, 15)
    assert (config.multipart.threshold, config.multipart.part_size) == (512 * MIB, 128 * MIB)


def test_config_can_set_everything() -> None:
    config = read_config(
        ENDS
        | {
            "FROGMOVE_ON_CONFLICT": "keep-both",
            "FROGMOVE_CONCURRENCY": "3",
            "FROGMOVE_SWEEP_AGE": "1d",
            "FROGMOVE_MULTIPART_THRESHOLD": "1GiB",
            "FROGMOVE_PART_SIZE": "64MiB",
            "FROGMOVE_MAX_COMPARE_SIZE": "64MiB",
            "FROGMOVE_MARGIN": "20s",
            "FROGMOVE_ENDPOINT_URL": "http://127.0.0.1:9",
            "FROGMOVE_KMS_KEY_ID": "alias/pond",
            "FROGMOVE_EXPECTED_BUCKET_OWNER": "123456789012",
        }
    )
    assert config.on_conflict is OnConflict.KEEP_BOTH
    assert (config.concurrency, config.bulk_concurrency) == (3, 3)
    assert (config.sweep_age, config.margin) == (86400, 20)
    assert config.multipart.threshold == 1024 * MIB
    assert (config.multipart.part_size, config.multipart.at_once) == (64 * MIB, 3)
    assert config.max_compare_size == 64 * MIB
    client_config = config.client_config
    assert client_config.endpoint_url == "http://127.0.0.1:9"
    assert (client_config.kms_key_id, client_config.expected_bucket_owner) == (
        "alias/pond",
        "123456789012",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ON_CONFLICT", "shrug"),
        *(("CONCURRENCY", text) for text in ("0", "-1", "many", "1.5", "1025", "٣", "9" * 99)),
        ("SWEEP_AGE", "soon"),
        ("MARGIN", "-1"),
        ("MULTIPART_THRESHOLD", "1KiB"),
        ("MULTIPART_THRESHOLD", "6GB"),
        ("PART_SIZE", "4MiB"),
        ("PART_SIZE", "6GiB"),
        ("PART_SIZE", "large"),
        *(("MAX_COMPARE_SIZE", text) for text in ("large", "-1", "1.5GiB", "GiB")),
        ("SOURCE", "external"),
        ("DESTINATION", "http://internal"),
        *(("ENDPOINT_URL", text) for text in ("nonsense", "ftp://x", "http://", "http://h:port")),
        *(("EXPECTED_BUCKET_OWNER", text) for text in ("12", "12345678901a", "٣" * 12)),
        ("KMS_KEY_ID", "a b"),
        ("KMS_KEY_ID", "a\nb"),
    ],
)
def test_config_refuses_by_its_name_what_cannot_be_used(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"FROGMOVE_{name}"):
        read_config(ENDS | {f"FROGMOVE_{name}": text})


@pytest.mark.parametrize(
    "bucket",
    ["arn:aws:s3:eu-west-1:123456789012:accesspoint/door", "door-abcdefghijklmnop-s3alias"],
)
def test_access_point_is_no_source_as_events_name_buckets(bucket: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_config(ENDS | {"FROGMOVE_SOURCE": f"s3://{bucket}/in"})
    assert "FROGMOVE_SOURCE" in caught.value.message
    there = read_config(ENDS | {"FROGMOVE_DESTINATION": f"s3://{bucket}/in"})
    assert there.route.destination.bucket == bucket
