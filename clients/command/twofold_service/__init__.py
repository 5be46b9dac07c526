"""The part of the `twofold` command that talks to a service, deployed or local. The only part that needs boto3."""
