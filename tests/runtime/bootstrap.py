"""Becomes the function: ``python -I -S bootstrap.py TASK LAYER CLIENT HANDLER``.

The path is what the function has on Lambda, and nothing of this machine's beyond the standard
library: boto3 can come out of the layer alone.
"""

import sys

if __name__ == "__main__":
    *folders, handler = sys.argv[1:]
    sys.path[:0] = folders
    # The runtime client itself: https://github.com/aws/aws-lambda-python-runtime-interface-client
    from awslambdaric.__main__ import main  # type: ignore[import-not-found, unused-ignore]

    main(["", handler])
