"""Which failures are tried again: the program says so by its exit code."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException, AirflowFailException

# 2: command line not understood; 64: bad configuration or input. The same command fails again.
# All others are tried again: 75 is something outside that failed, and what has no code of ours is a lost cluster or driver.
FINAL = {2, 64}

# As spark-submit's operator says it, in client mode and on Kubernetes; as YARN says it of a driver in cluster mode; and as the
# program itself does on Databricks, where it may not end the process.
TOLD = re.compile(r"(?:Error code is: |exit code is: |exited with status |failed with code )(\d+)")


@contextmanager
def told_apart() -> Iterator[None]:
    """Turns a failure whose message has a final code into one that is not tried again."""
    try:
        yield
    except AirflowFailException:
        raise
    except (AirflowException, RuntimeError) as failure:
        codes = {int(code) for code in TOLD.findall(str(failure))}
        refuse(codes, str(failure), failure)
        raise


def refuse(codes: set[int], reason: str, cause: Exception) -> None:
    """Fails the task for good if one of the codes is final."""
    if codes & FINAL:
        raise AirflowFailException(f"Not tried again, for the same command fails again: {reason}") from cause
