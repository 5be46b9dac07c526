"""Doors: one module per Lambda function, named after its state in the workflow."""
