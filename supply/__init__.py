"""What ships and where it comes from: the bundle's parts, their licences, its size. Never ships itself."""
