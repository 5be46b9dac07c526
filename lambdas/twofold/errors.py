"""What can go wrong, as classes whose names are the strings that clients and workflows see.

ServiceError                       an answer of the API; the class name is the AWS error code
├── ClientFault                    the caller must change something (HTTP 400)
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
└── ServerFault                    the caller may try again (HTTP 500)
    ├── InternalServerError
    └── ThrottlingException
OperationRefused                   an asynchronous operation ends *_FAILED with CLIENT_ERROR; the message is for the user
DamagedObjectError                 an index, plan or record does not match its checksum: nothing is changed
ConservationError                  train after + test would not be train before: nothing is changed
"""


class ServiceError(Exception):
    """An answer of the API. `message` is for the person who must act."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ClientFault(ServiceError):
    """The caller must change something before trying again."""


class ServerFault(ServiceError):
    """The same call may succeed later."""


class AccessDeniedException(ClientFault):
    """Not this caller, or not this account's resource."""


class InvalidPaginationTokenException(ClientFault):
    """A NextToken that was not issued for this request."""


class InvalidParameterException(ClientFault):
    """The request is well formed and makes no sense."""


class InvalidS3ObjectException(ClientFault):
    """The manifest cannot be reached in S3."""


class LimitExceededException(ClientFault):
    """A quota of the service."""


class ProvisionedThroughputExceededException(ClientFault):
    """A store behind the service is at its limit."""


class ResourceAlreadyExistsException(ClientFault):
    """The project has a dataset of this type."""


class ResourceInUseException(ClientFault):
    """The name is taken, or the resource is busy."""


class ResourceNotFoundException(ClientFault):
    """No such project or dataset."""


class ResourceNotReadyException(ClientFault):
    """The dataset has not settled."""


class SerializationException(ClientFault):
    """The body is not JSON, or a member has another JSON type than the model says."""


class ServiceQuotaExceededException(ClientFault):
    """A quota on tags."""


class UnknownOperationException(ClientFault):
    """An operation that Twofold does not have."""


class ValidationException(ClientFault):
    """A constraint of AWS's service model is broken."""


class InternalServerError(ServerFault):
    """Something broke on our side."""


class ThrottlingException(ServerFault):
    """Too many requests."""


class OperationRefused(Exception):
    """An asynchronous operation cannot be done with this data; its datasets end *_FAILED with CLIENT_ERROR."""


class DamagedObjectError(Exception):
    """A stored object does not match its checksum."""


class ConservationError(Exception):
    """The pieces do not add up to what was there before."""
