"""The operations of the API, AWS's service model with constraints, and the wire protocol.

Reading order:

wire                 from an event of API Gateway to a call, from a result to a response
requests             typed requests; model and constraints implement AWS's service model, java_messages the texts of
                     AWS's messages, which show values as Java prints them
context              the stores, the caller and the clock of a request; rates and quotas
idempotency          one change for each call of an SDK, with its retries
ownership            the check of access to the resources of a request
operations           the function for each operation, in
                     projects, datasets, deletion, tagging, trained_models
                     distribute (with parameters), history, update
                     entries (with search) and labels; both with listing and tokens
"""
