"""Read the optional members of an operation for a state. Each function raises ValueError if the member is missing."""

from twofold.records import Contents, Operation, SourceObject, SplitParameters


def get_source(operation: Operation) -> SourceObject:
    """Return the manifest of an ingest."""
    if operation.source is None:
        raise ValueError(f"The operation {operation.id} has no source.")
    return operation.source


def get_training_contents(operation: Operation) -> Contents:
    """Return the contents of the training dataset at the time of the claim."""
    if operation.before is None:
        raise ValueError(f"The operation {operation.id} has no contents to distribute.")
    return operation.before


def list_contents(operation: Operation) -> tuple[Contents, ...]:
    """Return the contents that a distribution distributes, in the order of its source lines: those of the test dataset, if its
    entries are kept (`KeepTest`), then those of the training dataset."""
    kept = (operation.test_before,) if operation.test_before else ()
    return (*kept, get_training_contents(operation))


def get_parameters(operation: Operation) -> SplitParameters:
    """Return the parameters of a distribution."""
    if operation.parameters is None:
        raise ValueError(f"The operation {operation.id} is not a distribution.")
    return operation.parameters


def get_group_by(operation: Operation) -> str:
    """Return the GroupBy expression of a distribution in groups."""
    group_by = get_parameters(operation).group_by
    if group_by is None:
        raise ValueError(f"The operation {operation.id} has no groups.")
    return group_by
