"""Entry points of the Lambda functions: a module per function, with the name of the state.

A handler reads settings and event, creates the stores, calls one function of `twofold.api` or `twofold.workflow`, and logs.
Read `api` first; then, in the order of the states, plan, index, resolve, group, select, merge, move, publish and abandon; then
`settle` and `collect`, started by schedules.
"""
