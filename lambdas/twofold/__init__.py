"""Twofold: a self-hosted implementation of Amazon Rekognition Custom Labels' dataset API, with a better split.

Reading order:

settings, records, errors    names, values and exceptions shared by all packages
handlers                     the entry points, in the order of the states
api, workflow                the operations of the API, and the states of the workflows
manifest, split, report      pure: lines and indexes, the choice of the test set, the report
stores                       S3, DynamoDB, Step Functions and EventBridge
"""

__version__ = "0.1.0"
