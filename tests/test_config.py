import re
from dataclasses import fields
from pathlib import Path

import pytest

import frogmove
from frogmove.config import Config, config_file, resolve
from frogmove.errors import UsageError

FILE = """
route = "default"

[routes.default]
source = "s3://file-source"
destination = "s3://file-destination"

[routes.other]
source = "s3://other-source"
destination = "s3://other-destination"
profile = "operator"
region = "eu-central-1"
endpoint_url = "http://127.0.0.1:9"
"""

ENVIRONMENT = {
    "FROGMOVE_SOURCE": "s3://env-source",
    "FROGMOVE_DESTINATION": "s3://env-destination",
    "FROGMOVE_ENDPOINT_URL": "http://127.0.0.1:1",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE, "utf-8")
    return path


@pytest.mark.parametrize(
    ("flag", "named", "environment", "source"),
    [
        ("s3://flag", "other", ENVIRONMENT, "s3://flag"),
        ("s3://flag", None, ENVIRONMENT | {"FROGMOVE_ROUTE": "other"}, "s3://flag"),
        (None, "other", ENVIRONMENT, "s3://other-source"),
        (None, "other", {"FROGMOVE_ROUTE": "default"}, "s3://other-source"),
        (None, None, ENVIRONMENT | {"FROGMOVE_ROUTE": "other"}, "s3://env-source"),
        (None, None, ENVIRONMENT, "s3://env-source"),
        (None, None, {"FROGMOVE_ROUTE": "other"}, "s3://other-source"),
        (None, None, {}, "s3://file-source"),
        ("", "", {"FROGMOVE_ROUTE": "", "FROGMOVE_SOURCE": ""}, "s3://file-source"),
    ],
    ids=[
        "flag-before-all",
        "flag-before-environment",
        "named-route-before-environment",
        "named-route-before-FROGMOVE_ROUTE",
        "variable-before-FROGMOVE_ROUTE",
        "variable-before-file",
        "FROGMOVE_ROUTE-before-default-route",
        "default-route",
        "empty-is-not-given",
    ],
)
def test_setting_comes_from_the_first_source_that_has_it(
    flag: str | None, named: str | None, environment: dict[str, str], source: str, file: Path
) -> None:
    assert resolve(Config(source=flag), named, environment, file).source == source


def test_route_may_have_one_end_from_a_flag_and_the_other_from_the_file(file: Path) -> None:
    config = resolve(Config(destination="s3://flag"), "other", {}, file)
    assert (config.source, config.destination) == ("s3://other-source", "s3://flag")
    assert (config.profile, config.region) == ("operator", "eu-central-1")
    assert config.endpoint_url == "http://127.0.0.1:9"


def test_config_without_any_settings_is_empty(tmp_path: Path) -> None:
    assert resolve(Config(), None, {}, None) == Config()
    assert resolve(Config(), None, {}, tmp_path / "absent.toml") == Config()


def test_route_that_is_not_there_is_refused_with_those_that_are(file: Path) -> None:
    with pytest.raises(UsageError, match="'ohter'") as caught:
        resolve(Config(), "ohter", {}, file)
    assert "default, other" in caught.value.remedy
    with pytest.raises(UsageError, match="'ohter'"):
        resolve(Config(), None, {"FROGMOVE_ROUTE": "ohter"}, file)


def test_route_is_refused_where_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.toml") as caught:
        resolve(Config(), "other", {}, tmp_path / "absent.toml")
    assert "does not exist" in caught.value.remedy


def test_config_file_that_the_environment_names_and_that_is_not_there_is_refused(
    tmp_path: Path,
) -> None:
    absent = tmp_path / "absent.toml"
    with pytest.raises(UsageError, match=r"absent\.toml.*FROGMOVE_CONFIG"):
        resolve(Config(source="s3://abc"), None, {"FROGMOVE_CONFIG": str(absent)}, absent)


def test_config_file_that_cannot_be_read_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: Is a directory") as caught:
        resolve(Config(), None, {}, tmp_path)
    assert "FROGMOVE_CONFIG" in caught.value.remedy


def test_config_file_may_be_written_as_on_windows(file: Path) -> None:
    text = file.read_text("utf-8").replace("\n", "\r\n")
    expected = resolve(Config(), None, {}, file)
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert resolve(Config(), None, {}, file) == expected


def test_config_file_without_routes_says_how_a_route_is_written(file: Path) -> None:
    file.write_text("", "utf-8")
    with pytest.raises(UsageError) as caught:
        resolve(Config(), "other", {}, file)
    assert "[routes.NAME]" in caught.value.remedy


@pytest.mark.parametrize(
    "wrong",
    [
        {"expected_bucket_owner": "123"},
        {"expected_bucket_owner": "1234-5678-9012"},
        {"expected_bucket_owner": "１２３４５６７８９０１２"},
        {"kms_key_id": "my key"},
        {"kms_key_id": "key\n"},
    ],
    ids=ascii,
)
def test_bucket_owner_or_kms_key_that_can_be_none_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="is not"):
        Config(**wrong)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("route = ", r"config\.toml"),
        ("\xff\xfe", r"config\.toml"),
        ("routes = 3\nroute = 'a'", "no route 'a'"),
        ("route = 'a'\nroutes.a = 3", "no route 'a'"),
        ("route = 3\n[routes.a]", "no route '3'"),
        ("route = ['a']\n[routes.a]", "no route"),
        ("route = 'a'\n[routes.a]\nsuorce = 's3://x'", "'suorce' of route 'a'"),
        ("route = 'a'\n[routes.a]\nsource = 3", "'source' of route 'a'"),
    ],
    ids=[
        "not-toml",
        "not-utf8",
        "routes-no-table",
        "route-no-table",
        "name-a-number",
        "name-a-list",
        "unknown-setting",
        "value-a-number",
    ],
)
def test_config_file_that_cannot_be_used_is_refused_by_name(
    text: str, printed: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=printed):
        resolve(Config(), None, {}, file)


def test_config_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        resolve(Config(), None, {}, tmp_path)


def test_config_file_is_the_one_named_else_the_users_own(tmp_path: Path) -> None:
    named = tmp_path / "mine.toml"
    assert config_file({"FROGMOVE_CONFIG": str(named)}) == named
    own = config_file({})
    assert own.name == "config.toml"
    assert own.is_relative_to(tmp_path)


@pytest.mark.parametrize("name", ["source", "destination"])
def test_route_without_an_end_is_refused_with_all_ways_to_give_it(name: str) -> None:
    given = {"source": "s3://one", "destination": "s3://two", name: None}
    with pytest.raises(UsageError, match=f"No {name}") as caught:
        Config(**given).route()
    for way in (f"--{name}", f"FROGMOVE_{name.upper()}", "--route"):
        assert way in caught.value.remedy


def test_environment_gives_the_kms_key_and_the_owner_too() -> None:
    environment = {
        "FROGMOVE_KMS_KEY_ID": "alias/pond",
        "FROGMOVE_EXPECTED_BUCKET_OWNER": "123456789012",
    }
    config = resolve(Config(kms_key_id="alias/mine"), None, environment, None)
    assert config.kms_key_id == "alias/mine"
    assert config.expected_bucket_owner == "123456789012"


PACKAGE = Path(frogmove.__file__).parent
DOCUMENTS = (PACKAGE / "cli" / "README.md", PACKAGE / "function" / "README.md")
TEXT = "".join(path.read_text("utf-8") for path in DOCUMENTS)


def test_documents_name_every_setting_of_a_route() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert [each.name for each in fields(Config) if each.name not in example] == []


def test_documents_name_every_environment_variable() -> None:
    sources = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    read = set(re.findall(r"(?<![A-Z_])FROGMOVE_[A-Z_]+[A-Z]\b", sources))
    named = set(re.findall(r"(?<![A-Z_])FROGMOVE_[A-Z_]+[A-Z]\b", TEXT))
    assert sorted(read - named) == []
