"""What changes and destroys of a whole deployment leave of what objects are kept and read by.

The stand-in for the provider keeps what it has made between runs, and refuses what AWS refuses.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.terraform.module import GIVEN, MODULE, TOOL, require_stand_in, terraform

if TYPE_CHECKING:
    from pathlib import Path

SOURCE, DESTINATION = "frogtech-sharara-external", "frogtech-sharara-internal"
PEOPLE = ",".join(f"frogmove-us-east-1-{kind}" for kind in ("uploaders", "readers", "operators"))
README = (MODULE / "README.md").read_text("utf-8")

# Without these objects cannot be read, or may be read by others, or lose their former versions.
KEEPS = (
    "aws_kms_key.",
    "aws_s3_bucket.",
    "aws_s3_bucket_lifecycle_configuration.",
    "aws_s3_bucket_ownership_controls.",
    "aws_s3_bucket_policy.",
    "aws_s3_bucket_public_access_block.",
    "aws_s3_bucket_server_side_encryption_configuration.",
    "aws_s3_bucket_versioning.",
)


@dataclass(frozen=True, slots=True)
class AppliedModule:
    """A deployment of full buckets, with policies that somebody else attached too.

    Attributes:
        folder: where state and cloud are kept.
        attached: the policies that somebody else attached.
    """

    folder: Path
    attached: str = PEOPLE

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of terraform on the module."""
        given = GIVEN | variables
        return terraform(
            MODULE,
            *arguments,
            "-no-color",
            f"-state={self.folder}/state",
            *(f"-var={name}={value}" for name, value in given.items()),
            OFFLINE_CLOUD=f"{self.folder}/cloud",
            OFFLINE_NONEMPTY=f"{SOURCE},{DESTINATION}",
            OFFLINE_ATTACHED=self.attached,
        )

    def apply(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Apply, as somebody who has read no plan."""
        return self.run("apply", "-auto-approve", **variables)

    def destroy(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Destroy, as somebody who has read no plan."""
        return self.run("destroy", "-auto-approve", *arguments, **variables)

    def state(self) -> dict[str, Any]:
        """Return the attributes of everything there is, by address."""
        document = json.loads((self.folder / "state").read_text("utf-8"))
        return {
            f"{resource['type']}.{resource['name']}[{instance.get('index_key', '')}]": instance[
                "attributes"
            ]
            for resource in document["resources"]
            if resource["mode"] == "managed"
            for instance in resource["instances"]
        }

    def kept(self) -> dict[str, Any]:
        """Return what objects are kept and read by."""
        return {name: made for name, made in self.state().items() if name.startswith(KEEPS)}

    def there(self) -> dict[str, str]:
        """Return what the cloud holds, by its key there."""
        there: dict[str, str] = json.loads((self.folder / "cloud").read_text("utf-8"))["there"]
        return there

    def shell(self, commands: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run commands of the README in a shell, where terraform is the stand-in's."""
        path = os.environ["PATH"]
        options = " ".join(f"-var={name}={value}" for name, value in (GIVEN | variables).items())
        state = f"-state={self.folder}/state"
        (self.folder / "bin").mkdir(exist_ok=True)
        script = self.folder / "bin/terraform"
        script.write_text(
            f"#!/bin/sh\nPATH='{path}'\n"
            'case "$1 $2" in\n'
            f'"state list") exec {TOOL} {MODULE} state list {state};;\n'
            f'"state rm") shift 2; exec {TOOL} {MODULE} state rm {state} "$@";;\n'
            f'*) exec {TOOL} {MODULE} "$1" -no-color -auto-approve {state} {options};;\n'
            "esac\n",
            "utf-8",
        )
        script.chmod(0o755)
        return subprocess.run(
            ["sh", "-ec", commands],
            env={
                **os.environ,
                "PATH": f"{self.folder}/bin:{path}",
                "OFFLINE_CLOUD": f"{self.folder}/cloud",
                "OFFLINE_NONEMPTY": f"{SOURCE},{DESTINATION}",
                "OFFLINE_ATTACHED": self.attached,
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> AppliedModule:
    """A deployment with a key of its own, made once."""
    require_stand_in()
    made = AppliedModule(tmp_path_factory.mktemp("applied"))
    done = made.apply(create_kms_key="true", reader_groups='["analysts"]')
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture
def module(applied: AppliedModule, tmp_path: Path) -> AppliedModule:
    """A copy of that deployment, for one test."""
    for name in ("state", "cloud"):
        shutil.copy(applied.folder / name, tmp_path / name)
    return AppliedModule(tmp_path)


def recipe(heading: str) -> str:
    """Return the first commands of the README that follow some words."""
    found = re.search(rf"(?s)\*\*{re.escape(heading)}.*?```sh\n(.*?)```", README)
    assert found is not None, heading
    return found[1]


def test_change_that_would_take_the_settings_down_is_refused_before_anything_goes(
    module: AppliedModule,
) -> None:
    before, there = module.kept(), module.there()
    key = {"create_kms_key": "true", "reader_groups": '["analysts"]'}
    refused = {
        "destroy": module.destroy(**key),
        "a setting alone": module.destroy("-target=aws_s3_bucket_versioning.this", **key),
        "another destination": module.apply(**key, destination_bucket="another-bucket"),
        "the source adopted": module.apply(
            **key, create_source_bucket="false", manage_source_notification="true"
        ),
        "the destination in another Region": module.apply(
            **key,
            destination_region="eu-west-1",
            destination_kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/other",
            batch_operations="false",
        ),
        "no key": module.apply(),
        "another key": module.apply(kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/other"),
        "force_destroy unconfirmed": module.apply(**key, force_destroy="true"),
    }
    for what, done in refused.items():
        assert done.returncode != 0, what
        assert "terraform_data.kept[" in done.stderr, (what, done.stderr)
    assert module.kept() == before
    assert module.there() == there


def test_change_that_keeps_the_buckets_is_not_refused(module: AppliedModule) -> None:
    """Everything else that can be set, of which nothing that objects are kept by is replaced."""
    before = module.there()
    done = module.apply(
        create_kms_key="true",
        reader_groups='["analysts"]',
        source_prefix="in/",
        destination_prefix="there/",
        tags='{ team = "sharara" }',
        timeout_seconds="60",
        source_versioning="true",
        noncurrent_version_days="7",
        scan="guardduty",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert before.keys() <= module.there().keys() | {
        key for key in before if ":layer:" in key or "policy of " in key
    }


def test_change_of_the_route_replaces_no_policy_that_is_attached(module: AppliedModule) -> None:
    done = module.run("plan", create_kms_key="true", source_prefix="a/", destination_prefix="b/")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search("aws_iam_policy.* must be replaced", done.stdout)
    assert re.search(r"aws_iam_policy.operators will be updated in-place", done.stdout)


def test_recipe_that_keeps_buckets_keeps_what_they_are_read_by(module: AppliedModule) -> None:
    before = module.kept()
    done = module.shell(recipe("Destroy."), create_kms_key="true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert module.state() == {}
    there = module.there()
    made = set(there.values())
    assert {name.split(".")[0] for name in before} & {"aws_kms_key", "aws_s3_bucket"} <= made
    assert {f"arn:aws:iam::123456789012:policy/{name}" for name in PEOPLE.split(",")} <= set(there)
    assert "aws_lambda_function" not in made
    assert "aws_sqs_queue" not in made


@pytest.mark.long
def test_recipe_for_another_destination_keeps_the_former_one(module: AppliedModule) -> None:
    done = module.shell(
        recipe("Another bucket."), create_kms_key="true", destination_bucket="another-bucket"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    buckets = {made["bucket"] for name, made in module.state().items() if "aws_s3_bucket." in name}
    assert buckets == {SOURCE, "another-bucket"}
    assert f"arn:aws:s3:::{DESTINATION}" in module.there()
    versioned = module.state()["aws_s3_bucket_versioning.this[destination]"]
    assert versioned["bucket"] == "another-bucket"


@pytest.mark.long
def test_recipe_that_deletes_everything_does(module: AppliedModule) -> None:
    detached = replace(module, attached="")
    done = detached.shell(recipe("Delete."), create_kms_key="true", force_destroy="true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert module.there() == {}


@pytest.mark.long
def test_deployment_for_a_trial_that_is_empty_goes_at_once(tmp_path: Path) -> None:
    require_stand_in()
    given = [f"-var={name}={value}" for name, value in GIVEN.items()]
    given += ["-auto-approve", "-no-color", "-var=force_destroy=true", "-var=create_kms_key=true"]
    done = terraform(
        MODULE, "apply", *given, ";", "destroy", *given, OFFLINE_CLOUD=f"{tmp_path}/cloud"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "cloud").read_text("utf-8"))["there"] == {}


@pytest.mark.long
def test_routes_from_one_bucket_live_in_one_account(tmp_path: Path) -> None:
    """Applied one after the other into one module, where a second thing of a name is refused."""
    require_stand_in()
    shared = {"trigger": "eventbridge", "create_kms_key": "true"}
    first = AppliedModule(tmp_path / "first")
    second = AppliedModule(tmp_path / "second")
    for module in (first, second):
        module.folder.mkdir()
    done = first.apply(**shared, source_prefix="a/")
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copy(first.folder / "cloud", second.folder / "cloud")
    done = second.apply(
        **shared,
        name="frogmove-b",
        source_prefix="b/",
        destination_prefix="b/",
        create_source_bucket="false",
        create_destination_bucket="false",
        manage_source_notification="false",
        adopted_destination_is_versioned="true",
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_pausing_and_destroying_need_no_packages(tmp_path: Path) -> None:
    """On a machine where nobody has built them, under the same paths."""
    require_stand_in()
    bare = tmp_path / "module"
    shutil.copytree(MODULE, bare, ignore=shutil.ignore_patterns("*.zip"))
    state = ["-no-color", "-auto-approve", f"-state={tmp_path}/state", "-var=force_destroy=true"]
    given = [*state, *(f"-var={name}={value}" for name, value in GIVEN.items())]
    cloud = {"OFFLINE_CLOUD": f"{tmp_path}/cloud"}
    done = terraform(MODULE, "apply", *given, **cloud)
    assert done.returncode == 0, done.stdout + done.stderr
    assert terraform(bare, "apply", *given, "-var=enabled=false", **cloud).returncode != 0
    kept = [*given, "-var=keep_package=true"]
    done = terraform(bare, "apply", *kept, "-var=enabled=false", ";", "destroy", *kept, **cloud)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 added, 2 changed, 0 destroyed" in done.stdout


@pytest.mark.long
def test_name_of_a_deployment_may_be_the_same_in_two_regions(tmp_path: Path) -> None:
    require_stand_in()
    elsewhere = tmp_path / "module"
    shutil.copytree(MODULE, elsewhere)
    (elsewhere / "provider.tf").write_text('provider "aws" { region = "eu-west-1" }\n', "utf-8")
    for module, given in (
        (MODULE, GIVEN),
        (elsewhere, GIVEN | {"source_bucket": "in-ireland", "destination_bucket": "out-ireland"}),
    ):
        done = terraform(
            module,
            *("apply", "-no-color", "-auto-approve"),
            *(f"-var={name}={value}" for name, value in given.items()),
            OFFLINE_CLOUD=f"{tmp_path}/cloud",
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_names_of_the_greatest_length_fit_into_what_aws_takes() -> None:
    """The stand-in warns of every value whose length only AWS refuses."""
    require_stand_in()
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-55555555555"
    prefix = "abcdefghijklmno/" * 32
    variables = {
        **GIVEN,
        "name": "a" * 40,
        "source_bucket": "b" * 63,
        "destination_bucket": "c" * 63,
        "source_prefix": prefix,
        "destination_prefix": prefix,
        "batch_prefix": prefix[1:64],
        "kms_key_arn": f"{key}1",
        "bucket_kms_key_arns": json.dumps([f"{key}2"]),
        "alarm_emails": '["operators@frogtech.example"]',
        "tags": json.dumps({"k" * 128: "v" * 256}),
    }
    done = terraform(
        MODULE, "plan", "-no-color", *(f"-var={name}={value}" for name, value in variables.items())
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AWS would refuse" not in done.stdout
    assert "Warning" not in done.stdout
