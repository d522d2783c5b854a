"""A malware scanner for the embedded AWS: it tags and reports uploads as GuardDuty does.

https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html
"""

import json
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from frogmove.function import scan_results
from frogmove.function.scan_results import TAG, ScanStatus
from frogmove.local_aws.server import REGION

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.stack import Stack

REQUIRED_TAG = f"{TAG}={ScanStatus.NO_THREATS_FOUND}"

# What a file must contain to be found infected: a part of the EICAR test file.
# https://www.eicar.org/download-anti-malware-testfile/
TEST_THREAT = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
_THREAT_NAME = "EICAR-Test-File (not a virus)"

_SECONDS_TO_WAIT = 1
_SECONDS_AFTER_ERROR = 0.2


def plan_arn(account: str) -> str:
    """Return the ARN of the protection plan in scan results."""
    return f"arn:aws:guardduty:{REGION}:{account}:malware-protection-plan/frogmove-local"


class Scanner:
    """Scans each upload of a stack in a thread of its own.

    Args:
        clients: the clients.
        stack: a stack with a quarantine.
        reports: whether the function gets the results; the tag is set in any case.
    """

    def __init__(self, clients: "Clients", stack: "Stack", *, reports: bool) -> None:
        self._clients = clients
        self._stack = stack
        self._reports = reports

    def start(self) -> None:
        """Scan until this process ends."""
        Thread(target=self._run, name="scanner", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._scan_next()
            except (BotoCoreError, ClientError):
                # The message is delivered again. If the server has ended, so will this process.
                time.sleep(_SECONDS_AFTER_ERROR)

    def _scan_next(self) -> None:
        sqs, url = self._clients.sqs, self._stack.scan_queue_url
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=_SECONDS_TO_WAIT
        )
        for message in answer.get("Messages", []):
            for record in json.loads(message["Body"]).get("Records", []):
                self._scan(unquote_plus(record["s3"]["object"]["key"]), record["s3"]["object"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _scan(self, key: str, upload: dict[str, Any]) -> None:
        """Read, tag and report exactly the version that was uploaded."""
        s3 = self._clients.s3
        where: Any = {"Bucket": self._stack.config.source_bucket, "Key": key}
        where["VersionId"] = upload["versionId"]
        with suppress(s3.exceptions.NoSuchKey):
            found = s3.get_object(**where)
            is_infected = TEST_THREAT in found["Body"].read()
            status = ScanStatus.THREATS_FOUND if is_infected else ScanStatus.NO_THREATS_FOUND
            kept = s3.get_object_tagging(**where)["TagSet"]
            tags = [tag for tag in kept if tag["Key"] != TAG] + [{"Key": TAG, "Value": status}]
            s3.put_object_tagging(**where, Tagging={"TagSet": tags})
            if self._reports:
                result = self._result(where, found["ETag"].strip('"'), status)
                body = json.dumps(result)
                self._clients.sqs.send_message(QueueUrl=self._stack.queue_url, MessageBody=body)

    def _result(self, where: dict[str, str], etag: str, status: ScanStatus) -> dict[str, Any]:
        """Return the event that EventBridge sends to the queue."""
        account = self._stack.queue_arn.split(":")[4]
        is_infected = status is ScanStatus.THREATS_FOUND
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": scan_results.KIND,
            "source": scan_results.SOURCE,
            "account": account,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [plan_arn(account)],
            "detail": {
                "schemaVersion": "1.0",
                "scanStatus": "COMPLETED",
                "resourceType": "S3_OBJECT",
                "s3ObjectDetails": {
                    "bucketName": where["Bucket"],
                    "objectKey": where["Key"],
                    "eTag": etag,
                    "versionId": where["VersionId"],
                    "s3Throttled": False,
                },
                "scanResultDetails": {
                    "scanResultStatus": status.value,
                    "threats": [{"name": _THREAT_NAME}] if is_infected else None,
                },
            },
        }
