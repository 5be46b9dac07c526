"""The local emulator: Twofold and AWS services in one process, on one loopback port.

A request passes the WSGI applications in this order:

    request_handler   the HTTP server: keeps the target of the request as received
    request_guard     reads the body (request_bodies), rejects requests of web pages, converts exceptions to error responses
    gateway           API Gateway: handles requests for the Rekognition API (sigv4: signatures)
    sigv4_services    verifies the signatures of requests for AWS services, if keys are set
    dynamodb          transactions
    moto_services     moto
    s3                S3's rules in front of moto, in the order of the following modules

S3 consists of these modules; moto does the rest:

    virtual_hosts, aws_chunked      convert a request to path style and to a plain body
    s3_requests       the error S3Error, the target of a request, lookups in moto's store
    s3_validation     checks of a request: subresources, integrity (checksums), s3_parameters, multipart_uploads, s3_bodies
    conditions        conditional reads and writes; copies: the source of a copy
    deletions         DeleteObjects
    object_parts, large_objects     reads of a part or of a range
    versions, listings              patches of moto: versions of objects, pages of listings

The API function and the functions of the workflows run in worker processes:

    functions         the Lambda functions: configuration, environment, invocation
    worker_pool       idle and busy workers
    fork_server       client of the fork server and of the workers
    worker            the program of these processes
    bundles           builds and caches the bundle of packages for the workers

`server` creates all these, the state machines (`state_machines`) and the table (`table_schema`); `__main__` is the command.
Helpers: `clients` (boto3 clients independent of the environment), `environment` (moto's variables), `error_responses`,
`call_recorder` (for measurements, tests).
"""
