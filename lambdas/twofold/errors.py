"""The exceptions of the API and of the workflows. Clients and state machines see the class names as error codes.

ServiceError                       an error response of the API; the class name is the AWS error code
├── ClientFault                    the caller must change the request or wait (HTTP 400)
│   ├── AccessDeniedException
│   ├── InvalidPaginationTokenException
│   ├── InvalidParameterException
│   ├── InvalidS3ObjectException
│   ├── LimitExceededException
│   ├── ProvisionedThroughputExceededException
│   ├── ResourceAlreadyExistsException
│   ├── ResourceInUseException
│   ├── ResourceNotFoundException
│   ├── ResourceNotReadyException
│   ├── SerializationException
│   ├── ServiceQuotaExceededException
│   ├── UnknownOperationException
│   └── ValidationException
└── ServerFault                    the caller can retry (HTTP 500)
    ├── InternalServerError
    └── ThrottlingException
OperationRefused                   the data does not allow an asynchronous operation: *_FAILED with CLIENT_ERROR
DamagedObjectError                 an index, plan or record does not match its checksum; the datasets stay unchanged
ConservationError                  the outputs do not add up to the source; the datasets stay unchanged

Exceptions of the stores are in their own modules:

stores/aws_errors.StoreBusyError   a throttled store; every Task state is retried after an error of this name
stores/objects                     SourceChangedError, ObjectUnreachableError, LostObjectError
stores/table                       ConditionFailedError, RepeatedCallError
"""


class ServiceError(Exception):
    """An error response of the API. `message` names the cause and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ClientFault(ServiceError):
    """The same call fails again unless the caller changes something."""


class ServerFault(ServiceError):
    """The same call may succeed later."""


class AccessDeniedException(ClientFault):
    """The caller has no access, or the resource belongs to another account."""


class InvalidPaginationTokenException(ClientFault):
    """The NextToken does not belong to this request."""


class InvalidParameterException(ClientFault):
    """The request is well formed, but the values do not fit together or the resources."""


class InvalidS3ObjectException(ClientFault):
    """The manifest cannot be read from S3."""


class LimitExceededException(ClientFault):
    """A service quota is reached."""


class ProvisionedThroughputExceededException(ClientFault):
    """Calls are too frequent, or DynamoDB or S3 throttles the service."""


class ResourceAlreadyExistsException(ClientFault):
    """The project already has a dataset of this type."""


class ResourceInUseException(ClientFault):
    """The name is taken, or an operation is using the resource."""


class ResourceNotFoundException(ClientFault):
    """The project or dataset does not exist."""


class ResourceNotReadyException(ClientFault):
    """An operation on the dataset is in progress, or the dataset has no contents yet."""


class SerializationException(ClientFault):
    """The body is not JSON, or the JSON type of a member is not the model's."""


class ServiceQuotaExceededException(ClientFault):
    """The quota on tags is exceeded."""


class UnknownOperationException(ClientFault):
    """Twofold does not implement the operation."""


class ValidationException(ClientFault):
    """The request violates a constraint of AWS's service model."""


class InternalServerError(ServerFault):
    """An unexpected error of the service."""


class ThrottlingException(ServerFault):
    """Too many requests."""


class OperationRefused(Exception):
    """The data does not allow an asynchronous operation. Its datasets end *_FAILED with CLIENT_ERROR and this message."""


class DamagedObjectError(Exception):
    """A stored object does not match its checksum."""


class ConservationError(Exception):
    """The outputs of a transfer do not add up to its source."""
