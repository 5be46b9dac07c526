"""Twofold at the terminal: splits manifests on local disks, without a server."""
