"""Twofold: datasets of Rekognition Custom Labels, self-hosted, with a better split."""

__version__ = "0.1.0"
